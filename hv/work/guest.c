/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workload "guest": guests run, and ask for what guests ask for. A domain that
 * was killed is replaced by a new one. With guest:bad all but domain 0
 * misbehave, each life in another way.
 */
#include "guest/guest.h"
#include "arch/timer.h"
#include "work/work.h"
#include <stddef.h>

unsigned int nr_guests = 2;
static unsigned int users; /* CPUs that run this workload */

static enum guest_mode next_mode(const struct domain *d)
{
    if (!work_argument() || d->id == 0)
        return GUEST_GOOD;
    return (enum guest_mode)(1 + (d->life + d->id) % (GUEST_MODES - 1));
}

/* Make one domain that is missing. False if none is, or there is no memory. */
static bool build_one(void)
{
    struct domain *d = sched_claim_free(nr_guests);
    bool built;

    if (!d)
        return false;
    built = domain_build(d, next_mode(d));
    sched_built(d, built);
    return built;
}

static void guest_init(void)
{
    __atomic_fetch_add(&users, 1, __ATOMIC_ACQ_REL);
    while (build_one())
        ;
}

static void guest_step(void)
{
    struct vcpu *v;

    build_one();
    v = sched_pick();
    if (v) {
        vcpu_run(v);
        sched_put(v);
    } else {
        timer_wait_until(timer_now() + timer_frequency() / 1000);
    }
}

static void guest_exit_workload(void)
{
    if (__atomic_sub_fetch(&users, 1, __ATOMIC_ACQ_REL) == 0)
        sched_stop_all();
}

static bool guest_accepts(struct word argument, uint64_t *value)
{
    *value = word_is(argument, "bad");
    return *value;
}

const struct workload work_guest = {
    .name = "guest",
    .looks = "two or three slots in use at a time, the stage-2 tables' hotter than the rest",
    .argument = "bad",
    .accepts = guest_accepts,
    .init = guest_init,
    .step = guest_step,
    .exit = guest_exit_workload,
};
