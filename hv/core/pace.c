/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/pace.h"
#include "arch/timer.h"
#include "core/beacon.h"
#include "core/cmdline.h"

DEFINE_PER_CPU(uint64_t, pace_held);

/* Where the pace counts from: a time, and how many calls there had been. */
struct pace {
    bool on;
    uint64_t rate; /* options.pace when it started */
    uint64_t since;
    uint64_t calls;
};

static DEFINE_PER_CPU(struct pace, pace);

static uint64_t calls_made(void)
{
    const struct beacon_cpu *c = this_cpu(beacon_cpu);

    return c->maps + c->unmaps + c->bypasses;
}

void pace_start(void)
{
    this_cpu(pace) = (struct pace){true, options.pace, timer_now(), calls_made()};
}

void pace_stop(void)
{
    this_cpu(pace).on = false;
}

void pace_wait(void)
{
    uint64_t interval, due;

    if (!this_cpu(pace).on)
        return;
    if (this_cpu(pace).rate != options.pace) /* the console changed it */
        pace_start();
    if (!this_cpu(pace).rate)
        return;
    interval = timer_frequency() / this_cpu(pace).rate;
    due = this_cpu(pace).since + (calls_made() - this_cpu(pace).calls) * interval;
    timer_wait_until(due);
    /* Late by more than one call: start anew instead of catching up in a burst. */
    if (timer_now() > due + interval)
        pace_start();
}
