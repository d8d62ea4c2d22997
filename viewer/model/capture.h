/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pages that a later look needs: image header, beacon, tables, rings.
 */
#ifndef VIEWER_MODEL_CAPTURE_H
#define VIEWER_MODEL_CAPTURE_H

#include "model/mapcache.h"
#include "source/recording.h"

/* A snapshot stays below 10 MiB. */
#define CAPTURE_PAGES_MAX 2400

/*
 * Read them into set, which is emptied first. What is beyond CAPTURE_PAGES_MAX
 * is left out: rings of the last CPUs, then tables. 0, or -1 with f.
 */
int capture_pages(const struct source *src, const struct snapshot *snap, struct page_set *set,
                  struct failure *f);

/*
 * The same of what changes with every call, between two whole ones: beacon,
 * slots, what engines keep of them, rings.
 */
int capture_rings(const struct source *src, const struct snapshot *snap, struct page_set *set,
                  struct failure *f);

/* Of a ring of so many records, the newest that are kept: all, but of a tracer's. */
uint64_t capture_ring_entries(const struct machine *m, uint64_t entries);

/* What a recording's header says of this machine. */
struct recording_header capture_header(const struct source *src, const struct snapshot *snap);

#endif /* VIEWER_MODEL_CAPTURE_H */
