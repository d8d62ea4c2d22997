/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a CPU's slots are spread: by count, and by distance from their home.
 */
#ifndef VIEWER_MODEL_STATS_H
#define VIEWER_MODEL_STATS_H

#include "model/mapcache.h"

#define SPREAD_REFS   16
#define SPREAD_PROBES 11 /* 0, 1, 2-3, 4-7, …, 512-1023 */

struct slot_spread {
    unsigned int refs[SPREAD_REFS];    /* valid slots by count */
    unsigned int probe[SPREAD_PROBES]; /* valid slots by distance */
};

void spread_slots(const struct machine *m, const struct cpu_snapshot *c, struct slot_spread *s);

/* Class of a distance; "2-3". */
unsigned int spread_class(unsigned int probe);
const char *spread_probe_name(unsigned int i);

#endif /* VIEWER_MODEL_STATS_H */
