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

/* A root at level 1 (arm32) leads to the slots itself. */
void chain_read(const struct source *src, const struct machine *m, uint64_t root,
                struct chain *chain)
{
    const struct beacon *b = &m->beacon;
    struct chain_entry e = {
        .level = b->root_level, .index = b->l0_index, .page = -1, .table = root};

    chain->nr = 0;
    if (b->root_level == 0) {
        if (!read_entry(src, m, chain, e))
            return;
        e = (struct chain_entry){.level = 1, .table = chain->entry[0].next};
    }
    for (unsigned int i = 0; i < machine_l2_pages(m); i++, e.index++) {
        e.page = (int)i;
        read_entry(src, m, chain, e);
    }
}

uint64_t chain_l2(const struct chain *chain, unsigned int n)
{
    for (unsigned int i = 0; i < chain->nr; i++) {
        const struct chain_entry *e = &chain->entry[i];

        if (e->page == (int)n && e->end == CHAIN_TABLE)
            return e->next;
    }
    return 0;
}
