/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/ranges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLES_MAX (1u << 14) /* 64 MiB of tables: more are not believed */

struct scan {
    struct table_memory *memory;
    const struct regime *r;
    const struct machine *regions;
    struct ranges *list;
    struct failure *f;
};

/* One text may come from two places. */
static bool is_domheap(const struct range *range)
{
    return range->region && strcmp(range->region, "domheap") == 0;
}

static bool continues(const struct range *a, const struct range *b)
{
    return a->va + a->size == b->va && a->pa + a->size == b->pa && a->level == b->level &&
           attributes_same(&a->a, &b->a) && a->region == b->region && !is_domheap(b);
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

/* In the order in which they were met; of a guest's tables each may have its own words. */
static void add_fault(struct scan *s, const char *why)
{
    struct ranges *list = s->list;
    unsigned int i = 0;

    while (i < list->faults && strcmp(list->fault[i].why, why) != 0)
        i++;
    if (i == RANGE_FAULTS_MAX)
        i--;
    if (i == list->faults) {
        snprintf(list->fault[i].why, sizeof(list->fault[i].why), "%s", why);
        list->fault[i].entries = 0;
        list->faults++;
    }
    list->fault[i].entries++;
}

static int add_leaf(struct scan *s, uint64_t va, int level, enum pte_kind kind, lpae_t above,
                    lpae_t pte)
{
    unsigned int shift = regime_shift(s->r, level);
    struct range range = {
        .va = va,
        .size = UINT64_C(1) << shift,
        .pa = regime_output(s->r, pte, shift),
        .level = level,
        .leaves = 1,
        .region = s->regions ? machine_region(s->regions, va) : NULL,
    };
    const char *fault = leaf_fault(s->r, kind, pte, range.pa);

    if (fault) {
        add_fault(s, fault);
        return 0;
    }
    leaf_attributes(s->r, above, pte, &range.a);
    return add(s, &range);
}

static int scan_table(struct scan *s, uint64_t table, int level, uint64_t va, lpae_t above);

static int scan_entry(struct scan *s, lpae_t pte, int level, uint64_t va, lpae_t above)
{
    enum pte_kind kind = regime_kind(s->r, pte, level);
    uint64_t table;

    if (kind == KIND_INVALID)
        return 0;
    if (kind != KIND_TABLE)
        return add_leaf(s, va, level, kind, above, pte);
    table = regime_output(s->r, pte, s->r->page_shift);
    if (!(table >> s->r->out_bits))
        return scan_table(s, table, level + 1, va, above | pte);
    add_fault(s, "address size");
    return 0;
}

static int scan_table(struct scan *s, uint64_t table, int level, uint64_t va, lpae_t above)
{
    unsigned int n = regime_entries(s->r, level);
    char why[FAULT_TEXT_MAX];
    lpae_t *entries;
    int ret = 0;

    if (s->list->tables++ >= TABLES_MAX)
        return failure_set(s->f, EXIT_NOT_UNDERSTOOD,
                           "the tables are more than 16384, or lead round in circles: "
                           "walk single addresses");
    entries = malloc(n * sizeof(*entries));
    if (!entries)
        return failure_set(s->f, EXIT_NO_TARGET, "out of memory");
    if (s->memory->read(s->memory, table, entries, n * sizeof(*entries), why)) {
        add_fault(s, why);
        n = 0;
    }
    for (unsigned int i = 0; i < n && ret == 0; i++)
        ret = scan_entry(s, entries[i], level, va + ((uint64_t)i << regime_shift(s->r, level)),
                         above);
    free(entries);
    return ret;
}

int ranges_read(struct table_memory *memory, const struct stage *stage,
                const struct machine *regions, struct ranges *list, struct failure *f)
{
    const struct regime *r = &stage->r;
    struct scan s = {memory, r, regions, list, f};
    int ret = regime_check_root(r, stage->root, f);

    if (ret == 0 && !r->epd && stage->root >> r->out_bits)
        add_fault(&s, "address size");
    else if (ret == 0 && !r->epd)
        ret = scan_table(&s, stage->root, r->start_level, regime_base(r), 0);
    if (ret)
        ranges_free(list);
    return ret;
}

void ranges_free(struct ranges *list)
{
    free(list->range);
    *list = (struct ranges){0};
}
