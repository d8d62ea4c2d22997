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

/* Records that were overwritten while the ring was copied become none. */
static void take_ring(struct capture *c, const struct cpu_snapshot *cpu)
{
    const struct beacon_cpu *info = &cpu->info;
    uint64_t entries = info->ring_entries, after, pa, *head;
    const size_t record = sizeof(struct trace_record);

    if (!info->ring || entries < 2 || entries > RING_MAX || (entries & (entries - 1)) ||
        info->ring % 8 || !machine_has_memory(c->m, info->ring, entries * record))
        return;
    take_range(c, info->ring, entries * record);
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    pa = c->m->events.pa + c->m->events.cpu_offset + cpu->cpu * c->m->events.cpu_stride +
         offsetof(struct beacon_cpu, ring_head);
    head = captured(c, pa);
    if (!head || source_read_u64(c->src, pa, &after) != 0)
        return;
    for (uint64_t i = *head; i < after + 2 && i < *head + entries; i++) {
        uint64_t *word = captured(c, info->ring + i % entries * record);

        if (word && after != *head)
            *word = 0;
    }
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
    for (unsigned int i = 0; !m->profile->visit && source_piece(src, i, &piece) == 0; i++)
        take_page(&c, piece.base + BEACON_LOAD_OFFSET);
    if (!m->profile->visit)
        take_blocks(&c);
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        if (snap->cpu[i].on)
            take_table(&c, snap->cpu[i].info.root, m->beacon.root_level);
    }
    for (unsigned int i = 0; i < snap->ncpu && m->profile->counted; i++) {
        if (snap->cpu[i].on)
            take_slots(&c, &snap->cpu[i]);
        take_ring(&c, &snap->cpu[i]);
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
