/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workload "replay": what a real hypervisor mapped and released, from a trace
 * that QEMU loaded as a ramdisk (-initrd). CPU n replays stream n modulo the
 * streams there are, endlessly. The trace's frames are taken modulo this RAM;
 * they belong to others, so what is mapped is not touched.
 */
#include "core/pace.h"
#include "core/printk.h"
#include "mm/page_alloc.h"
#include "work/ramdisk_trace.h"
#include "work/work.h"

#define RECORDS_A_STEP 64
#define LIVE_MAX       64

struct replay_cpu {
    struct xmct_stream stream;
    const void *live[LIVE_MAX]; /* the youngest last */
    unsigned int nr_live;
};

static DEFINE_PER_CPU(struct replay_cpu *, replay_cpu); /* NULL: nothing to replay */

static unsigned int state_order(void)
{
    return order_from_bytes(sizeof(struct replay_cpu));
}

static void replay_init(void)
{
    const struct xmct *trace = ramdisk_trace();
    struct replay_cpu *r = trace ? alloc_xenheap_pages(state_order()) : NULL;

    this_cpu(replay_cpu) = NULL;
    if (!r)
        return;
    r->nr_live = 0;
    if (xmct_stream(trace, smp_processor_id() % trace->nr_streams, &r->stream))
        this_cpu(replay_cpu) = r;
    else
        free_xenheap_pages(r, state_order());
}

static void replay_map(struct replay_cpu *r, uint64_t mfn)
{
    const void *p = paced_map(ram_frame(mfn - r->stream.base));

    work_keep(p);
    r->live[r->nr_live++] = p;
}

static void replay_unmap(struct replay_cpu *r, unsigned int depth)
{
    unsigned int at = r->nr_live - 1 - depth;

    work_unkeep(r->live[at]);
    paced_unmap(r->live[at]);
    for (r->nr_live--; at < r->nr_live; at++)
        r->live[at] = r->live[at + 1];
}

static void release_all(struct replay_cpu *r)
{
    while (r->nr_live)
        replay_unmap(r, 0);
}

static void replay_give_up(struct replay_cpu *r)
{
    printk("CPU%u: the trace is broken %lu bytes into its stream: idle from here on\n",
           smp_processor_id(), (uint64_t)(r->stream.at - r->stream.start));
    r->stream.end = r->stream.start;
    release_all(r);
    xmct_rewind(&r->stream);
}

/* False: the record cannot be. */
static bool record_play(struct replay_cpu *r, const struct xmct_record *record)
{
    if (record->map) {
        if (r->nr_live == LIVE_MAX)
            return false;
        replay_map(r, record->mfn);
        return true;
    }
    if (record->depth >= r->nr_live)
        return false;
    replay_unmap(r, (unsigned int)record->depth);
    return true;
}

static void replay_step(void)
{
    struct replay_cpu *r = this_cpu(replay_cpu);
    struct xmct_record record;

    if (!r || r->stream.start == r->stream.end) {
        work_idle.step();
        return;
    }
    for (unsigned int i = 0; i < RECORDS_A_STEP; i++) {
        enum xmct_next next = xmct_next(&r->stream, &record);

        if (next == XMCT_END) {
            release_all(r);
            xmct_rewind(&r->stream);
        } else if (next == XMCT_BROKEN || !record_play(r, &record)) {
            replay_give_up(r);
            return;
        }
    }
}

static void replay_exit(void)
{
    struct replay_cpu *r = this_cpu(replay_cpu);

    if (!r)
        return;
    release_all(r);
    free_xenheap_pages(r, state_order());
}

/* Which one is the launcher's business. */
static bool replay_accepts(struct word argument, uint64_t *value)
{
    *value = 0;
    return argument.n;
}

const struct workload work_replay = {
    .name = "replay",
    .looks = "what a Xen does: one to three slots in use, long runs of hits on a few frames",
    .argument = "the trace's name: boot or io",
    .accepts = replay_accepts,
    .init = replay_init,
    .step = replay_step,
    .exit = replay_exit,
};
