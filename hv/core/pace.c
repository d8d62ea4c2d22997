/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/pace.h"
#include "arch/timer.h"
#include "core/cmdline.h"

DEFINE_PER_CPU(uint64_t, pace_held);
static DEFINE_PER_CPU(uint64_t, next_due);

void pace_wait(void)
{
    uint64_t interval, due;

    if (!options.pace)
        return;
    interval = timer_frequency() / options.pace;
    due = this_cpu(next_due);
    timer_wait_until(due);
    /* Late by more than one call: start anew instead of catching up in a burst. */
    if (timer_now() > due + interval)
        due = timer_now();
    this_cpu(next_due) = due + interval;
}
