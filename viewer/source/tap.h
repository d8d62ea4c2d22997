/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A source that keeps a copy of every page that is read through it.
 */
#ifndef VIEWER_SOURCE_TAP_H
#define VIEWER_SOURCE_TAP_H

#include "source/recording.h"

struct tap {
    struct source src; /* to be read through */
    const struct source *below;
    struct page_set *set;
};

/* What is in set already stays as it is. below and set must outlive it. */
struct tap source_tap(const struct source *below, struct page_set *set);

#endif /* VIEWER_SOURCE_TAP_H */
