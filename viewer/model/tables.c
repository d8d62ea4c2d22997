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

static bool fetch(const struct source *src, const struct machine *m, struct table_page *page)
{
    uint64_t pa = page->table[page->level - page->r.start_level];
    unsigned int n = regime_entries(&page->r, page->level);

    if (n > PT_ENTRIES)
        return refuse(page, "tables of 16K and 64K pages are not shown here: use walk");
    page->entries = n;
    if (!machine_has_memory(m, pa, n * sizeof(lpae_t)) ||
        source_read_phys(src, pa, page->pte, n * sizeof(lpae_t)) != 0)
        return refuse(page, "the table is outside RAM");
    return true;
}

void table_read(const struct source *src, const struct machine *m, uint64_t root,
                const struct table_path *path, struct table_page *page)
{
    struct failure f;

    *page = (struct table_page){.path = *path};
    if (regime_of_machine(&page->r, m, &f) || page->r.start_level < 0) {
        refuse(page, "the translation regime is not understood");
        return;
    }
    page->level = page->r.start_level;
    page->table[0] = root;
    page->readable = fetch(src, m, page);
    for (unsigned int i = 0; i < path->nr && page->readable; i++)
        page->readable =
            page->level < PT_LEVEL_LAST && descend(page, path->index[i]) && fetch(src, m, page);
}
