/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracer/pages.h"
#include "tracer/guest.h"

#include <stdlib.h>

#define OFFSET_MASK ((UINT64_C(1) << PAGE_SHIFT) - 1)
#define TABLES_MAX  65536 /* 270 MiB of copies */
#define NOWHERE     UINT64_MAX

struct space el2_space = {.regime = TRACE_REGIME_EL2, .known = true, .cpus = 1};

static uint64_t visits; /* the number of the last walk over tables */
/* Of tables that one pointer less leads to: who has them still is found out when it matters. */
static struct space unsettled[] = {[TRACE_REGIME_EL2] = {.regime = TRACE_REGIME_EL2},
                                   [TRACE_REGIME_S2] = {.regime = TRACE_REGIME_S2},
                                   [TRACE_REGIME_EL1] = {.regime = TRACE_REGIME_EL1}};
static struct table **table_of;   /* by the number of the frame; written under the lock */
static struct table *free_tables; /* never given back to the heap: another CPU may be looking */
static struct trace_totals *totals;

bool pages_init(struct trace_totals *t)
{
    totals = t;
    /* An array of pointers. NOLINTNEXTLINE(bugprone-sizeof-expression) */
    table_of = calloc(guest_frames(), sizeof(*table_of));
    return table_of != NULL;
}

/* The place of pa's frame in table_of, NULL outside RAM. */
static struct table **place_of(uint64_t pa)
{
    const struct guest_bank *bank = guest_bank_of(pa);

    if (!bank)
        return NULL;
    return &table_of[guest_frames_before(bank) + ((pa - bank->base) >> PAGE_SHIFT)];
}

struct table *page_at(uint64_t pa)
{
    struct table **place = place_of(pa);

    return place ? __atomic_load_n(place, __ATOMIC_ACQUIRE) : NULL;
}

/* A new one, of this page, without entries; NULL without memory for it. */
static struct table *table_new(uint64_t pa)
{
    struct table *t = free_tables;

    if (t)
        free_tables = t->next_free;
    else
        t = totals->tables < TABLES_MAX ? malloc(sizeof(*t)) : NULL;
    if (!t)
        return NULL;
    *t = (struct table){.pa = pa & ~OFFSET_MASK};
    return t;
}

const struct table *pages_walk(const struct root *root, uint64_t va, unsigned int last,
                               unsigned int *index, unsigned int *level)
{
    unsigned int shift = pt_level_shift(root->level);
    uint64_t at = (root->pa & OFFSET_MASK) / sizeof(lpae_t) + (va >> shift);
    const struct table *t;

    if (!root->bits || va >> root->bits)
        return NULL;
    *level = root->level;
    t = root->page[at / PT_ENTRIES];
    *index = at % PT_ENTRIES;
    while (t && *level < last && pte_is_table(t->entry[*index], *level)) {
        t = t->next ? t->next[*index] : NULL;
        *index = pt_index(va, ++*level);
    }
    return t;
}

/* Of an address that an entry or a root has; NOWHERE if stage 2 maps nothing there. */
static uint64_t space_pa(const struct space *space, uint64_t address)
{
    const struct table *t;
    unsigned int index, level;
    uint64_t mask;

    if (!space->stage2)
        return address;
    t = pages_walk(&space->stage2->root, address, PT_LEVEL_LAST, &index, &level);
    if (!t || !pte_is_leaf(t->entry[index], level))
        return NOWHERE;
    mask = (UINT64_C(1) << pt_level_shift(level)) - 1;
    return (t->entry[index] & PTE_ADDR_MASK & ~mask) | (address & mask);
}

static struct table *table_get(uint64_t pa, struct space *space, unsigned int level,
                               unsigned int first, unsigned int end);
static void table_put(struct table *t);

static void get_next(struct table *t, unsigned int i)
{
    lpae_t entry = t->entry[i];
    struct table *next;

    if (!pte_is_table(entry, t->level))
        return;
    next =
        table_get(space_pa(t->space, entry & PTE_ADDR_MASK), t->space, t->level + 1, 0, PT_ENTRIES);
    if (next && !t->next)
        t->next = calloc(PT_ENTRIES, sizeof(struct table *));
    if (t->next)
        t->next[i] = next;
    else
        table_put(next);
}

static void take_entries(struct table *t, unsigned int first, unsigned int end)
{
    for (unsigned int i = first; i < end; i++) {
        t->entry[i] = guest_load(t->pa + i * sizeof(*t->entry));
        get_next(t, i);
    }
}

static void put_entries(struct table *t)
{
    struct table **next = t->next;

    t->next = NULL;
    for (unsigned int i = 0; next && i < PT_ENTRIES; i++)
        table_put(next[i]);
    free(next);
}

/* More of the page's entries are in use than was known. */
static void table_widen(struct table *t, unsigned int first, unsigned int end)
{
    unsigned int was_first = t->first, was_end = t->end;

    if (first >= was_first && end <= was_end)
        return;
    t->first = 0;
    t->end = PT_ENTRIES;
    take_entries(t, 0, was_first);
    take_entries(t, was_end, PT_ENTRIES);
}

/* It is another's from now on: what it points to is so too. */
static void table_take_over(struct table *t, struct space *space, unsigned int level)
{
    put_entries(t);
    t->space = space;
    t->level = level;
    take_entries(t, t->first, t->end);
}

/* The table at pa, to which one more points now; NULL if there is none yet. */
static struct table *table_known(uint64_t pa, struct space *space, unsigned int level)
{
    struct table *t = table_in_use(pa);

    if (!t)
        return NULL;
    t->refs++; /* before its entries are put: they may lead back to it */
    if (space->regime < t->space->regime)
        table_take_over(t, space, level);
    return t;
}

/* One more points to the table at pa; entries first to end - 1 of its page are in use. */
static struct table *table_get(uint64_t pa, struct space *space, unsigned int level,
                               unsigned int first, unsigned int end)
{
    struct table *t = table_known(pa, space, level);

    if (t) {
        table_widen(t, first, end);
        return t;
    }
    if (guest_bank_of(pa))
        t = table_new(pa);
    if (!t) {
        totals->refused += space->regime != TRACE_REGIME_EL1; /* a guest may write anything */
        return NULL;
    }
    t->space = space;
    t->level = level;
    t->first = first;
    t->end = end;
    t->refs = 1;
    totals->tables++;
    __atomic_store_n(place_of(pa), t, __ATOMIC_RELEASE);
    take_entries(t, first, end);
    return t;
}

/* Each table from t on down, once, until f says true. */
static bool any_below(struct table *t, uint64_t visit,
                      bool (*f)(struct table *t, const struct table *wanted),
                      const struct table *wanted)
{
    if (!t || t->visit == visit)
        return false;
    t->visit = visit;
    if (f(t, wanted))
        return true;
    for (unsigned int i = 0; t->next && i < PT_ENTRIES; i++) {
        if (any_below(t->next[i], visit, f, wanted))
            return true;
    }
    return false;
}

static bool is_wanted(struct table *t, const struct table *wanted)
{
    return t == wanted;
}

static bool unsettle(struct table *t, const struct table *wanted)
{
    (void)wanted;
    t->space = &unsettled[t->space->regime];
    return false;
}

static void table_put(struct table *t)
{
    if (!t)
        return;
    if (--t->refs) {
        any_below(t, ++visits, unsettle, NULL);
        return;
    }
    __atomic_store_n(place_of(t->pa), NULL, __ATOMIC_RELEASE);
    put_entries(t);
    totals->tables--;
    t->next_free = free_tables;
    free_tables = t;
}

bool pages_reach(const struct root *root, const struct table *t)
{
    visits++;
    for (unsigned int i = 0; i < ROOT_PAGES; i++) {
        if (any_below(root->page[i], visits, is_wanted, t))
            return true;
    }
    return false;
}

void pages_get(struct space *space, struct root *root)
{
    unsigned int first = (root->pa & OFFSET_MASK) / sizeof(lpae_t);
    unsigned int end = first + (1u << (root->bits - pt_level_shift(root->level)));
    uint64_t page = root->pa & ~OFFSET_MASK;

    for (unsigned int i = 0; end && i < ROOT_PAGES; i++, page += PAGE_SIZE) {
        unsigned int here = end < PT_ENTRIES ? end : PT_ENTRIES;

        root->page[i] = table_get(space_pa(space, page), space, root->level, first, here);
        first = 0;
        end -= here;
    }
}

void pages_put(struct root *root)
{
    for (unsigned int i = 0; i < ROOT_PAGES; i++) {
        table_put(root->page[i]);
        root->page[i] = NULL;
    }
}

void page_store(struct table *t, unsigned int index, lpae_t new)
{
    struct table *was = t->next ? t->next[index] : NULL;

    if (was)
        t->next[index] = NULL;
    t->entry[index] = new;
    get_next(t, index);
    table_put(was);
}
