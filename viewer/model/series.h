/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second by second account of the last minutes, from the beacon's counters.
 */
#ifndef VIEWER_MODEL_SERIES_H
#define VIEWER_MODEL_SERIES_H

#include "model/mapcache.h"

#define SERIES_KEPT 240 /* seconds */

/* All CPUs together, a second. */
struct series_second {
    uint64_t maps, unmaps, hits, commandeers, probes, bypasses;
    unsigned int in_use, cached; /* at its end */
};

struct series {
    uint64_t since; /* ns; 0: nothing yet */
    struct series_second totals;
    unsigned int nr;
    struct series_second second[SERIES_KEPT]; /* the newest last */
};

/* A new snapshot of the same boot. */
void series_sample(struct series *s, const struct snapshot *snap);

#endif /* VIEWER_MODEL_SERIES_H */
