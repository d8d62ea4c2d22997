/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracer/tables.h"
#include "tracer/guest.h"

#include <hvscope/pte.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define OFFSET_MASK         ((UINT64_C(1) << PAGE_SHIFT) - 1)
#define TABLES_MAX          65536                        /* 270 MiB of copies */
#define ROOT_PA_MASK        UINT64_C(0x0000fffffffffffe) /* BADDR; [0] is CnP */
#define STAGE2_CONCATENATED 4 /* bits that are translated by up to 16 pages together */
#define VMS_MAX             (GUEST_CPUS_MAX + 16)

/* Where a walk begins: in one page, or at stage 2 in up to 16, one behind the other. */
struct root {
    uint64_t pa;
    unsigned int level, bits; /* of the VA or IPA, that are translated */
};

/*
 * A stage 2. While no CPU's VTTBR_EL2 points to it, it is kept only until something is
 * stored there: its pages may have become anything.
 */
struct vm {
    struct root root;
    bool known;
    unsigned int cpus; /* whose VTTBR_EL2 points to it */
    uint64_t used;     /* when one did last, as a number */
};

struct table {
    uint64_t pa;   /* of the page */
    struct vm *vm; /* NULL: EL2's */
    unsigned int level;
    unsigned int first, end; /* entries of the page that are the table's; a root may have few */
    unsigned int refs;       /* entries and root registers that point here */
    struct table *next_free;
    lpae_t entry[PT_ENTRIES];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct table **table_of;   /* by the number of the frame; written under the lock */
static struct table *free_tables; /* never given back to the heap: another CPU may be looking */
static struct root roots[GUEST_CPUS_MAX]; /* EL2's; bits is 0 without one */
static struct vm vms[VMS_MAX], *vm_of[GUEST_CPUS_MAX];
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

static void table_get(uint64_t pa, struct vm *vm, unsigned int level, unsigned int first,
                      unsigned int end);
static void table_put(struct table *t);
static void vm_forget(struct vm *vm);

static void take_entries(struct table *t, unsigned int first, unsigned int end)
{
    for (unsigned int i = first; i < end; i++) {
        t->entry[i] = guest_load(t->pa + i * sizeof(*t->entry));
        if (pte_is_table(t->entry[i], t->level))
            table_get(t->entry[i] & PTE_ADDR_MASK, t->vm, t->level + 1, 0, PT_ENTRIES);
    }
}

static void put_entries(struct table *t)
{
    for (unsigned int i = t->first; i < t->end; i++) {
        if (pte_is_table(t->entry[i], t->level))
            table_put(table_at(t->entry[i] & PTE_ADDR_MASK));
    }
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
static void table_take_over(struct table *t, struct vm *vm, unsigned int level)
{
    put_entries(t);
    t->vm = vm;
    t->level = level;
    take_entries(t, t->first, t->end);
}

/* The table at pa, for one more that points to it; NULL if there is none yet. */
static struct table *table_known(uint64_t pa, struct vm *vm, unsigned int level)
{
    struct table *t = table_at(pa);
    bool is_left = t && t->vm && t->vm != vm && !t->vm->cpus;

    if (is_left) {
        vm_forget(t->vm);
        t = table_at(pa);
    }
    if (t && t->vm && t->vm != vm && (is_left || !vm)) /* EL2's are what is judged */
        table_take_over(t, vm, level);
    return t;
}

/* One more points to the table at pa; entries first to end - 1 of its page are in use. */
static void table_get(uint64_t pa, struct vm *vm, unsigned int level, unsigned int first,
                      unsigned int end)
{
    struct table *t = table_known(pa, vm, level);

    if (t) {
        t->refs++;
        table_widen(t, first, end);
        return;
    }
    if (guest_bank_of(pa))
        t = table_new(pa);
    if (!t) {
        totals->refused++;
        return;
    }
    t->vm = vm;
    t->level = level;
    t->first = first;
    t->end = end;
    t->refs = 1;
    totals->tables++;
    __atomic_store_n(place_of(pa), t, __ATOMIC_RELEASE);
    take_entries(t, first, end);
}

static void table_put(struct table *t)
{
    if (!t || --t->refs)
        return;
    __atomic_store_n(place_of(t->pa), NULL, __ATOMIC_RELEASE);
    put_entries(t);
    totals->tables--;
    t->next_free = free_tables;
    free_tables = t;
}

/*
 * Where the walk of `bits` bits of VA begins: each level takes 9 of those above the page.
 * bits is 0 if there are fewer than any implementation takes (16, FEAT_TTST).
 */
static struct root root_of(uint64_t pa, uint64_t tcr, bool aarch32)
{
    unsigned int t0sz = tcr & (aarch32 ? 7 : 63);
    unsigned int bits = (aarch32 ? 32 : 64) - t0sz;

    if (bits < 16)
        return (struct root){.pa = pa & ROOT_PA_MASK};
    bits = bits > 48 ? 48 : bits;
    return (struct root){
        .pa = pa & ROOT_PA_MASK,
        .bits = bits,
        .level = PT_LEVEL_LAST - (bits - PAGE_SHIFT - 1) / PT_SHIFT,
    };
}

/* Of stage 2, which says at which level it begins; bits is 0 if that cannot be (D8.2). */
static struct root stage2_root_of(uint64_t vttbr, uint64_t vtcr, bool aarch32)
{
    static const unsigned int levels[] = {2, 1, 0, 3}; /* by SL0 */
    unsigned int t0sz = vtcr & 63, sl0 = vtcr >> 6 & 3;
    struct root r = {.pa = vttbr & ROOT_PA_MASK, .level = levels[sl0]};

    if (aarch32) /* T0SZ is [3:0], with a sign */
        r.bits = 32 - ((int)((vtcr & 15) ^ 8) - 8);
    else
        r.bits = 64 - t0sz;
    if (r.bits > 48 || r.bits <= pt_level_shift(r.level) ||
        r.bits > pt_level_shift(r.level) + PT_SHIFT + STAGE2_CONCATENATED || (aarch32 && sl0 > 1))
        r.bits = 0;
    return r;
}

/* The pages in which a walk begins, one after the other: get what is there, or put it. */
static void root_change(const struct root *r, struct vm *vm, bool get)
{
    unsigned int first = (r->pa & OFFSET_MASK) / sizeof(lpae_t);
    unsigned int end = first + (1u << (r->bits - pt_level_shift(r->level)));
    uint64_t page = r->pa & ~OFFSET_MASK;

    for (; end; page += PAGE_SIZE) {
        unsigned int here = end < PT_ENTRIES ? end : PT_ENTRIES;

        if (get)
            table_get(page, vm, r->level, first, here);
        else
            table_put(table_at(page));
        first = 0;
        end -= here;
    }
}

bool tables_set_root(unsigned int cpu, uint64_t root, uint64_t tcr, bool aarch32)
{
    struct root r = root_of(root, tcr, aarch32), was = roots[cpu];

    pthread_mutex_lock(&lock);
    roots[cpu] = r;
    if (r.bits)
        root_change(&r, NULL, true);
    if (was.bits)
        root_change(&was, NULL, false);
    pthread_mutex_unlock(&lock);
    return r.bits;
}

static void vm_forget(struct vm *vm)
{
    if (!vm->known)
        return;
    vm->known = false;
    root_change(&vm->root, vm, false);
}

/* The one that begins there, or room for it: of those without a CPU the one that is so longest. */
static struct vm *vm_at(const struct root *r)
{
    struct vm *oldest = NULL;

    for (struct vm *vm = vms; vm < vms + VMS_MAX; vm++) {
        if (vm->known && memcmp(&vm->root, r, sizeof(*r)) == 0)
            return vm;
        if (!vm->cpus && (!oldest || (oldest->known && (!vm->known || vm->used < oldest->used))))
            oldest = vm;
    }
    return oldest; /* there are more than CPUs */
}

static void vm_take(struct vm *vm, const struct root *r)
{
    static uint64_t uses;

    vm->cpus++;
    vm->used = ++uses;
    if (vm->known && memcmp(&vm->root, r, sizeof(*r)) == 0)
        return;
    vm_forget(vm);
    vm->root = *r;
    vm->known = true;
    root_change(r, vm, true);
}

bool tables_set_stage2(unsigned int cpu, uint64_t vttbr, uint64_t vtcr, bool aarch32)
{
    struct root r = stage2_root_of(vttbr, vtcr, aarch32);
    bool is_none = !guest_bank_of(r.pa);

    pthread_mutex_lock(&lock);
    if (vm_of[cpu])
        vm_of[cpu]->cpus--;
    vm_of[cpu] = is_none || !r.bits ? NULL : vm_at(&r);
    if (vm_of[cpu])
        vm_take(vm_of[cpu], &r);
    pthread_mutex_unlock(&lock);
    return is_none || r.bits;
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
        table_get(s->new &PTE_ADDR_MASK, t->vm, t->level + 1, 0, PT_ENTRIES);
    table_put(was);
}

/* The table that has an entry at pa, and whose entries are recorded now. */
static struct table *table_of_entry(uint64_t pa)
{
    struct table *t = table_at(pa);
    unsigned int index = (pa & OFFSET_MASK) / sizeof(lpae_t);

    if (!t || index < t->first || index >= t->end)
        return NULL;
    if (t->vm && !t->vm->cpus) {
        vm_forget(t->vm);
        return NULL;
    }
    return t;
}

unsigned int tables_store(uint64_t pa, unsigned int size, const uint64_t value[2],
                          struct table_store stores[TABLE_STORES_MAX])
{
    unsigned int nr = 0;

    pthread_mutex_lock(&lock);
    for (uint64_t at = pa & ~UINT64_C(7); at < pa + size && nr < TABLE_STORES_MAX; at += 8) {
        struct table *t = table_of_entry(at);
        struct table_store *s = &stores[nr];

        if (!t)
            continue;
        *s = (struct table_store){.pa = at,
                                  .old = t->entry[(at & OFFSET_MASK) / sizeof(lpae_t)],
                                  .level = t->level,
                                  .regime = t->vm ? TRACE_REGIME_S2 : TRACE_REGIME_EL2};
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
    const struct table *t;
    unsigned int index;
    bool found = false;

    pthread_mutex_lock(&lock);
    t = r->bits ? table_at(r->pa) : NULL;
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
