/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/mapcache.h"

#include "model/profile.h"

#include <stdlib.h>
#include <string.h>

#define GENERATION offsetof(struct beacon_cpu, generation)
#define READS_MAX  4 /* one, and three more if the CPU was changing its slots */

struct snapshot *snapshot_new(unsigned int ncpu)
{
    struct snapshot *snap = calloc(1, sizeof(*snap) + ncpu * sizeof(snap->cpu[0]));

    if (snap)
        snap->ncpu = ncpu;
    return snap;
}

/* Output address of a level 2 block: bits [20:12] are attributes there. */
static uint64_t block_pa(lpae_t pte)
{
    return paddr_x(pte_paddr(pte)) & ~(SLOT_SIZE - 1);
}

static enum slot_state judge(const struct machine *m, lpae_t pte)
{
    uint64_t into = block_pa(pte) - m->beacon.bank[0].base, size = m->beacon.bank[0].size;
    bool in_first = size >= SLOT_SIZE && into <= size - SLOT_SIZE; /* nearly all are */
    bool in_ram = in_first || m->profile->foreign_pa || !pte_is_leaf(pte, 2) ||
                  machine_slot_in_ram(m, block_pa(pte));

    return slot_state(pte, m->beacon.slot_attr, in_ram);
}

static const char *fault_text(const struct machine *m, lpae_t pte, enum slot_state state)
{
    if (state != SLOT_BROKEN)
        return "";
    if (!pte_valid(pte))
        return "a count on an invalid entry";
    if (!pte_is_leaf(pte, 2))
        return "a table, not a block";
    if ((pte & SLOT_ATTR_MASK) != m->beacon.slot_attr)
        return "unusual attributes";
    return "outside RAM";
}

uint64_t slot_va(const struct machine *m, unsigned int slot)
{
    return m->beacon.domheap_va + slot * SLOT_SIZE;
}

struct slot_info slot_describe(const struct machine *m, unsigned int slot, lpae_t pte)
{
    struct slot_info info = {.slot = slot, .va = slot_va(m, slot), .pte = pte};

    info.state = judge(m, pte);
    info.fault = fault_text(m, pte, info.state);
    info.refs = pte_refs(pte);
    info.block = pte_is_leaf(pte, 2);
    if (!info.block)
        return info;
    info.pa = block_pa(pte);
    info.odd = !machine_slot_in_ram(m, info.pa) && info.state != SLOT_BROKEN;
    info.mfn = mfn_x(paddr_to_mfn(_paddr(info.pa)));
    info.has_home = m->beacon.engine != BEACON_ENGINE_CLOCK;
    info.home = mapcache_home(_mfn(info.mfn), m->beacon.domheap_entries);
    info.probe = mapcache_probe(_mfn(info.mfn), slot, m->beacon.domheap_entries);
    return info;
}

struct slot_info cpu_slot(const struct machine *m, const struct cpu_snapshot *c, unsigned int slot)
{
    struct slot_info info = slot_describe(m, slot, c->pte[slot]);

    if (c->state[slot] == SLOT_BROKEN && info.state != SLOT_BROKEN) {
        info.state = SLOT_BROKEN;
        info.fault = "entry, chain and state byte disagree";
    }
    return info;
}

static void read_index(const struct source *src, const struct machine *m, struct cpu_snapshot *c)
{
    uint64_t pa = c->info.clock_index;

    c->index_status = INDEX_NONE;
    if (m->beacon.engine != BEACON_ENGINE_CLOCK || m->beacon.domheap_entries != DOMHEAP_ENTRIES)
        return;
    c->index_status = pa % 8 == 0 && machine_has_memory(m, pa, sizeof(c->index)) &&
                              source_read_phys(src, pa, &c->index, sizeof(c->index)) == 0
                          ? INDEX_READ
                          : INDEX_BAD;
}

bool cpu_index_settled(const struct machine *m, const struct cpu_snapshot *c)
{
    return c->index_status == INDEX_READ && c->consistent && chain_l2(&c->chain, 0) &&
           chain_l2(&c->chain, machine_l2_pages(m) - 1);
}

static void read_slots(const struct source *src, const struct machine *m, struct cpu_snapshot *c)
{
    memset(c->state, SLOT_UNREAD, sizeof(c->state));
    memset(c->pte, 0, sizeof(c->pte));
    for (unsigned int page = 0; page < machine_l2_pages(m); page++) {
        uint64_t l2 = chain_l2(&c->chain, page);
        unsigned int first = page * PT_ENTRIES;

        if (l2 && source_read_phys(src, l2, &c->pte[first], PAGE_SIZE) == 0)
            memset(&c->state[first], SLOT_FREE, PT_ENTRIES);
    }
}

/*
 * Between two equal, even generations nothing changed. The reads of the entries
 * are ordered between those of the generation by the fences.
 */
static void read_once(const struct source *src, const struct machine *m, struct cpu_snapshot *c)
{
    const struct machine_events *e = &m->events;
    const uint64_t head_pa =
        e->pa + e->cpu_offset + c->cpu * e->cpu_stride + offsetof(struct beacon_cpu, ring_head);
    uint64_t before, after = 1, head;

    if (!m->profile->counted) {
        chain_read(src, m, c->info.root, &c->chain);
        read_slots(src, m, c);
        return;
    }
    uint64_t pa =
        m->pa + m->beacon.cpu_offset + (uint64_t)c->cpu * m->beacon.cpu_stride + GENERATION;

    if (source_read_u64(src, pa, &before) != 0)
        before = 1;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    chain_read(src, m, c->info.root, &c->chain);
    read_slots(src, m, c);
    read_index(src, m, c);
    if (source_read_u64(src, head_pa, &head) == 0)
        c->info.ring_head = head;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (source_read_u64(src, pa, &after) != 0)
        after = 1;
    c->consistent = before == after && before % 2 == 0;
    c->info.generation = after;
}

static void mark_broken(void *context, const struct clock_fault *fault)
{
    struct cpu_snapshot *c = context;

    if (fault->slot < SLOTS_MAX && c->state[fault->slot] < SLOT_BROKEN) {
        c->counts[c->state[fault->slot]]--;
        c->state[fault->slot] = SLOT_BROKEN;
        c->counts[SLOT_BROKEN]++;
    }
}

static void count_slots(const struct machine *m, struct cpu_snapshot *c)
{
    memset(c->counts, 0, sizeof(c->counts));
    c->refs = 0;
    for (unsigned int i = 0; i < m->beacon.domheap_entries; i++) {
        if (c->state[i] == SLOT_UNREAD)
            continue;
        c->state[i] = c->pte[i] ? judge(m, c->pte[i]) : SLOT_FREE;
        c->counts[c->state[i]]++;
        c->refs += pte_refs(c->pte[i]);
    }
    if (cpu_index_settled(m, c))
        clock_check(&c->index, c->pte, mark_broken, c);
}

#define ATTRS_MAX 32 /* kinds of attributes that are told apart */

/* The attributes that most valid slots have; of several, those that were found first. */
static void find_usual_attr(struct snapshot *snap)
{
    struct beacon *b = &snap->machine.beacon;
    uint64_t attr[ATTRS_MAX];
    unsigned int times[ATTRS_MAX] = {0}, nr = 0, best = 0;

    for (unsigned int cpu = 0; cpu < snap->ncpu; cpu++) {
        for (unsigned int i = 0; i < b->domheap_entries; i++) {
            lpae_t pte = snap->cpu[cpu].pte[i];
            unsigned int n = 0;

            if (!pte_is_leaf(pte, 2))
                continue;
            while (n < nr && attr[n] != (pte & SLOT_ATTR_MASK))
                n++;
            if (n == ATTRS_MAX)
                continue;
            attr[n] = pte & SLOT_ATTR_MASK;
            nr = n == nr ? nr + 1 : nr;
            times[n]++;
        }
    }
    for (unsigned int n = 1; n < nr; n++)
        best = times[n] > times[best] ? n : best;
    if (nr)
        b->slot_attr = attr[best];
}

static void count_all(struct snapshot *snap)
{
    if (snap->machine.profile->foreign_pa)
        find_usual_attr(snap);
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        if (snap->cpu[i].on && snap->machine.profile->mapcache)
            count_slots(&snap->machine, &snap->cpu[i]);
    }
}

void snapshot_recount(struct snapshot *snap, unsigned int cpu)
{
    if (snap->cpu[cpu].on)
        count_slots(&snap->machine, &snap->cpu[cpu]);
}

static int read_cpu(const struct source *src, const struct machine *m, struct cpu_snapshot *c,
                    struct failure *f)
{
    if (machine_read_cpu(src, m, c->cpu, &c->info) != 0)
        return failure_set(f, EXIT_NOT_UNDERSTOOD, "the beacon's block of CPU%u cannot be read",
                           c->cpu);
    if (c->info.state > BEACON_CPU_ON)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "the beacon at 0x%llx cannot be understood: "
                           "the state of CPU%u is %u",
                           (unsigned long long)m->pa, c->cpu, c->info.state);
    c->on = c->info.state == BEACON_CPU_ON;
    c->consistent = true;
    memset(c->state, SLOT_UNREAD, sizeof(c->state));
    if (!c->on || !m->profile->mapcache)
        return 0;
    for (int i = 0; i < READS_MAX; i++) {
        read_once(src, m, c);
        if (c->consistent)
            break;
    }
    return 0;
}

int snapshot_read(const struct source *src, const struct machine *m, struct snapshot *snap,
                  struct failure *f)
{
    snap->machine = *m;
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        memset(&snap->cpu[i], 0, sizeof(snap->cpu[i]));
        snap->cpu[i].cpu = i;
        if (read_cpu(src, m, &snap->cpu[i], f))
            return -1;
    }
    count_all(snap);
    if (!machine_is_same_boot(src, m))
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "the machine was reset while it was read: try "
                           "again");
    return 0;
}

bool snapshot_differs(const struct snapshot *a, const struct snapshot *b)
{
    if (a->machine.beacon.state != b->machine.beacon.state)
        return true;
    for (unsigned int i = 0; i < a->ncpu && i < b->ncpu; i++) {
        const struct cpu_snapshot *x = &a->cpu[i], *y = &b->cpu[i];

        if (x->on != y->on || memcmp(&x->info, &y->info, sizeof(x->info)) != 0 ||
            memcmp(x->pte, y->pte, sizeof(x->pte)) != 0 ||
            memcmp(x->state, y->state, sizeof(x->state)) != 0)
            return true;
    }
    return a->ncpu != b->ncpu;
}
