/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracer/tables.h"
#include "tracer/guest.h"

#include <hvscope/pte.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define OFFSET_MASK  ((UINT64_C(1) << PAGE_SHIFT) - 1)
#define TABLES_MAX   65536                        /* 270 MiB of copies */
#define ROOT_PA_MASK UINT64_C(0x0000fffffffffffe) /* BADDR; [0] is CnP */

struct table {
    uint64_t pa; /* of the page */
    unsigned int level;
    unsigned int first, end; /* entries of the page that are the table's; a root may have few */
    unsigned int refs;       /* entries and root registers that point here */
    struct table *next_free;
    lpae_t entry[PT_ENTRIES];
};

/* Where a CPU's walk begins. */
struct root {
    struct table *table;
    uint64_t pa;
    unsigned int level, bits; /* of the VA, that are translated */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct table **table_of;   /* by the number of the frame; written under the lock */
static struct table *free_tables; /* never given back to the heap: another CPU may be looking */
static struct root roots[GUEST_CPUS_MAX];
static struct trace_totals *totals;

bool tables_init(struct trace_totals *t)
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

static struct table *table_at(uint64_t pa)
{
    struct table **place = place_of(pa);

    return place ? __atomic_load_n(place, __ATOMIC_ACQUIRE) : NULL;
}

bool tables_hold(uint64_t pa)
{
    return table_at(pa) != NULL;
}

static struct table *table_new(uint64_t pa, unsigned int level)
{
    struct table *t = free_tables;

    if (t)
        free_tables = t->next_free;
    else
        t = totals->tables < TABLES_MAX ? malloc(sizeof(*t)) : NULL;
    if (!t)
        return NULL;
    *t = (struct table){.pa = pa & ~OFFSET_MASK, .level = level, .end = PT_ENTRIES};
    return t;
}

static struct table *table_get(uint64_t pa, unsigned int level, unsigned int first,
                               unsigned int end);

static void take_entries(struct table *t, unsigned int first, unsigned int end)
{
    for (unsigned int i = first; i < end; i++) {
        t->entry[i] = guest_load(t->pa + i * sizeof(*t->entry));
        if (pte_is_table(t->entry[i], t->level))
            table_get(t->entry[i] & PTE_ADDR_MASK, t->level + 1, 0, PT_ENTRIES);
    }
}

/* One more points to the table at pa; entries first to end - 1 of its page are in use. */
static struct table *table_get(uint64_t pa, unsigned int level, unsigned int first,
                               unsigned int end)
{
    struct table **place = place_of(pa), *t = place ? *place : NULL;

    if (t) {
        t->refs++;
        if (first < t->first || end > t->end) {
            t->first = 0;
            t->end = PT_ENTRIES;
            take_entries(t, 0, PT_ENTRIES);
        }
        return t;
    }
    if (place)
        t = table_new(pa, level);
    if (!t) {
        totals->refused++;
        return NULL;
    }
    t->first = first;
    t->end = end;
    t->refs = 1;
    totals->tables++;
    __atomic_store_n(place, t, __ATOMIC_RELEASE);
    take_entries(t, first, end);
    return t;
}

static void table_put(struct table *t)
{
    if (!t || --t->refs)
        return;
    __atomic_store_n(place_of(t->pa), NULL, __ATOMIC_RELEASE);
    for (unsigned int i = t->first; i < t->end; i++) {
        if (pte_is_table(t->entry[i], t->level))
            table_put(table_at(t->entry[i] & PTE_ADDR_MASK));
    }
    totals->tables--;
    t->next_free = free_tables;
    free_tables = t;
}

/* Where the walk of `bits` bits of VA begins: each level takes 9 of those above the page. */
static struct root root_of(uint64_t pa, uint64_t tcr, bool aarch32)
{
    unsigned int t0sz = tcr & (aarch32 ? 7 : 63);
    unsigned int bits = (aarch32 ? 32 : 64) - t0sz;

    bits = bits > 48 ? 48 : bits;
    return (struct root){
        .pa = pa & ROOT_PA_MASK,
        .bits = bits,
        .level = PT_LEVEL_LAST - (bits - PAGE_SHIFT - 1) / PT_SHIFT,
    };
}

void tables_set_root(unsigned int cpu, uint64_t root, uint64_t tcr, bool aarch32)
{
    struct root r = root_of(root, tcr, aarch32), *now = &roots[cpu];
    unsigned int first = (r.pa & OFFSET_MASK) / sizeof(lpae_t);
    unsigned int nr = 1u << (r.bits - pt_level_shift(r.level));
    struct table *was = now->table;

    pthread_mutex_lock(&lock);
    r.table = table_get(r.pa, r.level, first, first + nr > PT_ENTRIES ? PT_ENTRIES : first + nr);
    *now = r;
    table_put(was);
    pthread_mutex_unlock(&lock);
}

/* What an entry becomes by the bytes of a store that fall into it. */
static uint64_t merged(uint64_t entry, uint64_t entry_pa, uint64_t pa, unsigned int size,
                       const uint64_t value[2])
{
    uint8_t bytes[sizeof(entry)];

    memcpy(bytes, &entry, sizeof(entry));
    for (unsigned int i = 0; i < sizeof(entry); i++) {
        if (entry_pa + i - pa < size)
            bytes[i] = ((const uint8_t *)value)[entry_pa + i - pa];
    }
    memcpy(&entry, bytes, sizeof(entry));
    return entry;
}

static void table_store(struct table *t, const struct table_store *s)
{
    struct table *was = NULL;

    if (pte_is_table(s->old, t->level))
        was = table_at(s->old & PTE_ADDR_MASK);
    t->entry[(s->pa & OFFSET_MASK) / sizeof(s->new)] = s->new;
    if (pte_is_table(s->new, t->level))
        table_get(s->new &PTE_ADDR_MASK, t->level + 1, 0, PT_ENTRIES);
    table_put(was);
}

unsigned int tables_store(uint64_t pa, unsigned int size, const uint64_t value[2],
                          struct table_store stores[TABLE_STORES_MAX])
{
    unsigned int nr = 0;

    pthread_mutex_lock(&lock);
    for (uint64_t at = pa & ~UINT64_C(7); at < pa + size && nr < TABLE_STORES_MAX; at += 8) {
        struct table *t = table_at(at);
        unsigned int index = (at & OFFSET_MASK) / 8;
        struct table_store *s = &stores[nr];

        if (!t || index < t->first || index >= t->end)
            continue;
        *s = (struct table_store){.pa = at, .old = t->entry[index], .level = t->level};
        s->new = merged(s->old, at, pa, size, value);
        table_store(t, s);
        nr++;
    }
    pthread_mutex_unlock(&lock);
    return nr;
}

bool tables_walk(unsigned int cpu, uint64_t va, unsigned int level, uint64_t *pa, uint64_t *entry)
{
    const struct root *r = &roots[cpu];
    const struct table *t = r->table;
    unsigned int index;
    bool found = false;

    pthread_mutex_lock(&lock);
    for (unsigned int at = r->level; t; at++) {
        index = pt_index(va, at);
        index += at == r->level ? (r->pa & OFFSET_MASK) / 8 : 0;
        found = at == level && index < PT_ENTRIES;
        if (found || index >= PT_ENTRIES || !pte_is_table(t->entry[index], at))
            break;
        t = table_at(t->entry[index] & PTE_ADDR_MASK);
    }
    if (found) {
        *pa = t->pa + index * sizeof(*entry);
        *entry = t->entry[index];
    }
    pthread_mutex_unlock(&lock);
    return found;
}
