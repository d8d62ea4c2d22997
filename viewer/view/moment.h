/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory at the moment that a frozen picture shows: tables as of the pause, slots as of the
 * snapshot, which may be an earlier one. While nothing is frozen it is the target's own, and so it
 * is of a target that stands still by itself: a recording, a machine that our own gdb connection
 * halts.
 */
#ifndef VIEWER_VIEW_MOMENT_H
#define VIEWER_VIEW_MOMENT_H

#include "model/mapcache.h"
#include "source/kept.h"

struct moment {
    bool frozen;
    bool still; /* the target does not change meanwhile */
    bool whole; /* all that the views read was copied */
    struct page_set pages;
    struct kept kept;
};

/* Copy what the views read. A shared source is too slow for that: it stays the machine's own. */
void moment_freeze(struct moment *m, const struct source *src, const struct snapshot *snap);
void moment_leave(struct moment *m);

/*
 * To be read from, until the next call; src: the machine, NULL if it has gone; snap: what is on the
 * screen. NULL: there is nothing to read. moment_is_live() tells afterwards.
 */
const struct source *moment_memory(struct moment *m, const struct source *src,
                                   const struct snapshot *snap);

/* Was something read that is not of the frozen moment? */
bool moment_is_live(const struct moment *m);

#endif /* VIEWER_VIEW_MOMENT_H */
