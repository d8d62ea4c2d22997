/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/walk.h"

static enum chain_end judge(const struct machine *m, const struct chain_entry *e)
{
    if (!pte_valid(e->pte))
        return CHAIN_INVALID;
    if (!pte_is_table(e->pte, e->level))
        return CHAIN_BLOCK;
    return machine_has_memory(m, e->next, PAGE_SIZE) ? CHAIN_TABLE : CHAIN_OUTSIDE;
}

/* Append the entry at index of the table; false if it cannot be read. */
static bool read_entry(const struct source *src, const struct machine *m, struct chain *chain,
                       struct chain_entry e)
{
    if (e.table % PAGE_SIZE || !machine_has_memory(m, e.table, PAGE_SIZE) ||
        source_read_u64(src, e.table + e.index * sizeof(lpae_t), &e.pte) != 0)
        return false;
    e.next = paddr_x(pte_paddr(e.pte));
    e.end = judge(m, &e);
    chain->entry[chain->nr++] = e;
    return e.end == CHAIN_TABLE;
}

unsigned int machine_l2_pages(const struct machine *m)
{
    return (m->beacon.domheap_entries + PT_ENTRIES - 1) / PT_ENTRIES;
}

void chain_read(const struct source *src, const struct machine *m, uint64_t root,
                struct chain *chain)
{
    struct chain_entry top = {.level = 0, .index = m->beacon.l0_index, .table = root};

    chain->nr = 0;
    if (!read_entry(src, m, chain, top))
        return;
    for (unsigned int i = 0; i < machine_l2_pages(m); i++) {
        struct chain_entry e = {.level = 1, .index = i, .table = chain->entry[0].next};

        read_entry(src, m, chain, e);
    }
}

uint64_t chain_l2(const struct chain *chain, unsigned int n)
{
    for (unsigned int i = 1; i < chain->nr; i++) {
        const struct chain_entry *e = &chain->entry[i];

        if (e->index == n && e->end == CHAIN_TABLE)
            return e->next;
    }
    return 0;
}
