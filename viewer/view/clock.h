/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The clock of the loop. Draw code has none: its time comes with the frame.
 */
#ifndef VIEWER_VIEW_CLOCK_H
#define VIEWER_VIEW_CLOCK_H

#include <stdint.h>
#include <time.h>

/* CLOCK_MONOTONIC, ns. */
static inline uint64_t clock_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* For poll(): milliseconds from now until a time, rounded up. */
static inline int clock_timeout_ms(uint64_t until, uint64_t now)
{
    uint64_t ms = until > now ? (until - now + 999999) / 1000000 : 0;

    return ms > 1000 ? 1000 : (int)ms;
}

#endif /* VIEWER_VIEW_CLOCK_H */
