/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The viewer's model: tables, slots, consistency, marks, events.
 */
#include "model/events.h"
#include "model/marks.h"
#include "model/profile.h"
#include "model/pte_text.h"
#include "model/runstate.h"
#include "viewer_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MS UINT64_C(1000000)

static void test_states(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct snapshot *snap;
    const struct cpu_snapshot *c;

    (void)state;
    machine_populate(fake, 1);
    snap = machine_snapshot(fake);
    c = &snap->cpu[0];
    assert_int_equal(c->state[0], SLOT_FREE);
    assert_int_equal(c->state[36], SLOT_CACHED);
    assert_int_equal(c->state[37], SLOT_IN_USE);
    assert_int_equal(c->state[50], SLOT_IN_USE);
    assert_int_equal(c->state[51], SLOT_SATURATED);
    assert_int_equal(c->state[130], SLOT_BROKEN);
    assert_int_equal(c->state[700], SLOT_BROKEN);
    assert_int_equal(c->counts[SLOT_FREE], 1024 - 19);
    assert_int_equal(c->counts[SLOT_CACHED], 1);
    assert_int_equal(c->counts[SLOT_IN_USE], 15);
    assert_int_equal(c->counts[SLOT_SATURATED], 1);
    assert_int_equal(c->counts[SLOT_BROKEN], 2);
    assert_int_equal(c->refs, 120 + 1 + 1 + 2);
    assert_true(c->consistent);
    free(snap);
    source_close(&fake->src);
}

static void test_slot_info(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct snapshot *snap;
    struct slot_info i;

    (void)state;
    snap = machine_snapshot(fake);
    i = slot_describe(&snap->machine, 1023, SLOT_PTE(UINT64_C(0x84800000), 2));
    assert_int_equal(i.va, UINT64_C(0x7f807fe00000));
    assert_int_equal(i.mfn, 0x84800);
    assert_int_equal(i.home, 36);
    assert_int_equal(i.probe, 987);
    assert_int_equal(i.refs, 2);
    i = slot_describe(&snap->machine, 0, 0x84800f7f);
    assert_false(i.block);
    assert_int_equal(i.state, SLOT_BROKEN);
    snap->machine.beacon.engine = BEACON_ENGINE_CLOCK;
    i = slot_describe(&snap->machine, 36, SLOT_PTE(UINT64_C(0x84800000), 1));
    assert_true(i.block);
    assert_false(i.has_home);
    free(snap);
    source_close(&fake->src);
}

/* Put value into an entry of the chain and see where it ends. */
static void check_chain(uint64_t entry_pa, uint64_t value, unsigned int which, enum chain_end end,
                        unsigned int nr, unsigned int readable)
{
    struct fake_source *fake = machine_make(1);
    struct snapshot *snap;
    const struct cpu_snapshot *c;
    unsigned int sum = 0;

    fake_put_u64(fake, entry_pa, value);
    snap = machine_snapshot(fake);
    c = &snap->cpu[0];
    assert_int_equal(c->chain.nr, nr);
    if (nr)
        assert_int_equal(c->chain.entry[which].end, end);
    for (int i = 0; i < SLOT_STATES; i++)
        sum += c->counts[i];
    assert_int_equal(sum, readable);
    free(snap);
    source_close(&fake->src);
}

static void test_chains(void **state)
{
    uint64_t l0 = ROOT_PA(0) + 255 * 8, l1 = L1_PA(0);

    (void)state;
    check_chain(l0, 0, 0, CHAIN_INVALID, 1, 0);
    check_chain(l0, L1_PA(0) | 0xf7d, 0, CHAIN_BLOCK, 1, 0);
    check_chain(l0, UINT64_C(0x8000000000) | 0xf7f, 0, CHAIN_OUTSIDE, 1, 0);
    check_chain(l1, 0, 1, CHAIN_INVALID, 3, 512);
    check_chain(l1 + 8, UINT64_C(0x1000) | 0xf7f, 2, CHAIN_OUTSIDE, 3, 512);
    check_chain(l1 + 8, L2_PA(0) | 0xf7d, 2, CHAIN_BLOCK, 3, 512);
    check_chain(CPU_FIELD(0, root), 0x1000, 0, 0, 0, 0);
    check_chain(CPU_FIELD(0, root), ROOT_PA(0) + 8, 0, 0, 0, 0);
    check_chain(CPU_FIELD(0, root), UINT64_MAX & ~0xfffULL, 0, 0, 0, 0);
    /* In a bank, but behind the memory that can be read: a table, no slots. */
    check_chain(l1, UINT64_C(0x50000000) | 0xf7f, 1, CHAIN_TABLE, 3, 512);
    /* The root as its own L1: two entries that are invalid there. */
    check_chain(l0, ROOT_PA(0) | 0xf7f, 0, CHAIN_TABLE, 3, 0);
}

static void test_self_loop(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct snapshot *snap;

    (void)state;
    fake_put_u64(fake, ROOT_PA(0) + 255 * 8, ROOT_PA(0) | 0xf7f);
    fake_put_u64(fake, ROOT_PA(0), ROOT_PA(0) | 0xf7f);
    snap = machine_snapshot(fake);
    assert_int_equal(snap->cpu[0].chain.nr, 3);
    assert_int_equal(snap->cpu[0].counts[SLOT_BROKEN], 2);
    free(snap);
    source_close(&fake->src);
}

static void test_cpu_off(void **state)
{
    struct fake_source *fake = machine_make(2);
    struct snapshot *snap;

    (void)state;
    machine_put_u32(fake, CPU_FIELD(1, state), BEACON_CPU_OFF);
    snap = machine_snapshot(fake);
    assert_true(snap->cpu[0].on);
    assert_false(snap->cpu[1].on);
    free(snap);
    source_close(&fake->src);
}

static int moves_left;

/* The CPU goes on between the reads of the slots and of the generation. */
static void move_on(struct fake_source *fake, uint64_t pa, size_t len)
{
    uint64_t generation;

    if (len != PAGE_SIZE || pa != L2_PA(0) || moves_left-- <= 0)
        return;
    memcpy(&generation, fake->mem + (CPU_FIELD(0, generation) - fake->base), 8);
    fake_put_u64(fake, CPU_FIELD(0, generation), generation + 2);
}

static bool read_consistent(uint64_t generation, int moves)
{
    struct fake_source *fake = machine_make(1);
    struct snapshot *snap;
    bool consistent;

    fake_put_u64(fake, CPU_FIELD(0, generation), generation);
    moves_left = moves;
    fake->on_read = move_on;
    snap = machine_snapshot(fake);
    consistent = snap->cpu[0].consistent;
    free(snap);
    source_close(&fake->src);
    return consistent;
}

static void test_generation(void **state)
{
    (void)state;
    assert_true(read_consistent(100, 0));
    assert_false(read_consistent(101, 0));
    assert_true(read_consistent(100, 3));
    assert_false(read_consistent(100, 4));
    assert_false(read_consistent(101, 2));
}

static void reset_machine(struct fake_source *fake, uint64_t pa, size_t len)
{
    if (len == PAGE_SIZE && pa == L2_PA(0))
        fake_put_u64(fake, BEACON_FIELD(boot_id), 0x9999);
}

static void test_reset_while_reading(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct snapshot *snap = snapshot_new(1);
    struct machine m;
    struct failure f;

    (void)state;
    assert_int_equal(machine_read(&fake->src, NULL, &m, &f), MACHINE_OK);
    fake->on_read = reset_machine;
    assert_int_equal(snapshot_read(&fake->src, &m, snap, &f), -1);
    assert_non_null(strstr(f.text, "reset while it was read"));
    free(snap);
    source_close(&fake->src);
}

static struct snapshot *snapshot_at(struct fake_source *fake, uint64_t time)
{
    struct snapshot *snap = machine_snapshot(fake);

    snap->time = time;
    return snap;
}

static void test_marks_live(void **state)
{
    struct fake_source *fake = machine_make(2);
    struct snapshot *a = snapshot_at(fake, 1000 * MS), *b, *c;
    struct marks *marks = marks_new(2);

    (void)state;
    marks_sample(marks, NULL, a);
    assert_false(marks_fading(marks));
    fake_put_u64(fake, SLOT_PA(1, 7), SLOT_PTE(UINT64_C(0x80000000), 1));
    b = snapshot_at(fake, 1100 * MS);
    assert_true(snapshot_differs(a, b));
    marks_sample(marks, a, b);
    assert_true(marks_slot(marks, 1, 7));
    assert_false(marks_slot(marks, 0, 7));
    assert_int_equal(marks_count(marks, 1), 1);
    c = snapshot_at(fake, 1599 * MS);
    assert_false(snapshot_differs(b, c));
    marks_sample(marks, b, c);
    assert_true(marks_slot(marks, 1, 7));
    c->time = 1600 * MS;
    marks_sample(marks, b, c);
    assert_false(marks_slot(marks, 1, 7));
    assert_false(marks_fading(marks));
    free(a);
    free(b);
    free(c);
    marks_free(marks);
    source_close(&fake->src);
}

/* Maps and unmaps a second: by its generation, or of who counts nothing by the tracer. */
static void test_rate(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct snapshot *snap = snapshot_at(fake, 1000 * MS);
    struct marks *marks = marks_new(1);

    (void)state;
    for (int foreign = 0; foreign < 2; foreign++) {
        if (foreign)
            snap->machine.profile = &profile_xen;
        for (int i = 0; i < 2; i++) {
            marks_sample(marks, NULL, snap);
            snap->time += 2000 * MS;
            snap->cpu[0].info.generation += 100;
            snap->cpu[0].info.maps += 40;
        }
        marks_sample(marks, NULL, snap);
        assert_int_equal(marks->cpu[0].rate, foreign ? 20 : 25);
    }
    free(snap);
    marks_free(marks);
    source_close(&fake->src);
}

static void test_marks_stops(void **state)
{
    struct fake_source *fake = machine_make(2);
    struct snapshot *a = snapshot_at(fake, 1000 * MS), *b;
    struct marks *marks = marks_new(2);

    (void)state;
    marks_sample(marks, NULL, a);
    marks_settle(marks, a);
    assert_false(marks->compared);
    fake_put_u64(fake, SLOT_PA(0, 9), SLOT_PTE(UINT64_C(0x80000000), 1));
    fake_put_u64(fake, CPU_FIELD(1, generation), 100 + 2 * 214);
    b = snapshot_at(fake, 9000 * MS);
    marks_unsettle(marks);
    marks_sample(marks, a, b);
    marks_settle(marks, b);
    assert_true(marks->compared);
    assert_true(marks_slot(marks, 0, 9));
    assert_int_equal(marks->cpu[0].was[9], 0);
    assert_int_equal(marks->cpu[1].operations, 214);
    marks->now += 100000 * MS;
    assert_true(marks_slot(marks, 0, 9));
    /* A step that changed nothing: the next settled stop shows no mark. */
    marks_settle(marks, b);
    assert_false(marks_slot(marks, 0, 9));
    free(a);
    free(b);
    marks_free(marks);
    source_close(&fake->src);
}

static void test_halted_here(void **state)
{
    struct runstate run = {.has_machine = false};
    char note[64];

    (void)state;
    assert_int_equal(runstate_word(&run, NULL, 0), RUN_FILE);
    run.halted_here = true;
    assert_int_equal(runstate_word(&run, NULL, 0), RUN_STOPPED);
    runstate_note(&run, NULL, RUN_STOPPED, note, sizeof(note));
    assert_string_equal(note, "by this viewer");
    run.gone = true;
    assert_int_equal(runstate_word(&run, NULL, 0), RUN_GONE);
}

static void test_runstate(void **state)
{
    struct runstate run = {.has_machine = true};
    struct machine m = {.beacon.state = BEACON_MAPCACHE_READY};
    char note[64];

    (void)state;
    assert_int_equal(runstate_word(&run, NULL, 0), RUN_BOOTING);
    assert_int_equal(runstate_word(&run, &m, 0), RUN_LIVE);
    runstate_answer(&run, QMP_STATUS_RUNNING, "running", 1000 * MS);
    runstate_answer(&run, QMP_STATUS_DEBUG, "debug", 1200 * MS);
    assert_int_equal(runstate_word(&run, &m, 1200 * MS), RUN_LIVE);
    assert_true(runstate_is_unsure(&run));
    runstate_answer(&run, QMP_STATUS_DEBUG, "debug", 1310 * MS);
    assert_int_equal(runstate_word(&run, &m, 1310 * MS), RUN_STOPPED);
    assert_true(runstate_is_settled(&run, 1310 * MS));
    run.moved_at = 1300 * MS;
    assert_false(runstate_is_settled(&run, 1399 * MS));
    assert_true(runstate_is_settled(&run, 1400 * MS));
    /* One resume in a storm of steps does not make it live. */
    runstate_answer(&run, QMP_STATUS_RUNNING, "running", 1500 * MS);
    assert_int_equal(runstate_word(&run, &m, 1500 * MS), RUN_STOPPED);
    assert_false(runstate_is_settled(&run, 1500 * MS));
    runstate_answer(&run, QMP_STATUS_PAUSED, "paused", 1600 * MS);
    runstate_answer(&run, QMP_STATUS_PAUSED, "paused", 1800 * MS);
    runstate_note(&run, &m, RUN_STOPPED, note, sizeof(note));
    assert_string_equal(note, "paused, no debugger attached");
    runstate_answer(&run, QMP_STATUS_PRELAUNCH, "prelaunch", 3000 * MS);
    runstate_answer(&run, QMP_STATUS_PRELAUNCH, "prelaunch", 3200 * MS);
    assert_int_equal(runstate_word(&run, &m, 3200 * MS), RUN_NOT_STARTED);
    m.beacon.state = BEACON_PANICKED;
    strcpy(m.message, "all slots busy");
    assert_int_equal(runstate_word(&run, &m, 3200 * MS), RUN_PANICKED);
    run.rebooted_at = 3000 * MS;
    assert_int_equal(runstate_word(&run, &m, 4999 * MS), RUN_REBOOTED);
    assert_int_equal(runstate_word(&run, &m, 5000 * MS), RUN_PANICKED);
    run.gone = true;
    assert_int_equal(runstate_word(&run, &m, 3200 * MS), RUN_GONE);
    runstate_note(&run, &m, RUN_GONE, note, sizeof(note));
    assert_string_equal(note, "after a panic: all slots busy");
    run.frozen = true;
    assert_int_equal(runstate_word(&run, &m, 3200 * MS), RUN_PAUSED);
    run = (struct runstate){0};
    m.beacon.state = BEACON_OFF;
    assert_int_equal(runstate_word(&run, &m, 0), RUN_OFF);
    m.beacon.state = BEACON_MAPCACHE_READY;
    assert_int_equal(runstate_word(&run, &m, 0), RUN_FILE);
}

static void test_events(void **state)
{
    struct fake_source *fake = machine_make(2);
    struct event_log *log = calloc(1, sizeof(*log));
    struct snapshot *snap;

    (void)state;
    machine_add_event(fake, 0, 10, TRACE_MAP, 0x84800, 36, 1);
    snap = machine_snapshot(fake);
    events_update(log, &fake->src, snap);
    assert_int_equal(log->nr, 1);
    assert_int_equal(log->produced, 0);
    machine_add_event(fake, 1, 12, TRACE_MAP, 0x84801, 37, 2);
    machine_add_event(fake, 0, 11, TRACE_UNMAP, 0x84800, 36, 0);
    events_update(log, &fake->src, snap);
    assert_int_equal(log->nr, 3);
    assert_int_equal(log->produced, 2);
    assert_int_equal(log->event[1].kind, TRACE_UNMAP);
    assert_int_equal(log->event[2].cpu, 1);
    assert_int_equal(log->event[2].slot, 37);
    assert_int_equal(log->event[2].refs, 2);
    for (unsigned int i = 0; i < 40; i++)
        machine_add_event(fake, 0, 20 + i, TRACE_MAP, 0x84800, 36, 1);
    events_update(log, &fake->src, snap);
    assert_int_equal(log->produced, 42);
    assert_int_equal(log->lost, 40 - (RING_SIZE - 2));
    assert_int_equal(log->nr, 3 + 1 + RING_SIZE - 2);
    assert_int_equal(log->event[log->nr - 1].ticks, 59);
    free(snap);
    events_free(log);
    free(log);
    source_close(&fake->src);
}

static void test_hostile_rings(void **state)
{
    static const uint64_t entries[] = {0, 1, 3, UINT64_MAX, UINT64_C(1) << 63, 1 << 30};
    struct fake_source *fake = machine_make(1);
    struct event_log *log = calloc(1, sizeof(*log));
    struct snapshot *snap;

    (void)state;
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
        fake_put_u64(fake, CPU_FIELD(0, ring_entries), entries[i]);
        fake_put_u64(fake, CPU_FIELD(0, ring_head), UINT64_MAX);
        snap = machine_snapshot(fake);
        events_update(log, &fake->src, snap);
        assert_int_equal(log->nr, 0);
        free(snap);
    }
    fake_put_u64(fake, CPU_FIELD(0, ring_entries), 16);
    fake_put_u64(fake, CPU_FIELD(0, ring), UINT64_MAX - 7);
    snap = machine_snapshot(fake);
    events_update(log, &fake->src, snap);
    assert_int_equal(log->nr, 0);
    free(snap);
    events_free(log);
    free(log);
    source_close(&fake->src);
}

static void check_every_bit(lpae_t pte, unsigned int level)
{
    struct pte_field field[PTE_FIELDS_MAX];
    unsigned int nr = pte_fields(pte, level, field);
    uint64_t covered = 0;

    assert_in_range(nr, 1, PTE_FIELDS_MAX);
    for (unsigned int i = 0; i < nr; i++) {
        uint64_t mask = UINT64_MAX >> (63 - (field[i].hi - field[i].lo)) << field[i].lo;

        assert_int_equal(covered & mask, 0);
        covered |= mask;
    }
    assert_int_equal(pte & ~covered, 0);
}

static void test_pte_names_every_bit(void **state)
{
    static const uint64_t kinds[] = {0, 1, 2, 3};

    (void)state;
    for (unsigned int level = 0; level < 4; level++) {
        for (unsigned int kind = 0; kind < 4; kind++) {
            check_every_bit(kinds[kind], level);
            check_every_bit(kinds[kind] | ~UINT64_C(3), level);
            for (unsigned int bit = 2; bit < 64; bit++)
                check_every_bit(kinds[kind] | PTE_BIT(bit), level);
        }
    }
}

static void test_pte_line(void **state)
{
    char text[128];

    (void)state;
    pte_line(UINT64_C(0x0140000084800f7d), 2, text, sizeof(text));
    assert_string_equal(text, "valid block attr7:normal-WB NS AP1 RW SH:inner AF nG XN refs:2");
    pte_line(UINT64_C(0x84800f7f), 1, text, sizeof(text));
    assert_string_equal(text, "valid table");
    pte_line(UINT64_C(0x0080000000000000), 2, text, sizeof(text));
    assert_string_equal(text, "invalid refs:1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_slot_info),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_self_loop),
        cmocka_unit_test(test_cpu_off),
        cmocka_unit_test(test_generation),
        cmocka_unit_test(test_reset_while_reading),
        cmocka_unit_test(test_marks_live),
        cmocka_unit_test(test_marks_stops),
        cmocka_unit_test(test_rate),
        cmocka_unit_test(test_halted_here),
        cmocka_unit_test(test_runstate),
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_hostile_rings),
        cmocka_unit_test(test_pte_names_every_bit),
        cmocka_unit_test(test_pte_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
