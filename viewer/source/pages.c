/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/recording.h"

#include <stdlib.h>
#include <string.h>

/* Where pa is, or belongs. */
static unsigned int place(const struct page_set *set, uint64_t pa)
{
    unsigned int low = 0, high = set->nr;

    while (low < high) {
        unsigned int middle = (low + high) / 2;

        if (set->page[middle].pa < pa)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct page *page_find(const struct page_set *set, uint64_t pa)
{
    unsigned int at = place(set, pa);

    return at < set->nr && set->page[at].pa == pa ? &set->page[at] : NULL;
}

struct page *page_add(struct page_set *set, uint64_t pa)
{
    unsigned int at = place(set, pa);

    if (at < set->nr && set->page[at].pa == pa)
        return &set->page[at];
    if (set->nr == set->room) {
        unsigned int room = set->room ? set->room * 2 : 64;
        struct page *grown = realloc(set->page, room * sizeof(*grown));

        if (!grown)
            return NULL;
        set->page = grown;
        set->room = room;
    }
    memmove(&set->page[at + 1], &set->page[at], (set->nr - at) * sizeof(*set->page));
    set->nr++;
    memset(&set->page[at], 0, sizeof(set->page[at]));
    set->page[at].pa = pa;
    return &set->page[at];
}

void page_set_free(struct page_set *set)
{
    free(set->page);
    *set = (struct page_set){0};
}
