/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lookups replayed, expressions, rings read to the last record, holders.
 */
#include "command/line.h"
#include "command/wait.h"
#include "model/check.h"
#include "model/lookup.h"
#include "viewer_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FRAME_PA UINT64_C(0x84800000)
#define FRAME    UINT64_C(0x84800) /* its home is slot 36 */

static void explain(struct fake_source *fake, uint64_t mfn, struct explanation *e)
{
    struct snapshot *snap = machine_snapshot(fake);

    assert_true(explain_lookup(&snap->machine, &snap->cpu[0], mfn, e));
    free(snap);
}

static void test_explain(void **state)
{
    static struct explanation e;
    struct fake_source *fake = machine_make(1);

    (void)state;
    explain(fake, FRAME + 3, &e);
    assert_string_equal(verdict_word(e.verdict), "take");
    assert_int_equal(e.home, 36);
    fake_put_u64(fake, SLOT_PA(0, 36), SLOT_PTE(FRAME_PA, 2));
    explain(fake, FRAME, &e);
    assert_string_equal(verdict_word(e.verdict), "hit");
    fake_put_u64(fake, SLOT_PA(0, 36), SLOT_PTE(FRAME_PA, 15));
    fake_put_u64(fake, SLOT_PA(0, 37), SLOT_PTE(UINT64_C(0x90000000), 1));
    fake_put_u64(fake, SLOT_PA(0, 38), SLOT_PTE(UINT64_C(0x90000000), 0));
    fake_put_u64(fake, SLOT_PA(0, 39), SLOT_PTE(FRAME_PA, 1));
    explain(fake, FRAME, &e);
    assert_string_equal(verdict_word(e.verdict), "commandeer");
    assert_int_equal(e.nr, 3);
    assert_int_equal(e.probe[0].why, PROBE_SATURATED);
    assert_int_equal(e.probe[1].why, PROBE_BUSY);
    assert_int_equal(e.probe[2].slot, 38);
    assert_int_equal(e.slot, 38);
    assert_int_equal(e.refs, 1);
    source_close(&fake->src);
}

static void test_explain_full(void **state)
{
    static struct explanation e;
    struct fake_source *fake = machine_make(1);

    (void)state;
    for (unsigned int s = 0; s < 1024; s++)
        fake_put_u64(fake, SLOT_PA(0, s), SLOT_PTE(UINT64_C(0x90000000), 1));
    explain(fake, FRAME, &e);
    assert_string_equal(verdict_word(e.verdict), "full");
    assert_int_equal(e.nr, 1024);
    assert_int_equal(e.probe[1023].slot, 35);
    fake_put_u64(fake, BEACON_FIELD(xenheap_pa), FRAME_PA);
    fake_put_u64(fake, BEACON_FIELD(xenheap_size), 0x1000);
    explain(fake, FRAME, &e);
    assert_string_equal(verdict_word(e.verdict), "bypass");
    explain(fake, FRAME + 1, &e);
    assert_string_equal(verdict_word(e.verdict), "full");
    source_close(&fake->src);
}

static void check_query(const struct machine *m, const char *text, enum query_kind kind,
                        uint64_t mfn)
{
    struct failure f;
    struct query q;

    assert_int_equal(query_parse(m, text, &q, &f), 0);
    assert_int_equal(q.kind, kind);
    assert_int_equal(q.mfn, mfn);
}

static void test_query(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct snapshot *snap = machine_snapshot(fake);
    struct failure f;
    struct query q;

    (void)state;
    check_query(&snap->machine, "0x84800", QUERY_MFN, FRAME);
    check_query(&snap->machine, "0x84800123", QUERY_PA, FRAME);
    check_query(&snap->machine, "pa:0x1000", QUERY_PA, 1);
    check_query(&snap->machine, "mfn:0x84800000", QUERY_MFN, FRAME_PA);
    check_query(&snap->machine, "0x7f8000000000", QUERY_VA, 0x7f8000000000);
    assert_int_equal(query_parse(&snap->machine, "mfn:x", &q, &f), -1);
    assert_int_equal(query_parse(&snap->machine, "", &q, &f), -1);
    free(snap);
    source_close(&fake->src);
}

static void check_wait(const struct snapshot *snap, const char *text, bool known, bool holds)
{
    struct wait_expr e;
    struct failure f;
    uint64_t value = 0;

    if (wait_parse(text, &e, &f))
        fail_msg("%s: %s", text, f.text);
    if (wait_value(&e, snap, &value) != known || (known && wait_holds(&e, value) != holds))
        fail_msg("%s: %llu", text, (unsigned long long)value);
}

static void test_wait(void **state)
{
    static const char *const bad[] = {
        "",
        "cpu0",
        "cpu0.refs",
        "refs>=2",
        "cpu0.slot36.maps>1",
        "cpu0.slot1024.refs>1",
        "cpu0.refs>=",
        "cpu0.refs>=x",
        "slot3.refs>1",
        "cpu0.slot3.state==busy",
        "cpu64.refs>0",
    };
    struct fake_source *fake = machine_make(2);
    struct snapshot *snap;
    struct wait_expr e;
    struct failure f;

    (void)state;
    fake_put_u64(fake, SLOT_PA(0, 36), SLOT_PTE(FRAME_PA, 2));
    fake_put_u64(fake, CPU_FIELD(0, maps), 7);
    machine_put_u32(fake, CPU_FIELD(1, state), BEACON_CPU_OFF);
    snap = machine_snapshot(fake);
    check_wait(snap, "cpu0.slot36.refs>=2", true, true);
    check_wait(snap, "cpu0.slot36.refs>2", true, false);
    check_wait(snap, "cpu0.slot36.mfn==0x84800", true, true);
    check_wait(snap, "cpu0.slot36.state==in-use", true, true);
    check_wait(snap, "cpu0.slot35.state!=free", true, false);
    check_wait(snap, "cpu0.slot35.mfn==0", false, false);
    check_wait(snap, "cpu0.maps<8", true, true);
    check_wait(snap, "cpu0.in-use==1", true, true);
    check_wait(snap, "cpu0.refs<=1", true, false);
    check_wait(snap, "cpu1.refs==0", false, false);
    check_wait(snap, "cpu1.state==off", true, true);
    check_wait(snap, "state==ready", true, true);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        if (wait_parse(bad[i], &e, &f) == 0)
            fail_msg("%s was understood", bad[i]);
        assert_int_equal(f.status, EXIT_USAGE);
    }
    free(snap);
    source_close(&fake->src);
}

static struct ring_batch read_ring(struct fake_source *fake, struct ring_cursor *cursor,
                                   struct trace_record *records, unsigned int max)
{
    struct ring_batch b = {.record = records, .max = max};
    struct snapshot *snap = machine_snapshot(fake);

    assert_true(ring_read(&fake->src, &snap->machine, 0, &snap->cpu[0].info, cursor, &b));
    free(snap);
    return b;
}

/* Whatever is read, seen + lost = produced. */
static void test_ring(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct trace_record records[RING_SIZE];
    struct ring_cursor cursor = {0};
    struct ring_batch b;
    uint64_t seen = 0, lost = 0, made = 0;

    (void)state;
    b = read_ring(fake, &cursor, records, RING_SIZE);
    assert_int_equal(b.nr, 0);
    for (unsigned int round = 0; round < 60; round++) {
        for (unsigned int i = 0; i < round; i++, made++)
            machine_add_event(fake, 0, made, TRACE_MAP, made, 1, 1);
        do {
            b = read_ring(fake, &cursor, records, 5);
            for (unsigned int i = 0; i < b.nr; i++)
                assert_int_equal(b.record[i].head & TRACE_TIME_MASK, b.first + i);
            seen += b.nr;
            lost += b.lost;
        } while (b.more);
        assert_int_equal(seen + lost, made);
        assert_true(round < RING_SIZE - 2 ? lost == 0 : lost > 0 || round < RING_SIZE);
    }
    source_close(&fake->src);
}

/* The producer goes on while records are copied: those are lost, not wrong. */
static void overtake(struct fake_source *fake, uint64_t pa, size_t len)
{
    if (pa < RINGS_PA || len < sizeof(struct trace_record))
        return;
    fake->on_read = NULL;
    for (unsigned int i = 0; i < 10; i++)
        machine_add_event(fake, 0, 1000 + i, TRACE_MAP, 1, 1, 1);
}

static void test_ring_overtaken(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct trace_record records[RING_SIZE];
    struct ring_cursor cursor = {0};
    struct ring_batch b;

    (void)state;
    read_ring(fake, &cursor, records, RING_SIZE);
    for (unsigned int i = 0; i < 12; i++)
        machine_add_event(fake, 0, i, TRACE_MAP, 1, 1, 1);
    fake->on_read = overtake;
    b = read_ring(fake, &cursor, records, RING_SIZE);
    assert_int_equal(b.nr + b.lost, 12);
    assert_int_equal(b.lost, 12 + 10 + 2 - RING_SIZE);
    assert_int_equal(b.first, b.lost);
    b = read_ring(fake, &cursor, records, RING_SIZE);
    assert_int_equal(b.nr, 10);
    assert_int_equal(b.record[0].head & TRACE_TIME_MASK, 1000);
    source_close(&fake->src);
}

/* The first reading begins with what it gets: nothing was there to be lost. */
static void test_first_reading_loses_nothing(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct trace_record records[RING_SIZE];
    struct ring_cursor cursor = {0};
    struct ring_batch b;

    (void)state;
    for (unsigned int i = 0; i < 12; i++)
        machine_add_event(fake, 0, i, TRACE_MAP, 1, 1, 1);
    fake->on_read = overtake;
    b = read_ring(fake, &cursor, records, RING_SIZE);
    assert_int_equal(b.lost, 0);
    assert_int_equal(b.first, 12 + 10 + 2 - RING_SIZE);
    source_close(&fake->src);
}

static void put_event(struct activity *a, enum trace_kind kind, uint64_t mfn, unsigned int refs,
                      uint64_t caller, uint64_t ticks)
{
    const struct event e = {
        .kind = kind, .slot = 36, .mfn = mfn, .refs = refs, .caller = caller, .ticks = ticks};

    activity_add(a, &e);
}

/* An unmap ends the youngest map of its page; a loss ends what was known. */
static void test_holders(void **state)
{
    struct activity *a = activity_new(1, 1000);
    const struct event lost = {.lost = 9, .ticks = 900};
    const struct slot_activity *s;
    struct held held[4];

    (void)state;
    put_event(a, TRACE_MAP, FRAME, 1, 0xa, 100);
    put_event(a, TRACE_MAP, FRAME + 1, 2, 0xb, 200);
    put_event(a, TRACE_MAP, FRAME, 3, 0xc, 300);
    put_event(a, TRACE_UNMAP, FRAME, 2, 0xd, 400);
    s = activity_slot(a, 0, 36);
    assert_int_equal(s->nr, 2);
    assert_int_equal(s->holder[0].caller, 0xa);
    assert_int_equal(s->holder[1].caller, 0xb);
    assert_int_equal(activity_heat(a, s), 3);
    assert_int_equal(activity_held(a, 250000000, held, 4), 1);
    assert_int_equal(held[0].holder.caller, 0xa);
    assert_int_equal(activity_age(a, 100), 300000000);
    put_event(a, TRACE_UNMAP, FRAME + 2, 1, 0xd, 500); /* released what was not seen */
    assert_int_equal(s->nr, 1);
    activity_add(a, &lost);
    assert_int_equal(s->nr, 0);
    assert_int_equal(a->callers.nr, 3);
    activity_free(a);
}

static bool found(const struct findings *f, enum rule rule, unsigned int cpu)
{
    for (unsigned int i = 0; i < f->nr; i++) {
        if (f->finding[i].rule == rule && f->finding[i].cpu == cpu)
            return true;
    }
    return false;
}

static void test_check(void **state)
{
    struct fake_source *fake = machine_make(3);
    static struct findings f;
    struct snapshot *snap = machine_snapshot(fake);

    (void)state;
    check_snapshot(snap, NULL, &f);
    assert_int_equal(f.nr, 0);
    assert_int_equal(f.entries, 3 * 1024);
    fake_put_u64(fake, SLOT_PA(0, 3), UINT64_C(0x0080000000000000));
    fake_put_u64(fake, SLOT_PA(0, 4), SLOT_PTE(FRAME_PA, 15));
    fake_put_u64(fake, SLOT_PA(0, 5), SLOT_PTE(FRAME_PA, 1));
    fake_put_u64(fake, L1_PA(1), L2_PA(0) | 0xf7f);
    fake_put_u64(fake, L1_PA(2) + 8, 0);
    free(snap);
    snap = machine_snapshot(fake);
    check_snapshot(snap, NULL, &f);
    assert_true(found(&f, RULE_BROKEN, 0) && found(&f, RULE_SHARED_L2, 1));
    assert_true(found(&f, RULE_CHAIN, 2) && found(&f, RULE_DUPLICATE, 0));
    assert_true(found(&f, RULE_SATURATED, 0) && !found(&f, RULE_SHARED_ROOT, 1));
    assert_int_equal(f.count[RULE_SHARED_L2], 1);
    assert_int_equal(findings_wrong(&f), 4); /* CPU1 has CPU0's broken slot too */
    free(snap);
    source_close(&fake->src);
}

/* What the viewer's line says to a command. */
static void check_line(const struct fake_source *fake, const struct snapshot *snap,
                       const char *line, const char *part)
{
    struct context ctx = {.src = &fake->src, .snap = snap, .target = TARGET_NONE};
    char *text = line_run(&ctx, line);

    if (!strstr(text, part))
        fail_msg(":%s says %s", line, text);
    free(text);
}

/* Every command that it takes, and to what it does not take it names those. */
static void test_lines(void **state)
{
    struct fake_source *fake = machine_make(2);
    struct snapshot *snap;

    (void)state;
    machine_populate(fake, 2);
    machine_add_event(fake, 0, 62500000, TRACE_MAP, 0x84a13, 37, 2);
    snap = machine_snapshot(fake);
    check_line(fake, snap, "dump --cpu 1", "CPU1  root 0x");
    check_line(fake, snap, "walk 0x7f8000000000", "L0[255]");
    check_line(fake, snap, "map", "el2 of CPU0");
    check_line(fake, snap, "cpus", "cpu  state");
    check_line(fake, snap, "stats", "CPU0 ");
    check_line(fake, snap, "events", "CPU0   map     slot   37  refs  2  mfn 0x84a13");
    check_line(fake, snap, "events --json", "\"event\":\"map\",\"slot\":37");
    check_line(fake, snap, "find mfn:0x84a13", "0x84a13");
    check_line(fake, snap, "explain 0x84a13", "home slot 37");
    check_line(fake, snap, "events --follow", "that is for the command line\nhere there are dump");
    check_line(fake, snap, "check", "that is for the command line\nhere there are dump");
    check_line(fake, snap, "bogus", "unknown command bogus");
    check_line(fake, snap, "bogus", "\nhere there are dump, walk, map, cpus, stats, events");
    check_line(fake, snap, "walk", "walk needs VA");
    free(snap);
    source_close(&fake->src);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),          cmocka_unit_test(test_explain),
        cmocka_unit_test(test_explain_full),   cmocka_unit_test(test_query),
        cmocka_unit_test(test_wait),           cmocka_unit_test(test_ring),
        cmocka_unit_test(test_ring_overtaken), cmocka_unit_test(test_first_reading_loses_nothing),
        cmocka_unit_test(test_holders),        cmocka_unit_test(test_check),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
