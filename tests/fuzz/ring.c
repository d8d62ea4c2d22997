/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ring full of any records, and the file of a tracer: what events they make. */
#include "fuzz.h"
#include "model/activity.h"
#include "model/judge.h"
#include "model/stream.h"
#include "viewer_machine.h"

#include <hvscope/trace_file.h>
#include <stdlib.h>
#include <string.h>

static void events(const struct source *src, const struct snapshot *snap)
{
    static struct event_log own, *log = &own;
    struct activity *activity = activity_new(snap->ncpu, 62500000);
    struct judgement judgement;
    char text[200];

    memset(log, 0, offsetof(struct event_log, event));
    for (unsigned int look = 0; look < 2; look++) {
        events_update(log, src, snap);
        for (unsigned int i = 0; i < log->nr; i++) {
            const struct event *e = event_at(log, i);
            uint64_t va, bytes;

            event_describe(e, text, sizeof(text));
            activity_add(activity, e);
            if (e->kind == TRACE_TLBI)
                tlbi_range(e, &va, &bytes);
        }
    }
    if (judge(&judgement, src, snap, &log->batch)) {
        judgement_text(&judgement, text, sizeof(text));
        judgement_free(&judgement);
    }
    activity_free(activity);
    events_free(log);
}

/* The image's own ring, of CPU0. */
static void own(struct fuzz in)
{
    static struct fake_source *fake;
    uint64_t head = fuzz_number(&in, 2), sides = fuzz_number(&in, 2);
    struct trace_record record[RING_SIZE];
    struct snapshot *snap;

    if (!fake)
        fake = machine_make(1);
    fuzz_take(&in, record, sizeof(record));
    fake_put(fake, RINGS_PA, record, sizeof(record));
    machine_put_u32(fake, BEACON_FIELD(trace_mode), TRACE_ALL);
    fake_put_u64(fake, CPU_FIELD(0, ring_head), head);
    fake_put_u64(fake, CPU_FIELD(0, ring_sides), sides);
    snap = machine_snapshot(fake);
    events(&fake->src, snap);
    free(snap);
}

/* A tracer's file: the input is all of it, but for what makes it one. */
static void stream(struct fuzz in)
{
    struct fake_source *fake = fake_open(TRACE_FILE_PA, 0x10000);
    struct trace_file *file = (struct trace_file *)fake->mem;
    struct machine m = {0};
    struct beacon_cpu info = {0};

    fuzz_take(&in, fake->mem, in.left < 0x10000 ? in.left : 0x10000);
    file->beacon.magic = BEACON_MAGIC;
    file->beacon.version = 1;
    m.beacon.ncpu = 2;
    stream_adopt(&fake->src, &(struct target_spec){0}, &m);
    for (unsigned int cpu = 0; cpu < 2; cpu++) {
        struct trace_record record[256];
        struct ring_batch batch = {.record = record, .max = 256};
        struct ring_cursor cursor = {0};

        stream_read_cpu(&fake->src, &m, cpu, &info);
        ring_read(&fake->src, &m, cpu, &info, &cursor, &batch);
    }
    source_close(&fake->src);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = {data, size};

    own(in);
    stream(in);
    return 0;
}
