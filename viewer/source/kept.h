/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source of pages that were copied at one moment, and of the machine itself for what was not.
 */
#ifndef VIEWER_SOURCE_KEPT_H
#define VIEWER_SOURCE_KEPT_H

#include "source/recording.h"

struct kept {
    struct source src; /* to be read through */
    const struct source *below;
    const struct page_set *set;
    bool live; /* something was read that set does not have: it is not of that moment */
};

/* set must outlive it, and so must below; below may be NULL: the machine has gone. */
struct kept source_kept(const struct source *below, const struct page_set *set);

#endif /* VIEWER_SOURCE_KEPT_H */
