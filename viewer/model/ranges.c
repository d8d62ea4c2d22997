/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/ranges.h"

#include <stdlib.h>
#include <string.h>

#define TABLES_MAX (1u << 14) /* 64 MiB of tables: more are not believed */

struct scan {
    const struct source *src;
    const struct machine *m;
    const struct regime *r;
    struct ranges *list;
    struct failure *f;
};

static const struct region {
    uint64_t va, size;
    const char *name;
} regions[] = {
    {0, IDENTITY_VIRT_END, "identity"},
    {XEN_VIRT_START, XEN_VIRT_SIZE, "image"},
    {FIXMAP_VIRT_START, FIXMAP_VIRT_SIZE, "fixmap"},
    {BOOT_FDT_VIRT_START, BOOT_FDT_VIRT_SIZE, "fdt"},
    {VMAP_VIRT_START, VMAP_VIRT_SIZE, "vmap"},
    {FRAMETABLE_VIRT_START, FRAMETABLE_SIZE, "frametable"},
    {DIRECTMAP_VIRT_START, DIRECTMAP_SIZE, "directmap"},
};

const char *region_name(const struct machine *m, uint64_t va)
{
    const struct beacon *b = &m->beacon;

    if (va >= b->domheap_va && va - b->domheap_va < b->domheap_size)
        return "domheap";
    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
        if (va >= regions[i].va && va - regions[i].va < regions[i].size)
            return regions[i].name;
    }
    return NULL;
}

/* One text may come from two places. */
static bool is_domheap(const struct range *range)
{
    return range->region && strcmp(range->region, "domheap") == 0;
}

static bool continues(const struct range *a, const struct range *b)
{
    return a->va + a->size == b->va && a->pa + a->size == b->pa && a->level == b->level &&
           strcmp(a->perm, b->perm) == 0 && strcmp(a->type, b->type) == 0 && a->share == b->share &&
           a->software == b->software && a->region == b->region && !is_domheap(b);
}

static int add(struct scan *s, const struct range *range)
{
    struct ranges *list = s->list;
    struct range *last = list->nr ? &list->range[list->nr - 1] : NULL;

    if (last && continues(last, range)) {
        last->size += range->size;
        last->leaves++;
        return 0;
    }
    if (list->nr == list->room) {
        unsigned int room = list->room ? list->room * 2 : 256;
        struct range *grown = realloc(list->range, room * sizeof(*grown));

        if (!grown)
            return failure_set(s->f, EXIT_NO_TARGET, "out of memory");
        list->range = grown;
        list->room = room;
    }
    list->range[list->nr++] = *range;
    return 0;
}

static int add_leaf(struct scan *s, uint64_t va, int level, lpae_t above, lpae_t pte)
{
    unsigned int shift = regime_shift(s->r, level);
    struct range range = {
        .va = va,
        .size = UINT64_C(1) << shift,
        .pa = regime_output(s->r, pte, shift),
        .level = level,
        .leaves = 1,
        .share = regime_share(s->r, pte),
        .software = pte_refs(pte),
        .region = region_name(s->m, va),
    };

    regime_permissions(s->r, above, pte, range.perm);
    regime_memory_type(s->r, pte, range.type, sizeof(range.type));
    return add(s, &range);
}

static bool readable(const struct scan *s, uint64_t table, size_t size, lpae_t *entries)
{
    return !(table >> s->r->out_bits) && machine_has_memory(s->m, table, size) &&
           source_read_phys(s->src, table, entries, size) == 0;
}

static int scan_table(struct scan *s, uint64_t table, int level, uint64_t va, lpae_t above)
{
    unsigned int n = regime_entries(s->r, level);
    lpae_t *entries;
    int ret = 0;

    if (s->list->tables++ >= TABLES_MAX)
        return failure_set(s->f, EXIT_NOT_UNDERSTOOD,
                           "the tables are more than 16384, or lead round in circles: "
                           "walk single addresses");
    entries = malloc(n * sizeof(*entries));
    if (!entries)
        return failure_set(s->f, EXIT_NO_TARGET, "out of memory");
    if (!readable(s, table, n * sizeof(*entries), entries)) {
        s->list->faults++;
        n = 0;
    }
    for (unsigned int i = 0; i < n && ret == 0; i++) {
        uint64_t at = va + ((uint64_t)i << regime_shift(s->r, level));
        enum pte_kind kind = regime_kind(s->r, entries[i], level);

        if (kind == KIND_TABLE)
            ret = scan_table(s, regime_output(s->r, entries[i], s->r->page_shift), level + 1, at,
                             above | entries[i]);
        else if (kind == KIND_BLOCK || kind == KIND_PAGE)
            ret = add_leaf(s, at, level, above, entries[i]);
    }
    free(entries);
    return ret;
}

int ranges_read(const struct source *src, const struct machine *m, const struct regime *r,
                uint64_t root, struct ranges *list, struct failure *f)
{
    struct scan s = {src, m, r, list, f};

    *list = (struct ranges){0};
    if (regime_check_root(r, root, f))
        return -1;
    if (scan_table(&s, root, r->start_level, 0, 0)) {
        ranges_free(list);
        return -1;
    }
    return 0;
}

void ranges_free(struct ranges *list)
{
    free(list->range);
    *list = (struct ranges){0};
}
