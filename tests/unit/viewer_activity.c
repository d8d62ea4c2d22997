/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What events add up to: holders, heat, series, the past. */
#include "model/history.h"
#include "model/judge.h"
#include "model/marks.h"
#include "model/series.h"
#include "viewer_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SECOND   UINT64_C(1000000000)
#define FRAME_PA UINT64_C(0x84800000)

static void add_event(struct activity *a, enum trace_kind kind, uint64_t ticks, uint64_t mfn,
                      unsigned int slot, unsigned int refs)
{
    struct event e = {.kind = (uint8_t)kind,
                      .ticks = ticks,
                      .mfn = mfn,
                      .caller = mfn,
                      .slot = (uint16_t)slot,
                      .refs = (uint8_t)refs};

    activity_add(a, &e);
}

/* Who holds what, as events tell; after a loss nobody does. */
static void test_activity(void **state)
{
    struct activity *a = activity_new(1, 1000);
    struct event foreign = {.cpu = 1, .kind = TRACE_MAP}, lost = {.lost = 3};
    const struct slot_activity *s;
    static struct findings f;
    struct held held[4];
    struct fake_source *fake = machine_make(1);
    struct snapshot *snap = machine_snapshot(fake);
    unsigned int row[2];

    (void)state;
    activity_add(a, &foreign);
    assert_int_equal(a->maps, 0);
    add_event(a, TRACE_MAP, 1000, 7, 36, 1);
    add_event(a, TRACE_MAP, 2000, 8, 36, 2);
    add_event(a, TRACE_MAP, 3000, 8, 37, 1);
    add_event(a, TRACE_MAP, 3000, 8, 1023, 0);
    assert_int_equal(tally_top(&a->callers, 2, row), 2);
    assert_int_equal(a->callers.row[0].key, 8);
    assert_int_equal(a->callers.row[0].count, 3);
    assert_int_equal(activity_held(a, 0, held, 4), 4);
    assert_int_equal(held[0].holder.mfn, 7);
    assert_int_equal(activity_held(a, 0, held, 2), 2);
    add_event(a, TRACE_UNMAP, 11000, 7, 36, 1);
    s = activity_slot(a, 0, 36);
    assert_int_equal(s->nr, 1);
    assert_int_equal(s->holder[0].mfn, 8);
    check_snapshot(snap, a, &f);
    assert_int_equal(f.count[RULE_LEAK], 3);
    assert_int_equal(f.nr, 3);
    add_event(a, TRACE_MAP, 4000, 8, 37, 2);
    check_snapshot(snap, a, &f);
    assert_int_equal(f.count[RULE_LEAK], 4);
    assert_int_equal(f.nr, 3); /* two references of one page by one caller are one line */
    assert_non_null(strstr(f.finding[1].text, "slot 37, mfn 0x8 x2, for 8.0 s"));
    findings_add(&f, RULE_HAZARD, 0, 36, 5, 0, "wrong");
    assert_int_equal(f.count[RULE_HAZARD], 5);
    assert_string_equal(f.finding[0].text, "wrong"); /* notes stand behind it */
    assert_non_null(strstr(f.finding[2].text, "slot 37, mfn 0x8 x2, for 8.0 s"));
    for (unsigned int i = 0; i < FINDINGS_MAX; i++)
        findings_add(&f, i ? RULE_OWED : RULE_HAZARD, 0, 36, 1, 0, i ? "note" : "wrong too");
    assert_string_equal(f.finding[1].text, "wrong too");
    assert_int_equal(f.nr, FINDINGS_MAX);
    findings_add(&f, RULE_HAZARD, 0, 36, 1, 0, "and this"); /* in the place of the last note */
    assert_string_equal(f.finding[2].text, "and this");
    assert_int_equal(f.nr, FINDINGS_MAX);
    assert_int_equal(activity_heat(a, s), 0);
    add_event(a, TRACE_UNMAP, 11000, 9, 36, 0); /* a map that was not seen */
    assert_int_equal(s->nr, 0);
    activity_add(a, &lost);
    assert_int_equal(a->lost[0], 3);
    assert_int_equal(activity_slot(a, 0, 37)->nr, 0);
    assert_null(activity_slot(a, 1, 0));
    for (unsigned int i = 0; i < TALLY_ROOM + 5; i++)
        add_event(a, TRACE_MAP, 12000, 100 + i, 40, 0);
    assert_int_equal(a->callers.nr, TALLY_ROOM);
    assert_int_equal(a->callers.others, 7);
    free(snap);
    activity_free(a);
    source_close(&fake->src);
}

#define BIG_PA      (RAM_START + 0xa00000)
#define BIG_ENTRIES (UINT64_C(1) << 16)

/* Records of a CPU whose ring is large, up to head: maps of slot 40, the first one of slot 36. */
static void fill_ring(struct fake_source *fake, unsigned int cpu, uint64_t head)
{
    uint64_t ring = BIG_PA + cpu * BIG_ENTRIES * sizeof(struct trace_record);

    fake_put_u64(fake, CPU_FIELD(cpu, ring_entries), BIG_ENTRIES);
    fake_put_u64(fake, CPU_FIELD(cpu, ring), ring);
    for (uint64_t i = 0; i < head; i++) {
        struct trace_record r = {.head = (1000 + i) | (uint64_t)TRACE_MAP << 48,
                                 .what = UINT64_C(1) << 46 | UINT64_C(40) << 36 | 7,
                                 .caller = 8};

        if (i == 0)
            r.what = UINT64_C(1) << 46 | UINT64_C(36) << 36 | 9;
        fake_put(fake, ring + i * sizeof(r), &r, sizeof(r));
    }
    fake_put_u64(fake, CPU_FIELD(cpu, ring_head), head);
}

/* More at once than the log has room for: that some were lost is known all the same. */
static void test_much_at_once(void **state)
{
    struct fake_source *fake = machine_make(2);
    struct event_log *log = calloc(1, sizeof(*log));
    struct activity *a = activity_new(2, 1000);
    struct snapshot *snap;

    (void)state;
    for (uint64_t head = 1; head <= 40001; head += 40000) {
        for (unsigned int cpu = 0; cpu < 2; cpu++)
            fill_ring(fake, cpu, head);
        snap = machine_snapshot(fake);
        assert_true(events_update(log, &fake->src, snap));
        activity_take(a, log);
        free(snap);
        assert_int_equal(activity_slot(a, 1, 36)->nr, head == 1);
    }
    assert_int_equal(log->nr, EVENTS_KEPT);
    assert_int_equal(a->lost[0], 40000 - EVENTS_BATCH);
    assert_int_equal(a->lost[1], 40000 - EVENTS_BATCH);
    activity_free(a);
    events_free(log);
    free(log);
    source_close(&fake->src);
}

static void test_series(void **state)
{
    static struct series s;
    struct fake_source *fake = machine_make(1);
    struct snapshot *snap;

    (void)state;
    machine_populate(fake, 1);
    snap = machine_snapshot(fake);
    snap->time = SECOND;
    series_sample(&s, snap);
    assert_int_equal(s.nr, 0);
    snap->time = SECOND + SECOND / 2;
    snap->cpu[0].info.maps = 300;
    series_sample(&s, snap);
    assert_int_equal(s.nr, 0);
    snap->time = 3 * SECOND;
    series_sample(&s, snap);
    assert_int_equal(s.nr, 1);
    assert_int_equal(s.second[0].maps, 150);
    assert_int_equal(s.second[0].in_use, 16);
    assert_int_equal(s.second[0].cached, 1);
    for (unsigned int i = 0; i < SERIES_KEPT; i++) {
        snap->time += SECOND;
        snap->cpu[0].info.maps += i;
        series_sample(&s, snap);
    }
    assert_int_equal(s.nr, SERIES_KEPT);
    assert_int_equal(s.second[0].maps, 0);
    assert_int_equal(s.second[SERIES_KEPT - 1].maps, SERIES_KEPT - 1);
    free(snap);
    source_close(&fake->src);
}

/* A person's mark: what differs from it stays marked, whatever time passes. */
static void test_pinned(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct snapshot *then = machine_snapshot(fake), *now;
    struct marks *marks = marks_new(1);

    (void)state;
    then->time = SECOND;
    marks_sample(marks, NULL, then);
    marks_pin(marks, then);
    fake_put_u64(fake, SLOT_PA(0, 9), SLOT_PTE(FRAME_PA, 1));
    now = machine_snapshot(fake);
    now->time = 100 * SECOND;
    marks_sample(marks, then, now);
    assert_true(marks_slot(marks, 0, 9));
    assert_int_equal(marks_count(marks, 0), 1);
    assert_int_equal(marks->cpu[0].was[9], 0);
    assert_false(marks_fading(marks));
    marks_pin(marks, NULL);
    now->time = 200 * SECOND;
    marks_sample(marks, now, now);
    assert_false(marks_slot(marks, 0, 9));
    free(then);
    free(now);
    marks_free(marks);
    source_close(&fake->src);
}

/* Snapshots are kept within bounds; a state between two of them follows from the events. */
static void test_history(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct history *h = calloc(1, sizeof(*h));
    struct event_log *log = calloc(1, sizeof(*log));
    struct snapshot *snap = machine_snapshot(fake), *then = snapshot_new(1);

    (void)state;
    assert_false(history_state(h, log, 0, then));
    for (unsigned int i = 0; i < HISTORY_MAX + 3; i++) {
        snap->time = i;
        history_add(h, snap);
    }
    assert_int_equal(h->nr, h->room);
    assert_int_equal(history_at(h, h->nr - 1)->time, HISTORY_MAX + 2);
    assert_int_equal(history_at(h, 0)->time, HISTORY_MAX + 3 - h->room);
    machine_add_event(fake, 0, 10, TRACE_MAP, 0x84800, 36, 1);
    machine_add_event(fake, 0, 11, TRACE_UNMAP, 0x84800, 36, 0);
    free(snap);
    snap = machine_snapshot(fake);
    events_update(log, &fake->src, snap);
    assert_int_equal(history_events(log, snap), 2);
    assert_true(history_state(h, log, 1, then));
    assert_int_equal(then->cpu[0].pte[36], SLOT_PTE(FRAME_PA, 1));
    assert_int_equal(then->cpu[0].state[36], SLOT_IN_USE);
    assert_true(history_state(h, log, 2, then));
    assert_int_equal(then->cpu[0].state[36], SLOT_CACHED);
    history_clear(h);
    history_add(h, snap); /* of after the events: nothing is known of before */
    assert_true(history_state(h, log, 1, then));
    assert_false(then->cpu[0].consistent);
    history_clear(h);
    events_free(log);
    free(log);
    free(h);
    free(snap);
    free(then);
    source_close(&fake->src);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activity), cmocka_unit_test(test_much_at_once),
        cmocka_unit_test(test_series),   cmocka_unit_test(test_pinned),
        cmocka_unit_test(test_history),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
