/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workload "bench": a stream of the loaded trace, once, on an empty table,
 * with interrupts masked; each call's instructions are counted by the PMU. What
 * is mapped is not touched. Frames are mapped as the trace has them: boot with
 * mem= so that the xenheap lies where the trace has none. tests/bench drives it.
 */
#include "arch/irq.h"
#include "arch/pmu.h"
#include "core/beacon.h"
#include "core/panic.h"
#include "core/printk.h"
#include "mm/domain_page.h"
#include "mm/page_alloc.h"
#include "work/bench_events.h"
#include "work/ramdisk_trace.h"
#include "work/work.h"
#include <hvscope/bench.h>

#define STATUS_FAILED 2
#define LIVE_MAX      4096 /* maps open at a time */
#define LOOK_INTERVAL 512  /* records between two looks at what is idle */
#define HASH_SEED     UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME    UINT64_C(0x100000001b3)

/* All calls of one function. */
struct calls {
    uint64_t nr;
    uint64_t insns;
    uint32_t least, most;
};

static struct bench {
    struct calls map, unmap;
    uint64_t records;
    uint64_t hash;      /* FNV-1a over the records, a word each */
    uint64_t probe_max; /* slots passed over by one map */
    unsigned int idle_max;
    unsigned int nr_live, live_max;
    const void **live; /* the youngest last */
} bench;

/* Instructions that the two reads of the counter, the marks and the BL add. */
static uint32_t overhead;

/*
 * Call function(x0) between two reads of the event counter and two marks. The
 * counter has 32 bits; it is read as a whole number of instructions because
 * QEMU runs with -icount.
 */
#define MEASURED(mark, function, x0, insns)                                                        \
    ({                                                                                             \
        register uint64_t x0_ asm("x0") = (x0);                                                    \
        uint64_t before_, after_;                                                                  \
        asm volatile("mrs %[before], pmevcntr0_el0\n\t"                                            \
                     "hint %[begin]\n\t"                                                           \
                     "bl " #function "\n\t"                                                        \
                     "hint %[end]\n\t"                                                             \
                     "mrs %[after], pmevcntr0_el0"                                                 \
                     : [before] "=&r"(before_), [after] "=&r"(after_), "+r"(x0_)                   \
                     : [begin] "i"(mark), [end] "i"(BENCH_MARK_END)                                \
                     : "x1", "x2", "x3", "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", "x12",  \
                       "x13", "x14", "x15", "x16", "x17", "x18", "x30", "cc", "memory");           \
        *(insns) = (uint32_t)after_ - (uint32_t)before_;                                           \
        x0_;                                                                                       \
    })

/* One instruction long. */
void bench_nothing(void);
asm(".pushsection .text\nbench_nothing: ret\n.popsection");

static void calls_add(struct calls *c, uint32_t insns)
{
    insns -= overhead;
    c->insns += insns;
    if (!c->nr++ || insns < c->least)
        c->least = insns;
    if (insns > c->most)
        c->most = insns;
}

static void calibrate(void)
{
    uint32_t insns;

    MEASURED(0, bench_nothing, 0, &insns);
    overhead = insns - 1;
}

/* False: no map was to be had. */
static bool bench_map(mfn_t mfn)
{
    const struct beacon_cpu *c = this_cpu(beacon_cpu);
    uint64_t probes = c->probes;
    uint32_t insns;
    const void *p = (const void *)MEASURED(BENCH_MARK_MAP, map_domain_page, mfn_x(mfn), &insns);

    calls_add(&bench.map, insns);
    if (!domain_page_is_slot(p) || mfn_x(domain_page_map_to_mfn(p)) != mfn_x(mfn)) {
        printk("bench: map %lu, of mfn 0x%lx, returned %p\n", bench.map.nr, mfn_x(mfn), p);
        return false;
    }
    events_read();
    events_access((unsigned int)(((uintptr_t)p - DOMHEAP_VIRT_START) >> SLOT_SHIFT), mfn);
    if (c->probes - probes > bench.probe_max)
        bench.probe_max = c->probes - probes;
    bench.live[bench.nr_live++] = p;
    if (bench.nr_live > bench.live_max)
        bench.live_max = bench.nr_live;
    return true;
}

static void bench_unmap(unsigned int depth)
{
    unsigned int at = bench.nr_live - 1 - depth;
    uint32_t insns;

    /* cppcheck-suppress constStatement ; an unmap returns nothing to be used */
    MEASURED(BENCH_MARK_UNMAP, unmap_domain_page, (uintptr_t)bench.live[at], &insns);
    calls_add(&bench.unmap, insns);
    events_read();
    for (bench.nr_live--; at < bench.nr_live; at++)
        bench.live[at] = bench.live[at + 1];
}

/* Translations that the table offers though nobody holds a map of them. */
static unsigned int idle_count(void)
{
    const lpae_t *map = this_cpu(xen_dommap);
    unsigned int n = 0;

    for (unsigned int slot = 0; slot < DOMHEAP_ENTRIES; slot++)
        n += pte_valid(map[slot]) && pte_refs(map[slot]) == 0;
    return n;
}

static void look(void)
{
    unsigned int idle = idle_count();

    if (idle > bench.idle_max)
        bench.idle_max = idle;
    events_look();
}

static bool record_play(const struct xmct_record *r)
{
    uint64_t word = r->map ? r->mfn << 1 | 1 : r->depth << 1;

    bench.hash = (bench.hash ^ word) * HASH_PRIME;
    if (bench.records++ % LOOK_INTERVAL == 0)
        look();
    if (r->map)
        return bench.nr_live < LIVE_MAX && bench_map(_mfn(r->mfn));
    if (r->depth >= bench.nr_live)
        return false;
    bench_unmap((unsigned int)r->depth);
    return true;
}

static bool stream_play(struct xmct_stream *stream)
{
    struct xmct_record record;
    enum xmct_next next;

    while ((next = xmct_next(stream, &record)) == XMCT_RECORD) {
        if (!record_play(&record))
            return false;
    }
    look();
    return next == XMCT_END && bench.nr_live == 0;
}

static void calls_print(const char *name, const struct calls *c)
{
    printk("bench: %s calls=%lu insns=%lu least=%u most=%u\n", name, c->nr, c->insns, c->least,
           c->most);
}

static void results_print(const struct beacon_cpu *was)
{
    const struct beacon_cpu *c = this_cpu(beacon_cpu);

    calls_print("map", &bench.map);
    calls_print("unmap", &bench.unmap);
    printk("bench: trace records=%lu hash=0x%016lx live=%u\n", bench.records, bench.hash,
           bench.live_max);
    printk("bench: engine maps=%lu hits=%lu commandeers=%lu probes=%lu probe_max=%lu\n",
           c->maps - was->maps, c->hits - was->hits, c->commandeers - was->commandeers,
           c->probes - was->probes, bench.probe_max);
    printk("bench: idle most=%u end=%u\n", bench.idle_max, idle_count());
    printk("bench: check on=%u produced=%lu checked=%lu hazards=%lu violations=%lu\n",
           beacon()->check, c->produced - was->produced, c->checked - was->checked,
           c->hazards - was->hazards, c->violations - was->violations);
    events_print();
}

static uint32_t bench_run(void)
{
    const struct xmct *trace = ramdisk_trace();
    struct beacon_cpu was;
    struct xmct_stream stream;

    bench.live = alloc_xenheap_pages(order_from_bytes(LIVE_MAX * sizeof(*bench.live)));
    bench.hash = HASH_SEED;
    if (!trace || !bench.live || !xmct_stream(trace, (uint32_t)work_argument(), &stream))
        return STATUS_FAILED;
    if (!pmu_has(PMU_INST_RETIRED)) {
        printk("bench: no event INST_RETIRED: start QEMU with -icount shift=0\n");
        return STATUS_FAILED;
    }
    pmu_start(PMU_INST_RETIRED);
    calibrate();
    mapcache_clear();
    was = *this_cpu(beacon_cpu);
    events_start();
    if (!stream_play(&stream)) {
        printk("bench: record %lu cannot be played\n", bench.records);
        return STATUS_FAILED;
    }
    results_print(&was);
    return BEACON_EXIT_OK;
}

static void bench_nop(void)
{
}

static void bench_step(void)
{
    local_irq_save();
    machine_off(cpus_online() == 1 ? bench_run() : STATUS_FAILED);
}

static bool bench_accepts(struct word argument, uint64_t *value)
{
    return word_number(argument, UINT32_MAX, value);
}

const struct workload work_bench = {
    .name = "bench",
    .looks = "for make bench: one CPU replays a trace, counts instructions, and powers off",
    .argument = "which stream of the trace, from 0",
    .accepts = bench_accepts,
    .init = bench_nop,
    .step = bench_step,
    .exit = bench_nop,
};
