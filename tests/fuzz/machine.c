/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image whose beacon, tables and rings say anything: every reader, and every question. */
#include "fuzz.h"
#include "model/capture.h"
#include "model/check.h"
#include "model/judge.h"
#include "model/lookup.h"
#include "viewer_machine.h"

#include <stdlib.h>
#include <string.h>

#define CPUS 3

/* Places that are read: image header, beacon, CPUs' blocks, tables, rings. */
static const struct {
    uint64_t base, size;
} places[] = {
    {HEADER_PA, 64},
    {BEACON_PA, sizeof(struct beacon)},
    {CPU_PA(0), CPUS *CPU_STRIDE},
    {ROOT_PA(0) + 255 * 8, 8},
    {L1_PA(0), 16},
    {L2_PA(0), 0x2000},
    {L2_PA(1), 0x2000},
    {RINGS_PA, CPUS *RING_SIZE * sizeof(struct trace_record)},
};

static void spoil(struct fake_source *fake, struct fuzz *in)
{
    unsigned int n = fuzz_number(in, 1) % 16;

    while (n--) {
        unsigned int place = fuzz_number(in, 1) % (sizeof(places) / sizeof(places[0]));
        uint64_t pa = fuzz_address(in, places[place].base, places[place].size) & ~UINT64_C(3);
        unsigned int bytes = fuzz_number(in, 1) % 2 ? 8 : 4;
        uint64_t value = fuzz_number(in, 8);

        fake_put(fake, pa, &value, bytes);
    }
}

/* The same machine again, without making 16 MiB of it anew. */
static struct fake_source *machine(void)
{
    static struct fake_source *fake;
    static char *kept;

    if (!fake) {
        fake = machine_make(CPUS);
        machine_populate(fake, CPUS);
        machine_add_event(fake, 0, 62500000, TRACE_MAP, 0x84a13, 37, 2);
        machine_add_event(fake, 1, 62500625, TRACE_UNMAP, 0x8c800, 100, 1);
        kept = malloc(RAM_SIZE);
        memcpy(kept, fake->mem, RAM_SIZE);
    }
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        uint64_t at = places[i].base - RAM_START;

        memcpy(fake->mem + at, kept + at, places[i].size + 8);
    }
    return fake;
}

static void look(const struct fake_source *fake, struct snapshot *snap, struct fuzz *in)
{
    static struct event_log own, *log = &own;
    struct activity *activity = activity_new(snap->ncpu, snap->machine.beacon.cntfrq);
    static struct explanation explanation;
    static struct findings findings;
    struct page_set set = {0};
    struct judgement judgement;
    struct failure f;
    char text[200];

    memset(log, 0, offsetof(struct event_log, event));
    events_update(log, &fake->src, snap);
    for (unsigned int i = 0; i < log->nr; i++) {
        const struct event *e = event_at(log, i);

        event_describe(e, text, sizeof(text));
        event_ns(&snap->machine, e->ticks);
        activity_add(activity, e);
    }
    check_snapshot(snap, activity, &findings);
    if (judge(&judgement, &fake->src, snap, &log->batch)) {
        judgement_list(&judgement, snap, &findings);
        judgement_free(&judgement);
    }
    for (unsigned int cpu = 0; cpu < snap->ncpu; cpu++) {
        if (snap->cpu[cpu].on)
            explain_lookup(&snap->machine, &snap->cpu[cpu], fuzz_number(in, 4), &explanation);
    }
    capture_pages(&fake->src, snap, &set, &f);
    page_set_free(&set);
    activity_free(activity);
    events_free(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = {data, size};
    struct fake_source *fake = machine();
    struct snapshot *snap;
    struct machine m;
    struct failure f;

    spoil(fake, &in);
    if (machine_read(&fake->src, NULL, &m, &f) == MACHINE_OK) {
        snap = snapshot_new(m.beacon.ncpu);
        if (snapshot_read(&fake->src, &m, snap, &f) == 0)
            look(fake, snap, &in);
        free(snap);
    }
    return 0;
}
