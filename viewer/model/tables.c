/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/tables.h"

static bool refuse(struct table_page *page, const char *why)
{
    page->why = why;
    return false;
}

/* One table down; the one above is in page->pte. */
static bool descend(struct table_page *page, unsigned int index)
{
    lpae_t pte = page->pte[index % PT_ENTRIES];

    if (regime_kind(&page->r, pte, page->level) != KIND_TABLE)
        return refuse(page, "the entry above leads to no table any more");
    page->va += (uint64_t)index << regime_shift(&page->r, page->level);
    page->above |= pte;
    page->level++;
    page->table[page->level - page->r.start_level] =
        regime_output(&page->r, pte, page->r.page_shift);
    return true;
}

static bool fetch(struct table_memory *memory, struct table_page *page)
{
    uint64_t pa = page->table[page->level - page->r.start_level];
    unsigned int n = regime_entries(&page->r, page->level);
    char why[FAULT_TEXT_MAX];

    if (n > PT_ENTRIES)
        return refuse(page, "tables of 16K and 64K pages are not shown here: use walk");
    page->entries = n;
    if (memory->read(memory, pa, page->pte, n * sizeof(lpae_t), why))
        return refuse(page, "the table is outside RAM");
    return true;
}

void table_read(struct table_memory *memory, const struct stage *stage,
                const struct table_path *path, struct table_page *page)
{
    *page = (struct table_page){.path = *path, .r = stage->r, .level = stage->r.start_level};
    page->va = regime_base(&page->r);
    page->table[0] = stage->root;
    page->readable = fetch(memory, page);
    for (unsigned int i = 0; i < path->nr && page->readable; i++)
        page->readable =
            page->level < PT_LEVEL_LAST && descend(page, path->index[i]) && fetch(memory, page);
}
