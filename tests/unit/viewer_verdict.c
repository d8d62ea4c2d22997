/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of events judged by the viewer or by the image, the words of events, and what is
 * found in tables.
 */
#include "model/judge.h"
#include "model/profile.h"
#include "model/pte_text.h"
#include "model/stream.h"
#include "viewer_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROWS_PA  UINT64_C(0x40900000)
#define RECORDS  64u /* of a ring that has more than calls */
#define FRAME_PA UINT64_C(0x84800000)
#define OTHER_PA UINT64_C(0x84a00000)

static void put_record(struct fake_source *fake, unsigned int cpu, enum trace_kind kind,
                       unsigned int more, struct trace_record r)
{
    uint64_t head, at = RINGS_PA + cpu * RECORDS * sizeof(r);

    assert_int_equal(source_read_u64(&fake->src, CPU_FIELD(cpu, ring_head), &head), 0);
    r.head |= (uint64_t)kind << TRACE_KIND_SHIFT | (uint64_t)more << TRACE_MORE_SHIFT;
    fake_put(fake, at + head % RECORDS * sizeof(r), &r, sizeof(r));
    fake_put_u64(fake, CPU_FIELD(cpu, ring_head), head + 1);
}

/* A store of new over old at pa, and the half that says where it was made. */
static void put_store(struct fake_source *fake, unsigned int cpu, uint64_t time, uint64_t pa,
                      uint64_t old, uint64_t new, uint64_t ticket)
{
    put_record(fake, cpu, TRACE_PTE, 0, (struct trace_record){time, pa, old, new});
    put_record(fake, cpu, TRACE_DETAIL, 0,
               (struct trace_record){ticket, 0xa0000201000, 0, TRACE_BARRIERS_NONE});
}

static struct fake_source *recorded_machine(unsigned int ncpu)
{
    struct fake_source *fake = machine_make(ncpu);

    machine_put_u32(fake, BEACON_FIELD(trace_mode), TRACE_ALL);
    for (unsigned int cpu = 0; cpu < ncpu; cpu++) {
        fake_put_u64(fake, CPU_FIELD(cpu, ring_entries), RECORDS);
        fake_put_u64(fake, CPU_FIELD(cpu, ring),
                     RINGS_PA + cpu * RECORDS * sizeof(struct trace_record));
    }
    return fake;
}

/* All that the rings hold, by time. */
static struct event_list read_events(struct fake_source *fake, const struct snapshot *snap)
{
    struct event_log *log = calloc(1, sizeof(*log));
    struct event_list list = {0};

    assert_true(events_update(log, &fake->src, snap));
    for (unsigned int i = 0; i < log->nr; i++)
        assert_true(event_list_add(&list, event_at(log, i)));
    events_free(log);
    free(log);
    return list;
}

static void check_text(const struct event *e, const char *name, const char *text)
{
    char said[128];

    event_describe(e, said, sizeof(said));
    assert_string_equal(event_name(e), name);
    assert_string_equal(said, text);
}

static void test_events_in_words(void **state)
{
    struct fake_source *fake = recorded_machine(1);
    struct snapshot *snap;
    struct event_list list;
    const struct trace_record plain = {.barriers = TRACE_BARRIERS_NONE};
    struct trace_record r = plain;

    (void)state;
    r.what = ROOT_PA(0);
    put_record(fake, 0, TRACE_TTBR, 0, r);
    put_store(fake, 0, 1, SLOT_PA(0, 36), 0, SLOT_PTE(FRAME_PA, 1), 0);
    r = (struct trace_record){2, SLOT_PA(0, 36), SLOT_PTE(FRAME_PA, 2), 0x8b};
    put_record(fake, 0, TRACE_REFS, 1u << TRACE_OLD_REFS_SHIFT | TRACE_LEVEL_KNOWN | 3, r);
    r = (struct trace_record){3, 0x7f8004800, 0, 0x8b4};
    put_record(fake, 0, TRACE_TLBI, TRACE_TLBI_VAE2, r);
    r.head = 4;
    put_record(fake, 0, TRACE_TLBI, TRACE_TLBI_ALLE2 | TRACE_SCOPE_INNER << TRACE_TLBI_SCOPE_SHIFT,
               r);
    r = (struct trace_record){5, 27, 0, 0x8b49};
    put_record(fake, 0, TRACE_IRQ, 0, r);
    r = (struct trace_record){6, 0, 0, 0x8b49};
    memcpy(&r.what, "broken \033[31m it", 15);
    put_record(fake, 0, TRACE_TEXT, TRACE_TEXT_FINDING, r);
    snap = machine_snapshot(fake);
    list = read_events(fake, snap);
    assert_int_equal(list.nr, 10);
    check_text(&list.event[0], "ttbr", "0x40300000");
    check_text(&list.event[1], "pte", "el2[36] at 0x40302120: 0x0 -> 0xc0000084800f7d");
    check_text(&list.event[2], "dsb", "ish");
    check_text(&list.event[3], "pte",
               "el2 L3[36] at 0x40302120: 0xc0000084800f7d -> 0x140000084800f7d");
    check_text(&list.event[4], "isb", "");
    check_text(&list.event[5], "tlbi", "vae2 0x7f8004800000 +0x1000");
    check_text(&list.event[6], "tlbi", "alle2is");
    check_text(&list.event[7], "dsb", "ishld");
    check_text(&list.event[8], "irq", "interrupt 27");
    check_text(&list.event[9], "finding", "broken ?[31m it");
    event_list_free(&list);
    free(snap);
    source_close(&fake->src);
}

static void test_event_names(void **state)
{
    struct event e = {.lost = 7};

    (void)state;
    check_text(&e, "lost", "7 events");
    e = (struct event){.kind = TRACE_MAP};
    check_text(&e, "map", "");
    e = (struct event){.kind = TRACE_TLBI, .op = TRACE_TLBI_IPAS2E1, .operand = 0x84800};
    check_text(&e, "tlbi", "ipas2e1 0x84800000 +0x1000");
    e.op = TRACE_TLBI_OPS;
    assert_string_equal(tlbi_op_name(&e), "unknown");
    assert_string_equal(tlbi_scope_name(&e), "local");
    e = (struct event){.kind = TRACE_TLBI,
                       .op = TRACE_TLBI_VALE1,
                       .scope = TRACE_SCOPE_INNER,
                       .operand = UINT64_C(0x2a00000000012345)};
    check_text(&e, "tlbi", "vale1is asid 10752 0x12345000 +0x1000");
    e.op = TRACE_TLBI_VAAE1;
    check_text(&e, "tlbi", "vaae1is 0x12345000 +0x1000");
    e.op = TRACE_TLBI_ASIDE1;
    check_text(&e, "tlbi", "aside1is asid 10752");
    e = (struct event){.kind = TRACE_PTE, .regime = TRACE_REGIME_S2, .level = 1, .pa = 0x1008};
    check_text(&e, "pte", "s2 L1[1] at 0x1008: 0x0 -> 0x0");
    e.regime = TRACE_REGIME_EL1;
    check_text(&e, "pte", "el1 L1[1] at 0x1008: 0x0 -> 0x0");
    e.regime++;
    check_text(&e, "pte", "unknown L1[1] at 0x1008: 0x0 -> 0x0");
    assert_int_equal(event_kind_of("unmap"), TRACE_UNMAP);
    assert_int_equal(event_kind_of("isb"), EVENT_ISB);
    assert_int_equal(event_kind_of("panic"), TRACE_TEXT);
    assert_int_equal(event_kind_of("nothing"), 0);
}

/* What is said of the machine's events, and how many of it are wrong. */
static uint64_t judge_events(struct fake_source *fake, const char *verdict, const char *part,
                             uint64_t lost)
{
    struct snapshot *snap = machine_snapshot(fake);
    struct event_list list = read_events(fake, snap);
    static struct findings found;
    struct judgement j;
    char text[128];
    uint64_t wrong;

    found = (struct findings){0};
    if (lost)
        assert_true(event_list_add(&list, &(struct event){.lost = lost}));
    assert_true(judge(&j, &fake->src, snap, &list));
    assert_int_equal(j.from, JUDGE_EVENTS);
    judgement_text(&j, text, sizeof(text));
    assert_string_equal(text, verdict);
    judgement_list(&j, snap, &found);
    assert_int_equal(found.nr > 0, part != NULL);
    if (part && !strstr(found.finding[0].text, part))
        fail_msg("%s", found.finding[0].text);
    wrong = judgement_wrong(&j);
    judgement_free(&j);
    event_list_free(&list);
    free(snap);
    source_close(&fake->src);
    return wrong;
}

/* A slot is taken over: its live entry is replaced by that of another frame. */
static void test_hazard(void **state)
{
    struct fake_source *fake = recorded_machine(1);
    struct trace_record root = {1, ROOT_PA(0), 0, TRACE_BARRIERS_NONE};

    (void)state;
    fake_put_u64(fake, SLOT_PA(0, 36), SLOT_PTE(OTHER_PA, 1));
    put_record(fake, 0, TRACE_TTBR, 0, root);
    put_store(fake, 0, 2, SLOT_PA(0, 36), SLOT_PTE(FRAME_PA, 0), SLOT_PTE(OTHER_PA, 1), 0);
    assert_int_equal(judge_events(fake, "order: 2 events", "RFVQCK 1x window not closed", 0), 1);
}

/* The same with a break: nothing is wrong. */
static void test_break(void **state)
{
    struct fake_source *fake = recorded_machine(1);
    struct trace_record root = {1, ROOT_PA(0), 0, TRACE_BARRIERS_NONE};

    (void)state;
    fake_put_u64(fake, SLOT_PA(0, 36), SLOT_PTE(OTHER_PA, 1));
    put_record(fake, 0, TRACE_TTBR, 0, root);
    put_store(fake, 0, 2, SLOT_PA(0, 36), SLOT_PTE(FRAME_PA, 0), 0, 0);
    put_record(fake, 0, TRACE_TLBI, TRACE_TLBI_VAE2,
               (struct trace_record){3, 0x7f8004800, 0, 0x8a});
    put_record(fake, 0, TRACE_PTE, 0,
               (struct trace_record){4, SLOT_PA(0, 36), 0, SLOT_PTE(OTHER_PA, 1)});
    put_record(fake, 0, TRACE_DETAIL, 0, (struct trace_record){0, 0xa0000201000, 0, 0x8ab4});
    put_record(fake, 0, TRACE_MAP, 0,
               (struct trace_record){5,
                                     OTHER_PA >> PAGE_SHIFT | UINT64_C(36) << 36 |
                                         UINT64_C(1) << 46 | UINT64_C(1) << 50,
                                     0, 0x8ab4a4});
    assert_int_equal(judge_events(fake, "order: 10 events", NULL, 0), 0);
}

/* Two CPUs share slots; the tickets say which store was first, against their clocks. */
static void test_tickets_and_losses(void **state)
{
    struct fake_source *fake = recorded_machine(2);

    (void)state;
    fake_put_u64(fake, L1_PA(1), L2_PA(0) | 0xf7f);
    fake_put_u64(fake, SLOT_PA(0, 36), SLOT_PTE(FRAME_PA, 1));
    put_store(fake, 1, 10, SLOT_PA(0, 36), SLOT_PTE(FRAME_PA, 0), SLOT_PTE(FRAME_PA, 1), 2);
    put_store(fake, 0, 11, SLOT_PA(0, 36), SLOT_PTE(OTHER_PA, 0), SLOT_PTE(FRAME_PA, 0), 1);
    assert_int_equal(judge_events(fake, "order: 3 events, 25 lost, 0 unjudged", "RWHZWS 1x", 25),
                     1);
}

static void test_nothing_recorded(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct snapshot *snap = machine_snapshot(fake);
    struct event_list list = {0};
    struct judgement j;
    char text[128];

    (void)state;
    assert_true(judge(&j, &fake->src, snap, &list));
    judgement_text(&j, text, sizeof(text));
    assert_string_equal(text, "order: boot with trace=all or check=on");
    assert_true(judgement_incomplete(&j));
    assert_null(judgement_row(&j, 0));
    judgement_free(&j);
    free(snap);
    source_close(&fake->src);
}

/* What the image found, in rows; those that cannot be so are left out. */
static void test_image_judges(void **state)
{
    struct fake_source *fake = machine_make(2);
    struct bbm_finding row = {.rule = BBM_OUTPUT_ADDRESS,
                              .tier = BBM_HAZARD,
                              .certain = 1,
                              .where = 0xa0000201000,
                              .count = 3,
                              .va = 0x7f8004800000,
                              .closed = 1,
                              .window_events = 4,
                              .window_ns = 160};
    static struct findings found;
    struct snapshot *snap;
    struct judgement j;
    char text[128];

    (void)state;
    machine_put_u32(fake, BEACON_FIELD(check), 1);
    fake_put_u64(fake, BEACON_FIELD(findings), ROWS_PA);
    machine_put_u32(fake, BEACON_FIELD(findings_max), 3);
    machine_put_u32(fake, BEACON_FIELD(finding_size), sizeof(row));
    fake_put(fake, ROWS_PA, &row, sizeof(row));
    row = (struct bbm_finding){.rule = BBM_OWED, .tier = BBM_NOTE, .cpu = 1, .count = 1};
    fake_put(fake, ROWS_PA + sizeof(row), &row, sizeof(row));
    row.cpu = 2;
    fake_put(fake, ROWS_PA + 2 * sizeof(row), &row, sizeof(row));
    fake_put_u64(fake, CPU_FIELD(0, checked), 1000);
    fake_put_u64(fake, CPU_FIELD(0, hazards), 2);
    fake_put_u64(fake, CPU_FIELD(1, violations), 7);
    snap = machine_snapshot(fake);
    assert_true(judge(&j, &fake->src, snap, NULL));
    assert_int_equal(judgement_wrong(&j), 3 + 7);
    assert_int_equal(j.totals.notes, 1);
    judgement_text(&j, text, sizeof(text));
    assert_string_equal(text, "order: 1000 events, by the image");
    found = (struct findings){0};
    judgement_list(&j, snap, &found);
    assert_int_equal(found.nr, 3);
    assert_string_equal(found.finding[0].text, "RFVQCK 3x window 4 events, 160 ns");
    assert_int_equal(found.finding[0].slot, 36);
    assert_string_equal(found.finding[1].text, "7x in other places");
    assert_int_equal(found.finding[2].rule, RULE_OWED);
    assert_int_equal(findings_wrong(&found), 10);
    judgement_free(&j);
    machine_put_u32(fake, BEACON_FIELD(finding_size), 8);
    free(snap);
    snap = machine_snapshot(fake);
    assert_true(judge(&j, &fake->src, snap, NULL));
    assert_null(judgement_row(&j, 0));
    judgement_free(&j);
    free(snap);
    source_close(&fake->src);
}

/* All that can be wrong with tables, on one machine. */
static void test_findings(void **state)
{
    struct fake_source *fake = machine_make(3);
    static struct findings f;
    struct snapshot *snap;

    (void)state;
    machine_populate(fake, 1);
    fake_put_u64(fake, SLOT_PA(0, 5), SLOT_PTE(FRAME_PA, 0) ^ 0x40); /* attributes */
    fake_put_u64(fake, SLOT_PA(0, 6), FRAME_PA | 0xf7f);             /* a table */
    fake_put_u64(fake, CPU_FIELD(1, root), ROOT_PA(0));
    fake_put_u64(fake, ROOT_PA(2) + 255 * 8, L1_PA(0) | 0xf7f);
    snap = machine_snapshot(fake);
    check_snapshot(snap, NULL, &f);
    assert_int_equal(f.count[RULE_SHARED_ROOT], 3);
    assert_int_equal(f.count[RULE_SHARED_L2], 6);
    assert_int_equal(f.count[RULE_BROKEN], 3 * 4);
    assert_int_equal(f.count[RULE_DUPLICATE], 3);
    assert_int_equal(f.count[RULE_SATURATED], 3);
    assert_int_equal(f.entries, 3 * 1024);
    free(snap);
    fake_put_u64(fake, L1_PA(0) + 8, L2_PA(0) | 0xf7f);
    snap = machine_snapshot(fake);
    check_snapshot(snap, NULL, &f);
    assert_int_equal(f.count[RULE_HELD_TWICE], 3);
    free(snap);
    fake_put_u64(fake, L1_PA(0) + 8, 0);
    snap = machine_snapshot(fake);
    check_snapshot(snap, NULL, &f);
    assert_int_equal(f.count[RULE_CHAIN], 3);
    assert_true(findings_wrong(&f) > 0);
    free(snap);
    source_close(&fake->src);
}

static void test_rules_in_words(void **state)
{
    struct machine clock = {.beacon.engine = BEACON_ENGINE_CLOCK}, xen = {0};

    (void)state;
    for (int rule = 0; rule < RULES; rule++) {
        assert_true(rule_name(rule)[0] && rule_text(rule, 0)[0]);
        assert_int_equal(rule_is_note(rule), strcmp(rule_text(rule, 0), rule_text(rule, 1)) != 0);
        assert_true(rule_applies(rule, &clock));
        assert_int_equal(rule_applies(rule, &xen), rule != RULE_INDEX);
    }
}

/* More findings than there is room for are counted, and not written. */
static void test_many_findings(void **state)
{
    struct fake_source *fake = machine_make(1);
    static struct findings f;
    struct snapshot *snap;

    (void)state;
    for (unsigned int slot = 0; slot < 1024; slot++)
        fake_put_u64(fake, SLOT_PA(0, slot), SLOT_PTE(FRAME_PA, 15));
    snap = machine_snapshot(fake);
    check_snapshot(snap, NULL, &f);
    assert_int_equal(f.nr, FINDINGS_MAX);
    assert_int_equal(f.count[RULE_SATURATED], 1024);
    assert_int_equal(f.count[RULE_DUPLICATE], 1023);
    free(snap);
    source_close(&fake->src);
}

/* Every bit of every kind of entry has a name, in each regime. */
static void test_fields_of_all_regimes(void **state)
{
    static const enum regime_name regimes[] = {REGIME_EL2, REGIME_EL2_E2H, REGIME_EL1, REGIME_S2};
    struct pte_field field[PTE_FIELDS_MAX];

    (void)state;
    for (size_t r = 0; r < sizeof(regimes) / sizeof(regimes[0]); r++) {
        for (unsigned int level = 0; level < 4; level++) {
            for (uint64_t pte = 0; pte < 4; pte++) {
                uint64_t covered = 0;
                unsigned int nr =
                    pte_fields_in(regimes[r], pte | UINT64_C(0x5555555555555554), level, field);

                for (unsigned int i = 0; i < nr; i++)
                    covered |= UINT64_MAX >> (63 - (field[i].hi - field[i].lo)) << field[i].lo;
                assert_int_equal((pte | UINT64_C(0x5555555555555554)) & ~covered, 0);
            }
        }
    }
}

/* An image keeps its counts, and its own ring if that has all, unless the stream is asked for. */
static void test_stream_of_image(struct fake_source *fake, struct target_spec *spec)
{
    struct machine m = {
        .profile = &profile_hv, .pa = 0x5000, .beacon.ncpu = 1, .events.pa = 0x5000};
    struct machine all = m, checked = m;
    struct beacon_cpu info = {.ring = 0x9000, .maps = 77};

    m.beacon.trace_mode = TRACE_API;
    stream_adopt(&fake->src, spec, &m);
    assert_int_equal(m.pa, 0x5000);
    assert_int_equal(m.events.pa, TRACE_FILE_PA);
    assert_int_equal(m.beacon.trace_mode, TRACE_ALL);
    assert_true(machine_has_memory(&m, TRACE_FILE_PA, 0x4000));
    assert_false(machine_has_memory(&m, TRACE_FILE_PA, 0x4001));
    stream_read_cpu(&fake->src, &m, 0, &info);
    assert_int_equal(info.ring, 0x2000);
    assert_int_equal(info.maps, 77);

    all.beacon.trace_mode = TRACE_ALL;
    stream_adopt(&fake->src, spec, &all);
    assert_int_equal(all.events.pa, 0x5000);
    checked.beacon.check = 1;
    stream_adopt(&fake->src, spec, &checked);
    assert_int_equal(checked.events.pa, 0x5000);
    *spec = (struct target_spec){.has_beacon = true, .beacon_pa = TRACE_FILE_PA};
    stream_adopt(&fake->src, spec, &checked);
    assert_int_equal(checked.events.pa, TRACE_FILE_PA);
    assert_int_equal(checked.beacon.check, 0);
}

/* A machine without a beacon takes its events from the tracer's file, if there is one. */
static void test_stream(void **state)
{
    struct fake_source *fake = fake_open(TRACE_FILE_PA, 0x4000);
    struct trace_file file = {
        .beacon = {.magic = BEACON_MAGIC,
                   .version = BEACON_VERSION,
                   .size = sizeof(struct beacon),
                   .state = BEACON_MMU_ON,
                   .ncpu = 1,
                   .image_pa = TRACE_FILE_PA,
                   .image_size = 0x4000,
                   .cntfrq = 1000000000,
                   .domheap_entries = 1024,
                   .l0_index = 255,
                   .trace_mode = TRACE_ALL,
                   .cpu_offset = 0x1000,
                   .cpu_stride = CPU_STRIDE,
                   .nr_banks = 1,
                   .bank = {{TRACE_FILE_PA, 0x4000}}},
        .totals = {.tables = 9},
    };
    struct beacon_cpu traced = {.state = BEACON_CPU_ON, .root = 0x1000, .ring = 0x2000, .maps = 5},
                      info = {.root = 0x77000};
    struct machine m = {.profile = &profile_el2, .beacon.ncpu = 1};
    struct target_spec spec = {0};
    struct trace_totals totals;

    (void)state;
    assert_false(stream_totals(&fake->src, &m, &totals));
    stream_read_cpu(&fake->src, &m, 0, &info);
    assert_int_equal(info.maps, 0);
    stream_adopt(&fake->src, &spec, &m);
    assert_int_equal(m.pa, 0);
    fake_put(fake, TRACE_FILE_PA, &file, sizeof(file));
    fake_put(fake, TRACE_FILE_PA + 0x1000, &traced, sizeof(traced));
    stream_adopt(&fake->src, &spec, &m);
    assert_int_equal(m.pa, TRACE_FILE_PA);
    assert_int_equal(m.beacon.trace_mode, TRACE_ALL);
    assert_true(stream_totals(&fake->src, &m, &totals));
    assert_int_equal(totals.tables, 9);
    stream_read_cpu(&fake->src, &m, 0, &info);
    assert_int_equal(info.maps, 5);
    assert_int_equal(info.root, 0x77000); /* what the profile knows comes first */
    test_stream_of_image(fake, &spec);
    source_close(&fake->src);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events_in_words),
        cmocka_unit_test(test_event_names),
        cmocka_unit_test(test_hazard),
        cmocka_unit_test(test_break),
        cmocka_unit_test(test_tickets_and_losses),
        cmocka_unit_test(test_nothing_recorded),
        cmocka_unit_test(test_image_judges),
        cmocka_unit_test(test_findings),
        cmocka_unit_test(test_rules_in_words),
        cmocka_unit_test(test_many_findings),
        cmocka_unit_test(test_fields_of_all_regimes),
        cmocka_unit_test(test_stream),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
