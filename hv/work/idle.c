/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/timer.h"
#include "work/work.h"

#define STEPS_A_SECOND 100

static void nothing(void)
{
}

static void idle_step(void)
{
    timer_wait_until(timer_now() + timer_frequency() / STEPS_A_SECOND);
}

const struct workload work_idle = {
    .name = "idle",
    .looks = "nothing moves but the slot of the interrupt's page",
    .init = nothing,
    .step = idle_step,
    .exit = nothing,
};
