/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where each CPU of a halted machine stands: out of what QEMU's monitor prints
 * for "info registers -a". Of a running CPU that is stale, and not asked for.
 */
#ifndef VIEWER_SOURCE_PLACES_H
#define VIEWER_SOURCE_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PLACES_COMMAND "info registers -a"
#define PLACES_MAX     64 /* CPUs */

struct cpu_place {
    bool known; /* false: not halted, in AArch32, or nobody could be asked */
    unsigned int el;
    uint64_t pc;
};

struct places {
    unsigned int nr; /* CPUs that were printed */
    struct cpu_place cpu[PLACES_MAX];
};

/* Reading it as it comes, in pieces of any length; escapes of JSON are passed over. */
struct place_scan {
    struct places *places;
    bool escaped, has_pc;
    int cpu; /* -1: none yet */
    uint64_t pc;
    size_t len;
    char word[32];
};

/* Begin; places is emptied. */
void place_scan_begin(struct place_scan *s, struct places *places);
void place_scan_add(struct place_scan *s, const char *text, size_t len);

#endif /* VIEWER_SOURCE_PLACES_H */
