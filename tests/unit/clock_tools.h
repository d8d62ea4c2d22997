/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the viewer says of an index of engine clock: apart, since it and the image have the same
 * names for other things. */
#ifndef TESTS_UNIT_CLOCK_TOOLS_H
#define TESTS_UNIT_CLOCK_TOOLS_H

#include <hvscope/clock.h>
#include <stdbool.h>

struct told {
    bool known; /* false: the index leads astray */
    const char *verdict;
    unsigned int slot, refs, reserve, nr_flushed, nr_victims;
    uint16_t victim[DOMHEAP_ENTRIES];
};

/* What map_domain_page(mfn) is said to do. */
void tools_explain(const struct clock_index *c, const lpae_t *pte, uint64_t mfn, struct told *told);

/* How many faults it is said to have, and the first one's text; each has one. */
unsigned int tools_check(const struct clock_index *c, const lpae_t *pte, char text[112]);

#endif /* TESTS_UNIT_CLOCK_TOOLS_H */
