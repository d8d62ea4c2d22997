/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does a CPU's clock index hold together? Written apart from the tools' answer to the same
 * question. */
#ifndef TESTS_UNIT_CLOCK_INDEX_H
#define TESTS_UNIT_CLOCK_INDEX_H

#include <hvscope/clock.h>
#include <stdio.h>

static inline const char *clock_index_fault(const struct clock_index *c, const lpae_t *map)
{
    static char fault[80];
    unsigned int linked[DOMHEAP_ENTRIES] = {0}, listed[DOMHEAP_ENTRIES] = {0};

    for (unsigned int h = 0; h < CLOCK_HEADS; h++) {
        for (unsigned int s = c->head[h], n = 0; s != CLOCK_END; s = c->next[s], n++) {
            if (s > CLOCK_END || n > DOMHEAP_ENTRIES || clock_hash(c->block[s]) != h)
                return "a chain is broken";
            linked[s]++;
        }
    }
    if (c->nr_free + c->nr_owed > DOMHEAP_ENTRIES)
        return "more slots free and owed than there are";
    if (c->hand >= DOMHEAP_ENTRIES || c->hand % CLOCK_STATES_SLOTS || c->last >= DOMHEAP_ENTRIES)
        return "no such slot";
    for (unsigned int i = 0; i < DOMHEAP_ENTRIES; i++) {
        if ((i < c->nr_free || i + c->nr_owed >= DOMHEAP_ENTRIES) && c->free[i] >= DOMHEAP_ENTRIES)
            return "no such slot on the stack";
    }
    for (unsigned int i = 0; i < c->nr_free; i++)
        listed[c->free[i]]++;
    for (unsigned int i = DOMHEAP_ENTRIES - c->nr_owed; i < DOMHEAP_ENTRIES; i++)
        listed[c->free[i]] += 2;
    for (unsigned int s = 0; s < DOMHEAP_ENTRIES; s++) {
        unsigned int place = c->state[s] == CLOCK_FREE ? 1 : c->state[s] == CLOCK_OWED ? 2 : 0;

        snprintf(fault, sizeof(fault), "slot %u: state %u, entry 0x%lx, linked %u, listed %u", s,
                 c->state[s], (unsigned long)map[s], linked[s], listed[s]);
        if (linked[s] != (c->state[s] != CLOCK_FREE) || listed[s] != place ||
            pte_valid(map[s]) != (place == 0) || (place && map[s]) || c->state[s] > CLOCK_OWED)
            return fault;
        if (pte_valid(map[s]) && pte_mfn(map[s]).mfn >> SLOT_MFN_SHIFT != c->block[s])
            return fault;
    }
    return NULL;
}

#endif /* TESTS_UNIT_CLOCK_INDEX_H */
