/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracer/tables.h"
#include "tracer/guest.h"
#include "tracer/pages.h"

#include <hvscope/pte.h>
#include <pthread.h>
#include <string.h>

#define OFFSET_MASK  ((UINT64_C(1) << PAGE_SHIFT) - 1)
#define ROOT_PA_MASK UINT64_C(0x0000fffffffffffe) /* BADDR; [0] is CnP */
#define BITS_LEAST   16u                          /* of a VA (FEAT_TTST) */
#define BITS_MOST    48u
#define STAGE2_MORE  4u /* bits that are translated by up to 16 pages together */

/* VTCR_EL2, TCR_EL1, TTBCR: what stands elsewhere than in TCR_EL2. */
#define VTCR_SL0(vtcr)  ((vtcr) >> 6 & 3)
#define TCR_EL1_EPD(hi) PTE_BIT((hi) ? 23 : 7) /* no walk */
#define TCR_EL1_T1SZ    16
#define TTBCR_EAE       PTE_BIT(31) /* long descriptors */

enum which { STAGE2, EL1_LOW, EL1_HIGH, ROOTS };
#define SPACES_MAX (GUEST_CPUS_MAX * ROOTS + 64)

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct root el2_roots[GUEST_CPUS_MAX];
static struct space spaces[SPACES_MAX], *space_of[GUEST_CPUS_MAX][ROOTS];

bool tables_init(struct trace_totals *totals)
{
    return pages_init(totals);
}

bool tables_hold(uint64_t pa)
{
    return page_at(pa) != NULL;
}

/* Where the walk of `bits` bits begins: each level takes 9 of those above the page. */
static struct root root_of(uint64_t ttbr, unsigned int bits)
{
    if (bits < BITS_LEAST)
        return (struct root){.bits = 0};
    bits = bits > BITS_MOST ? BITS_MOST : bits;
    return (struct root){
        .pa = ttbr & ROOT_PA_MASK,
        .bits = bits,
        .level = PT_LEVEL_LAST - (bits - PAGE_SHIFT - 1) / PT_SHIFT,
    };
}

/* Of stage 2, which says at which level it begins; bits is 0 if that cannot be (D8.2). */
static struct root stage2_root_of(uint64_t vttbr, uint64_t vtcr, bool aarch32)
{
    static const unsigned int levels[] = {2, 1, 0, 3}; /* by SL0 */
    struct root r = {.pa = vttbr & ROOT_PA_MASK, .level = levels[VTCR_SL0(vtcr)]};
    unsigned int least = pt_level_shift(r.level) + 1;

    if (aarch32) /* T0SZ is [3:0], with a sign */
        r.bits = 32 - ((int)((vtcr & 15) ^ 8) - 8);
    else
        r.bits = 64 - (vtcr & 63);
    if (r.bits < least || r.bits > BITS_MOST || r.bits >= least + PT_SHIFT + STAGE2_MORE ||
        (aarch32 && VTCR_SL0(vtcr) > 1))
        r.bits = 0;
    return r;
}

/* Of TTBR0_EL1 or, high, TTBR1_EL1; bits is 0 if there are no walks, or none of ours. */
static struct root el1_root_of(uint64_t ttbr, uint64_t tcr, bool high, bool aarch32)
{
    unsigned int tsz = tcr >> (high ? TCR_EL1_T1SZ : 0) & (aarch32 ? 7 : 63);
    bool is_low_only = aarch32 && high && !(tcr & 7) && !tsz;

    if (tcr & TCR_EL1_EPD(high) || (aarch32 && !(tcr & TTBCR_EAE)) || is_low_only)
        return (struct root){.bits = 0};
    return root_of(ttbr, (aarch32 ? 32 : 64) - tsz);
}

bool tables_set_root(unsigned int cpu, uint64_t ttbr, uint64_t tcr, bool aarch32)
{
    struct root r = root_of(ttbr, aarch32 ? 32 - (tcr & 7) : 64 - (tcr & 63));
    struct root was = el2_roots[cpu];

    pthread_mutex_lock(&lock);
    if (r.bits)
        pages_get(&el2_space, &r);
    el2_roots[cpu] = r;
    pages_put(&was);
    pthread_mutex_unlock(&lock);
    return r.bits;
}

/* Its root is put, and those whose addresses go through it are forgotten too. */
static void space_forget(struct space *space)
{
    if (!space->known)
        return;
    space->known = false;
    for (struct space *s = spaces; s < spaces + SPACES_MAX; s++) {
        if (s->stage2 == space)
            space_forget(s);
    }
    pages_put(&space->root);
}

static bool el2_has(const struct table *t)
{
    for (unsigned int cpu = 0; cpu < GUEST_CPUS_MAX; cpu++) {
        if (el2_roots[cpu].bits && pages_reach(&el2_roots[cpu], t))
            return true;
    }
    return false;
}

/* One that a table is of, of those that a CPU has, or of the others. */
static struct space *holder_of(const struct table *t, bool in_use)
{
    if (in_use && el2_has(t))
        return &el2_space;
    for (struct space *s = spaces; s < spaces + SPACES_MAX; s++) {
        if (s->known && !s->cpus != in_use && pages_reach(&s->root, t))
            return s;
    }
    return NULL;
}

struct table *table_in_use(uint64_t pa)
{
    struct table *t = page_at(pa);
    struct space *holder;

    if (!t || t->space->cpus)
        return t;
    holder = holder_of(t, true);
    if (holder) {
        t->space = holder;
        return t;
    }
    while (page_at(pa) == t && (holder = holder_of(t, false)))
        space_forget(holder);
    return page_at(pa) == t ? t : NULL;
}

static bool is_same(const struct space *a, const struct space *b)
{
    return a->regime == b->regime && a->stage2 == b->stage2 && a->root.pa == b->root.pa &&
           a->root.level == b->root.level && a->root.bits == b->root.bits;
}

/* This one, or room for it: of those without a CPU the one that is so longest. */
static struct space *space_find(const struct space *wanted)
{
    struct space *oldest = spaces;

    for (struct space *s = spaces; s < spaces + SPACES_MAX; s++) {
        if (s->known && is_same(s, wanted))
            return s;
        if (!s->cpus && (oldest->cpus || (oldest->known && (!s->known || s->used < oldest->used))))
            oldest = s;
    }
    return oldest; /* there are more than CPUs have registers */
}

static void space_leave(unsigned int cpu, enum which which)
{
    if (space_of[cpu][which])
        space_of[cpu][which]->cpus--;
    space_of[cpu][which] = NULL;
}

static void space_enter(unsigned int cpu, enum which which, const struct space *wanted)
{
    static uint64_t uses;
    struct space *s = space_find(wanted);

    if (!s->known || !is_same(s, wanted)) {
        space_forget(s);
        *s = *wanted;
        s->cpus = 1; /* while its pages are taken, too */
        pages_get(s, &s->root);
        s->known = s->root.page[0] != NULL;
        s->cpus = 0;
    }
    s->cpus++;
    s->used = ++uses;
    space_of[cpu][which] = s;
}

bool tables_set_stage2(unsigned int cpu, uint64_t vttbr, uint64_t vtcr, bool aarch32)
{
    struct space wanted = {.regime = TRACE_REGIME_S2, .root = stage2_root_of(vttbr, vtcr, aarch32)};
    bool is_none = !guest_bank_of(vttbr & ROOT_PA_MASK);

    pthread_mutex_lock(&lock);
    space_leave(cpu, STAGE2);
    if (!is_none && wanted.root.bits)
        space_enter(cpu, STAGE2, &wanted);
    pthread_mutex_unlock(&lock);
    return is_none || wanted.root.bits;
}

void tables_set_el1(unsigned int cpu, const struct tables_el1 *el1)
{
    pthread_mutex_lock(&lock);
    for (unsigned int high = 0; high < 2; high++) {
        struct space wanted = {
            .regime = TRACE_REGIME_EL1,
            .root = el1_root_of(el1->ttbr[high], el1->tcr, high, el1->aarch32),
            .stage2 = el1->has_stage2 ? space_of[cpu][STAGE2] : NULL,
        };

        space_leave(cpu, EL1_LOW + high);
        if (wanted.root.bits && (wanted.stage2 || !el1->has_stage2))
            space_enter(cpu, EL1_LOW + high, &wanted);
    }
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

/* The table that has an entry at pa, and whose entries are recorded now. */
static struct table *table_of_entry(uint64_t pa)
{
    struct table *t = page_at(pa);
    unsigned int index = (pa & OFFSET_MASK) / sizeof(lpae_t);

    if (!t || index < t->first || index >= t->end)
        return NULL;
    t = table_in_use(pa);
    return t && t->space->cpus ? t : NULL;
}

unsigned int tables_store(uint64_t pa, unsigned int size, const uint64_t value[2],
                          struct table_store stores[TABLE_STORES_MAX])
{
    unsigned int nr = 0;

    pthread_mutex_lock(&lock);
    for (uint64_t at = pa & ~UINT64_C(7); at < pa + size && nr < TABLE_STORES_MAX; at += 8) {
        struct table *t = table_of_entry(at);
        unsigned int index = (at & OFFSET_MASK) / sizeof(lpae_t);
        struct table_store *s = &stores[nr];

        if (!t)
            continue;
        *s = (struct table_store){
            .pa = at, .old = t->entry[index], .level = t->level, .regime = t->space->regime};
        s->new = merged(s->old, at, pa, size, value);
        page_store(t, index, s->new);
        nr++;
    }
    pthread_mutex_unlock(&lock);
    return nr;
}

bool tables_walk(unsigned int cpu, uint64_t va, unsigned int level, uint64_t *pa, uint64_t *entry)
{
    const struct table *t;
    unsigned int index, at;
    bool found;

    pthread_mutex_lock(&lock);
    t = pages_walk(&el2_roots[cpu], va, level, &index, &at);
    found = t && at == level;
    if (found) {
        *pa = t->pa + index * sizeof(*entry);
        *entry = t->entry[index];
    }
    pthread_mutex_unlock(&lock);
    return found;
}
