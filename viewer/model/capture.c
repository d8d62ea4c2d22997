/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/capture.h"

#include "model/profile.h"
#include "model/ranges.h"
#include "source/tap.h"

#include <hvscope/finding.h>
#include <hvscope/trace.h>
#include <string.h>

#define TRIES    4
#define RING_MAX (UINT64_C(1) << 20) /* records */

/* Of a tracer's rings, which may have millions of records: so much of all CPUs' together. */
#define TRACED_PAGES 1024
#define PAGE_RECORDS (PAGE_SIZE / sizeof(struct trace_record))

struct capture {
    const struct source *src;
    const struct machine *m;
    struct page_set *set;
};

/* The page of pa, read now; NULL if there is no room, or it cannot be read. */
static struct page *take_page(struct capture *c, uint64_t pa)
{
    uint64_t words[PAGE_BYTES / 8];
    struct page *page;

    pa &= ~PAGE_MASK;
    if (c->set->nr >= CAPTURE_PAGES_MAX || source_read_phys(c->src, pa, words, sizeof(words)) != 0)
        return NULL;
    page = page_add(c->set, pa);
    if (page)
        memcpy(page->word, words, sizeof(words));
    return page;
}

static void take_range(struct capture *c, uint64_t pa, uint64_t size)
{
    for (uint64_t at = pa & ~PAGE_MASK; at < pa + size; at += PAGE_SIZE) {
        if (!take_page(c, at))
            return;
    }
}

/* A table and those below it. One that is in the set already is not gone through again. */
static void take_table(struct capture *c, uint64_t pa, unsigned int level)
{
    lpae_t entries[PT_ENTRIES];
    const struct page *page;

    if (!machine_has_memory(c->m, pa, PAGE_SIZE) || page_find(c->set, pa))
        return;
    page = take_page(c, pa);
    if (!page || level == PT_LEVEL_LAST)
        return;
    memcpy(entries, page->word, sizeof(entries)); /* the set moves while it grows */
    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        if (pte_is_table(entries[i], level))
            take_table(c, paddr_x(pte_paddr(entries[i])), level + 1);
    }
}

static uint64_t cpu_field_pa(const struct machine *m, unsigned int cpu, size_t offset)
{
    return m->pa + m->beacon.cpu_offset + (uint64_t)cpu * m->beacon.cpu_stride + offset;
}

/* A word of what was captured; NULL if it was not. */
static uint64_t *captured(struct capture *c, uint64_t pa)
{
    struct page *page = page_find(c->set, pa & ~PAGE_MASK);

    return page ? &page->word[(pa & PAGE_MASK) / sizeof(uint64_t)] : NULL;
}

static void take_words(struct capture *c, uint64_t pa, size_t words)
{
    for (size_t i = 0; i < words; i++) {
        uint64_t *word = captured(c, pa + i * sizeof(*word));

        if (word && source_read_u64(c->src, pa + i * sizeof(*word), word) != 0)
            return;
    }
}

/*
 * The CPU's block and its slots must be of one moment, as in a live snapshot:
 * the generation tells. If they are not, the copy's generation is made odd, so
 * that whoever reads it knows.
 */
static void take_slots(struct capture *c, const struct cpu_snapshot *cpu)
{
    uint64_t pa = cpu_field_pa(c->m, cpu->cpu, offsetof(struct beacon_cpu, generation)), now;
    uint64_t *generation = captured(c, pa);

    for (int i = 0; generation && i < TRIES; i++) {
        take_words(c, cpu_field_pa(c->m, cpu->cpu, 0), sizeof(struct beacon_cpu) / 8);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        for (unsigned int n = 0; n < machine_l2_pages(c->m); n++) {
            if (chain_l2(&cpu->chain, n))
                take_page(c, chain_l2(&cpu->chain, n));
        }
        if (cpu->index_status == INDEX_READ)
            take_range(c, cpu->info.clock_index, sizeof(cpu->index));
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        generation = captured(c, pa);
        if (source_read_u64(c->src, pa, &now) == 0 && generation && now == *generation &&
            now % 2 == 0)
            return;
    }
    if (generation)
        *generation |= 1;
}

static uint64_t ring_field_pa(const struct machine *m, unsigned int cpu, size_t offset)
{
    return m->events.pa + m->events.cpu_offset + cpu * m->events.cpu_stride + offset;
}

uint64_t capture_ring_entries(const struct machine *m, uint64_t entries)
{
    const uint64_t room = TRACED_PAGES * PAGE_RECORDS / (m->beacon.ncpu ? m->beacon.ncpu : 1);

    while (m->events.size && entries > room && entries > PAGE_RECORDS)
        entries /= 2;
    return entries;
}

/*
 * The newest of a ring too large to be kept, as a ring of n records at the same place: what
 * its readers do not find they count as lost. What is behind head in its page is older.
 */
static void take_newest(struct capture *c, const struct beacon_cpu *info, uint64_t n, uint64_t head)
{
    const size_t record = sizeof(struct trace_record);
    uint64_t first = head > n ? (head - n + PAGE_RECORDS) & ~(uint64_t)(PAGE_RECORDS - 1) : 0;

    for (uint64_t i = first; i < head; i += PAGE_RECORDS) {
        struct page *page = page_add(c->set, info->ring + i % n * record);
        uint64_t whole = head - i < PAGE_RECORDS ? head - i : PAGE_RECORDS;

        if (!page)
            return;
        memset(page->word, 0, sizeof(page->word));
        source_read_phys(c->src, info->ring + i % info->ring_entries * record, page->word,
                         whole * record);
    }
}

/*
 * Records that were overwritten while the ring was copied become none: they have the places
 * of those from head to after, and of two that may be under way.
 */
static void drop_overwritten(struct capture *c, const struct beacon_cpu *info, uint64_t n,
                             uint64_t head, uint64_t after)
{
    for (uint64_t i = head; i < after + 2 && i < head + info->ring_entries; i++) {
        uint64_t old = i - info->ring_entries, pa;
        uint64_t *word;

        if (n < info->ring_entries && (i < info->ring_entries || old + n < head))
            continue; /* it is not kept */
        pa = info->ring + (n < info->ring_entries ? old : i) % n * sizeof(struct trace_record);
        word = captured(c, pa);
        if (word && after != head)
            *word = 0;
    }
}

static void take_ring(struct capture *c, const struct cpu_snapshot *cpu)
{
    const struct beacon_cpu *info = &cpu->info;
    uint64_t entries = info->ring_entries, n = capture_ring_entries(c->m, entries);
    uint64_t pa = ring_field_pa(c->m, cpu->cpu, offsetof(struct beacon_cpu, ring_head)), after;
    uint64_t *head = captured(c, pa), *kept;
    const size_t record = sizeof(struct trace_record);

    if (!info->ring || entries < 2 || n > RING_MAX || (entries & (entries - 1)) || info->ring % 8 ||
        !machine_has_memory(c->m, info->ring, entries * record) ||
        (n < entries && info->ring % PAGE_SIZE))
        return;
    if (n == entries)
        take_range(c, info->ring, entries * record);
    else if (head)
        take_newest(c, info, n, *head);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    head = captured(c, pa); /* the set moved while it grew */
    kept = captured(c, ring_field_pa(c->m, cpu->cpu, offsetof(struct beacon_cpu, ring_entries)));
    if (!head || !kept || source_read_u64(c->src, pa, &after) != 0)
        return;
    *kept = n;
    drop_overwritten(c, info, n, *head, after);
}

/* One stage of a CPU's guest: going through it is what keeps its tables. */
static void take_stage(const struct stage_cpu *cpu, enum regime_name name, bool high)
{
    struct machine_memory memory = machine_memory(cpu->src, cpu->m);
    struct guest_memory through;
    struct stage stage, below;
    struct ranges list = {0};
    struct failure f;
    int two = stage_below(cpu, name, &below, &f);

    if (two > 0)
        through = guest_memory(&memory.memory, &below.r, below.root);
    if (two < 0 || stage_open(cpu, name, high, &stage, &f))
        return;
    ranges_read(two > 0 ? &through.memory : &memory.memory, &stage, NULL, &list, &f);
    ranges_free(&list);
}

/* The tables of the vCPU that a CPU has, and the registers that say where they are. */
static void take_guest(struct capture *c, const struct source *tap, unsigned int cpu)
{
    const struct stage_cpu s = stage_cpu(tap, c->m, cpu, NULL);
    struct failure none;
    struct stage below;

    if (stage_below(&s, REGIME_EL1, &below, &none) <= 0)
        return;
    take_stage(&s, REGIME_S2, false);
    take_stage(&s, REGIME_EL1, false);
    take_stage(&s, REGIME_EL1, true);
}

/* EL2's own tables, whatever its regime: with E2H the half of the kernel. */
static int take_own(const struct source *tap, const struct snapshot *snap,
                    const struct page_set *set, struct failure *f)
{
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        const uint64_t *root = snap->cpu[i].info.root ? &snap->cpu[i].info.root : NULL;
        const struct stage_cpu s = stage_cpu(tap, &snap->machine, i, root);
        enum regime_name own = stage_own(&s);

        if (snap->cpu[i].on)
            take_stage(&s, own, regime_has_halves(own));
    }
    return set->nr ? 0 : failure_set(f, EXIT_NO_TARGET, "no table could be read");
}

/* The beacon and the CPUs' blocks, and those that have the rings. */
static void take_blocks(struct capture *c)
{
    const struct machine *m = c->m;
    uint64_t ncpu = m->beacon.ncpu;

    take_range(c, m->pa, m->beacon.cpu_offset + ncpu * m->beacon.cpu_stride);
    if (m->events.pa != m->pa)
        take_range(c, m->events.pa, m->events.cpu_offset + ncpu * m->events.cpu_stride);
}

int capture_pages(const struct source *src, const struct snapshot *snap, struct page_set *set,
                  struct failure *f)
{
    const struct machine *m = &snap->machine;
    struct capture c = {src, m, set};
    struct tap tap = source_tap(src, set);
    struct source_piece piece;

    set->nr = 0;
    if (!m->profile->mapcache)
        return take_own(&tap.src, snap, set, f);
    for (unsigned int i = 0; !m->profile->visit && source_piece(src, i, &piece) == 0; i++)
        take_page(&c, piece.base + BEACON_LOAD_OFFSET);
    if (!m->profile->visit || m->events.size)
        take_blocks(&c);
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        if (snap->cpu[i].on)
            take_table(&c, snap->cpu[i].info.root, m->beacon.root_level);
    }
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        if (snap->cpu[i].on && m->profile->counted)
            take_slots(&c, &snap->cpu[i]);
        if (m->profile->counted || m->events.size)
            take_ring(&c, &snap->cpu[i]);
        if (m->profile->counted)
            take_guest(&c, &tap.src, i);
    }
    if (m->profile->counted && m->beacon.check && m->beacon.size >= sizeof(m->beacon))
        take_range(&c, m->beacon.findings, sizeof(struct bbm_finding) * BBM_FINDINGS);
    if (m->profile->visit)
        m->profile->visit(&tap.src, m);
    if (m->profile->visit ? !set->nr : !page_find(set, m->pa & ~PAGE_MASK))
        return failure_set(f, EXIT_NO_TARGET, "the beacon could not be read, or memory is short");
    return 0;
}

int capture_rings(const struct source *src, const struct snapshot *snap, struct page_set *set,
                  struct failure *f)
{
    const struct machine *m = &snap->machine;
    struct capture c = {src, m, set};

    set->nr = 0;
    take_blocks(&c);
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        if (snap->cpu[i].on)
            take_slots(&c, &snap->cpu[i]);
        take_ring(&c, &snap->cpu[i]);
    }
    if (!page_find(set, m->pa & ~PAGE_MASK))
        return failure_set(f, EXIT_NO_TARGET, "the beacon could not be read, or memory is short");
    return 0;
}

struct recording_header capture_header(const struct source *src, const struct snapshot *snap)
{
    struct recording_header h = {.boot_id = snap->machine.beacon.boot_id};
    struct source_piece piece;

    if (source_piece(src, 0, &piece) == 0)
        h.base = piece.base;
    memcpy(h.build_id, snap->machine.beacon.build_id, BEACON_BUILD_ID_MAX);
    return h;
}
