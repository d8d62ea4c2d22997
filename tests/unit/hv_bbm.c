/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checker: every case that is worth a name, and its verdict. */
#include "bbm_world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum verdict { CLEAN, HAZARD, VIOLATION, NOTED, UNJUDGED };

struct one_case {
    const char *words;
    enum verdict verdict;
    enum bbm_rule rule; /* of the only finding */
    enum bbm_missing missing;
};

static void expect(struct world *w, const struct one_case *c)
{
    struct bbm_totals t = bbm_totals(w->bbm);

    if (t.hazards != (c->verdict == HAZARD) || t.violations != (c->verdict == VIOLATION) ||
        t.notes != (c->verdict == NOTED) || t.unjudged != (c->verdict == UNJUDGED))
        fail_msg("%s: %lu hazards, %lu violations, %lu notes, %lu unjudged", c->words, t.hazards,
                 t.violations, t.notes, t.unjudged);
    if (c->verdict == CLEAN || c->verdict == UNJUDGED)
        return;
    assert_int_equal(bbm_finding(w->bbm, 0)->count, 1);
    if (bbm_finding(w->bbm, 0)->rule != c->rule || bbm_finding(w->bbm, 0)->missing != c->missing)
        fail_msg("%s: %s, %s", c->words, bbm_rule_text(bbm_finding(w->bbm, 0)->rule),
                 bbm_missing_text(bbm_finding(w->bbm, 0)->missing));
}

static void run_cases(const struct one_case *c, unsigned int level, bool known, bool shared)
{
    for (; c->words; c++) {
        struct world w;

        world_make(&w, level, known, shared);
        world_do(&w, c->words);
        expect(&w, c);
        world_free(&w);
    }
}

#define OVER    BBM_OUTPUT_ADDRESS, BBM_NOTHING
#define BREAK   BBM_UNBROKEN
#define NOTHING 0, 0

static void test_private_table(void **state)
{
    static const struct one_case cases[] = {
        {"Sb Dst T D I", HAZARD, OVER},
        {"Sb Dst D I", HAZARD, OVER},
        {"S0 Dst T D Sb Dst I", CLEAN, NOTHING},
        {"S0 Dst T D I Sb Dst I", CLEAN, NOTHING},
        {"R R", CLEAN, NOTHING},
        {"S0 Dst T+ D Sb Dst I", CLEAN, NOTHING},
        {"S0 Dst L D Sb Dst I", CLEAN, NOTHING},
        {"S0 Dst Tis D Sb Dst I", CLEAN, NOTHING},
        {"S0 Dst A D Sb", CLEAN, NOTHING},
        {"S0 Dsy T Dsy Sb", CLEAN, NOTHING},
        {"S0 Dst S0 T D Sb", CLEAN, NOTHING},
        {"S0 T D Sb", HAZARD, BREAK, BBM_NO_DSB},
        {"S0 Dst Sb", HAZARD, BREAK, BBM_NO_TLBI},
        {"S0 Dst D Sb", HAZARD, BREAK, BBM_NO_TLBI},
        {"S0 Dst T Sb", HAZARD, BREAK, BBM_NOT_COMPLETED},
        {"S0 T T D Sb", HAZARD, BREAK, BBM_NO_DSB},
        {"S0 Sb", HAZARD, BREAK, BBM_NO_DSB},
        {"S0 Dst T T D Sb", CLEAN, NOTHING},
        {"S0 Dst Tn D Sb", HAZARD, BREAK, BBM_NO_TLBI},
        {"S0 Dst Tp D Sb", HAZARD, BREAK, BBM_NO_TLBI},
        {"S0 Dst T Dst Sb", HAZARD, BREAK, BBM_NOT_COMPLETED},
        {"S0 Dst T Dld Sb", HAZARD, BREAK, BBM_NOT_COMPLETED},
        {"S0 Dld T D Sb", HAZARD, BREAK, BBM_NO_DSB},
        {"S0 Dst T I Sb", HAZARD, BREAK, BBM_NOT_COMPLETED},
        {"S0 Sa", CLEAN, NOTHING},
        {"S0 Dst R Sa", CLEAN, NOTHING},
        {"Swt Dst T D", HAZARD, BBM_MEMORY_TYPE, BBM_NOTHING},
        {"Ssh Dst T D", HAZARD, BBM_SHAREABILITY, BBM_NOTHING},
        {"Sro", NOTED, BBM_OWED, BBM_NOTHING},
        {"Sro Dst T D", CLEAN, NOTHING},
        {"Sro Sa", CLEAN, NOTHING},
        {"Saf Sb", HAZARD, BREAK, BBM_NO_DSB},
        {"Saf Dst T D Sb", CLEAN, NOTHING},
        {"Saf Sa", CLEAN, NOTHING},
        {"S0 Dst T D Sb Sc", HAZARD, OVER},
        {"S0 Dst G0 D Sb", CLEAN, NOTHING},
        {NULL, 0, NOTHING},
    };

    (void)state;
    run_cases(cases, 0, true, false);
}

static void test_shared_table(void **state)
{
    static const struct one_case cases[] = {
        {"Sb Dst T D I", VIOLATION, OVER},
        {"S0 Dst Tis Dish Sb", VIOLATION, BREAK, BBM_NOT_COVERED},
        {"S0 Dishst T Dish Sb", VIOLATION, BREAK, BBM_NOT_COVERED},
        {"S0 Dishst Tis D Sb", VIOLATION, BREAK, BBM_NOT_COVERED},
        {"S0 Dishst Tis Dish Sb", CLEAN, NOTHING},
        {"S0 Dsyst Tis Dsy Sb", CLEAN, NOTHING},
        {"S0 Dosh Tis Dosh Sb", CLEAN, NOTHING},
        {"1:S0 1:Dish Tis Dish Sb", CLEAN, NOTHING},
        {"1:S0 Dish Tis Dish Sb", VIOLATION, BREAK, BBM_NO_DSB},
        {"S0 Dish T 1:T D 1:D Sb", CLEAN, NOTHING},
        {"S0 Dish T D Sb", VIOLATION, BREAK, BBM_NOT_COVERED},
        {"S0 Dish Tis 1:Dish Sb", VIOLATION, BREAK, BBM_NOT_COMPLETED},
        {"S0 Dish Tis D Dish Sb", CLEAN, NOTHING},
        {"S0 Dish Ais Dish Sb", CLEAN, NOTHING},
        {NULL, 0, NOTHING},
    };

    (void)state;
    run_cases(cases, 0, true, true);
}

/* What FEAT_BBM excuses, by its level. */
static void test_levels(void **state)
{
    static const struct one_case contiguous[] = {{"Scont", HAZARD, BBM_CONTIGUOUS, BBM_NOTHING},
                                                 {NULL, 0, NOTHING}};
    static const struct one_case size[] = {{"Stable", HAZARD, BBM_BLOCK_SIZE, BBM_NOTHING},
                                           {NULL, 0, NOTHING}};
    static const struct one_case fine[] = {{"Scont", CLEAN, NOTHING}, {NULL, 0, NOTHING}};
    static const struct one_case all_fine[] = {{"Scont", CLEAN, NOTHING},
                                               {"Stable", CLEAN, NOTHING},
                                               {"Sb", HAZARD, OVER},
                                               {NULL, 0, NOTHING}};

    (void)state;
    run_cases(contiguous, 0, true, false);
    run_cases(size, 0, true, false);
    run_cases(fine, 1, true, false);
    run_cases(size, 1, true, false);
    run_cases(all_fine, 2, true, false);
}

/* A table in place of a block, at level 2: its pages must be those of the block. */
static void test_other_memory_under_a_table(void **state)
{
    for (unsigned int wrong = 0; wrong < 2; wrong++) {
        uint64_t pages[PT_ENTRIES];
        struct world w;

        (void)state;
        world_make(&w, 2, true, false);
        for (unsigned int i = 0; i < PT_ENTRIES; i++)
            pages[i] = (BLOCK_A | PTE_TABLE) + i * PAGE_SIZE;
        pages[7] += wrong * PAGE_SIZE;
        assert_true(bbm_table(w.bbm, WORLD_L3, 3, w.va, pages));
        world_do(&w, "Stable");
        assert_int_equal(bbm_totals(w.bbm).hazards, wrong);
        world_free(&w);
    }
}

/* Nothing is known at first: what is over an entry that is not live cannot be judged. */
static void test_attach(void **state)
{
    static const struct one_case live[] = {
        {"R", CLEAN, NOTHING},
        {"Sb Dst T D I", HAZARD, OVER},
        {"S0 Dst T D Sb", CLEAN, NOTHING},
        {"S0 Dst Sb", HAZARD, BREAK, BBM_NO_TLBI},
        {"S0 Sa", CLEAN, NOTHING},
        {NULL, 0, NOTHING},
    };
    static const struct one_case none[] = {
        {"Sb", UNJUDGED, NOTHING},      {"Sb Sc", UNJUDGED, NOTHING},
        {"Dst T D Sb", CLEAN, NOTHING}, {"A D Sb", CLEAN, NOTHING},
        {"T Sb D", UNJUDGED, NOTHING},  {"Tn D Sb", UNJUDGED, NOTHING},
        {"S0 Sb", UNJUDGED, NOTHING},   {NULL, 0, NOTHING},
    };

    (void)state;
    run_cases(live, 0, false, false);
    for (const struct one_case *c = none; c->words; c++) {
        struct one_case now = *c;
        struct world w;

        world_make(&w, 0, false, false);
        *world_entry(&w, 0) = 0;
        if (strcmp(c->words, "Sb Sc") == 0) {
            world_do(&w, "Sb Sc");
            assert_int_equal(bbm_totals(w.bbm).unjudged, 1);
            assert_int_equal(bbm_totals(w.bbm).hazards, 1);
        } else {
            world_do(&w, c->words);
            expect(&w, &now);
        }
        world_free(&w);
    }
}

/* n slots from the first on, at once. */
static void stores(struct world *w, unsigned int from, unsigned int n, uint64_t value)
{
    for (unsigned int i = from; i < from + n; i++)
        world_event(w, (struct bbm_event){.kind = BBM_STORE,
                                          .pa = w->table + (WORLD_INDEX + i) * 8,
                                          .new = value ? value + i *(UINT64_C(1) << 21) : 0});
}

static void test_one_flush_for_many(void **state)
{
    /* How many are made before the flush, how many are broken after the first DSB. */
    static const unsigned int early[][3] = {{0, 0, 0}, {1, 0, 1}, {0, 1, 1}, {2, 3, 5}};
    struct world w;

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        world_make(&w, 0, true, false);
        for (unsigned int n = 0; n < 16; n++)
            *world_entry(&w, n) = BLOCK_A;
        stores(&w, 0, 16 - early[i][1], 0);
        world_do(&w, "Dst");
        stores(&w, 16 - early[i][1], early[i][1], 0);
        stores(&w, 0, early[i][0], BLOCK_B);
        world_do(&w, "A D");
        stores(&w, early[i][0], 16 - early[i][0], BLOCK_B);
        assert_int_equal(bbm_totals(w.bbm).hazards, early[i][2]);
        world_free(&w);
    }
}

/* RVALE2 over an arc of slots: what lies in it may be made, what lies behind may not. */
static void test_range(void **state)
{
    (void)state;
    for (unsigned int n = 0; n < 8; n++) {
        struct world w;

        world_make(&w, 0, true, false);
        for (unsigned int i = 0; i < 8; i++)
            *world_entry(&w, i) = BLOCK_A;
        stores(&w, 0, 8, 0);
        world_do(&w, "Dst G0 D");
        stores(&w, n, 1, BLOCK_B);
        assert_int_equal(bbm_totals(w.bbm).hazards, n >= 4);
        world_free(&w);
    }
}

static uint64_t range_operand(unsigned int tg, unsigned int ttl, uint64_t va)
{
    return (va >> 12 & ((UINT64_C(1) << 37) - 1)) | (uint64_t)ttl << 37 | (uint64_t)tg << 46;
}

static void test_range_operands(void **state)
{
    static const struct {
        unsigned int tg, ttl;
        uint64_t va;
        bool bad;
    } cases[] = {
        {1, 0, 0x1000, false}, {0, 0, 0x1000, true},      {2, 0, 0x1000, true},
        {3, 0, 0x1000, true},  {1, 2, 0x200000, false},   {1, 2, 0x201000, true},
        {1, 3, 0x1000, false}, {1, 1, 0x40000000, false}, {1, 1, 0x200000, true},
    };

    (void)state;
    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;

        world_make(&w, 0, true, false);
        world_event(&w, (struct bbm_event){
                            .kind = BBM_TLBI,
                            .op = i % 2 ? TRACE_TLBI_RVAE2 : TRACE_TLBI_RVALE2,
                            .operand = range_operand(cases[i].tg, cases[i].ttl, cases[i].va)});
        assert_int_equal(bbm_totals(w.bbm).violations, cases[i].bad);
        if (cases[i].bad)
            assert_int_equal(bbm_finding(w.bbm, 0)->rule, BBM_OPERAND);
        world_free(&w);
    }
}

/* The window: from the store to the DSB that completes the TLBI; null if that never comes. */
static void test_windows(void **state)
{
    const struct bbm_finding *f;
    struct world w;

    (void)state;
    world_make(&w, 0, true, false);
    world_do(&w, "Sb");
    world_event(&w, (struct bbm_event){.kind = BBM_IRQ});
    world_do(&w, "Dst T D I");
    f = bbm_finding(w.bbm, 0);
    assert_int_equal(f->closed, 1);
    assert_int_equal(f->window_events, 3);
    assert_int_equal(f->window_ns, 40);
    assert_int_equal(f->window_irqs, 1);
    assert_int_equal(f->va, w.va);
    assert_int_equal(f->old, BLOCK_A);
    assert_int_equal(f->new, BLOCK_B);
    world_do(&w, "Sc Dst Dst T D");
    assert_int_equal(f->count, 2);
    assert_int_equal(f->window_events, 4);
    world_do(&w, "Sa Dst D");
    assert_int_equal(f->count, 3);
    assert_int_equal(f->closed, 2);
    world_free(&w);
}

static void store_at(struct world *w, uint64_t table, unsigned int index, uint64_t value)
{
    world_event(w, (struct bbm_event){.kind = BBM_STORE, .pa = table + index * 8, .new = value});
}

/* A table entry is broken: each live child has a debt of its own, the table one more. */
static void test_table_entry(void **state)
{
    static const struct {
        const char *words;
        bool hazard;
    } cases[] = {
        {"", true},         {"Dst D", true},    {"Dst T D", false}, {"Dst L D", true},
        {"Dst A D", false}, {"Dst Tn D", true}, {"T D", true},
    };

    (void)state;
    for (unsigned int i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct world w;

        world_make(&w, 0, true, false);
        store_at(&w, WORLD_L1(0), 0, 0);
        world_do(&w, cases[i].words);
        store_at(&w, WORLD_L1(0), 0, WORLD_L2(0, 1) | PTE_XEN_TABLE);
        if (bbm_totals(w.bbm).hazards != cases[i].hazard)
            fail_msg("table entry: %s", cases[i].words);
        world_free(&w);
    }
}

/* The same table again: what it maps is what it mapped, unless it was changed meanwhile. */
static void test_same_table_again(void **state)
{
    struct world w;

    (void)state;
    world_make(&w, 0, true, false);
    store_at(&w, WORLD_L1(0), 0, 0);
    store_at(&w, WORLD_L1(0), 0, WORLD_L2(0, 0) | PTE_XEN_TABLE);
    assert_int_equal(bbm_totals(w.bbm).hazards, 0);
    store_at(&w, WORLD_L1(0), 0, WORLD_L2(0, 1) | PTE_XEN_TABLE);
    assert_int_equal(bbm_totals(w.bbm).hazards, 1);
    assert_int_equal(bbm_finding(w.bbm, 0)->rule, BBM_OUTPUT_ADDRESS);
    world_free(&w);
}

static void test_ttbr(void **state)
{
    struct bbm_event e = {.kind = BBM_TTBR, .operand = WORLD_ROOT(0) | 1};
    struct world w;

    (void)state;
    world_make(&w, 0, true, false);
    world_event(&w, e);
    assert_int_equal(bbm_finding(w.bbm, 0)->rule, BBM_CNP);
    world_free(&w);
    world_make(&w, 0, true, false);
    e.cpu = 1; /* CPU1 now has CPU0's root: common, and CPU0's slots are no longer its own */
    world_event(&w, e);
    assert_int_equal(bbm_nr_findings(w.bbm), 0);
    world_do(&w, "S0 Dst T D Sb");
    assert_int_equal(bbm_totals(w.bbm).violations, 1);
    world_free(&w);
}

/* A CPU that left a root keeps its translations until its next completed ALL. */
static void test_left_a_root(void **state)
{
    for (unsigned int flushed = 0; flushed < 2; flushed++) {
        struct world w;

        (void)state;
        world_make(&w, 0, true, false);
        world_event(&w, (struct bbm_event){.kind = BBM_TTBR, .cpu = 1, .operand = WORLD_ROOT(0)});
        world_event(&w, (struct bbm_event){.kind = BBM_TTBR, .cpu = 1, .operand = WORLD_ROOT(1)});
        if (flushed)
            world_do(&w, "1:A 1:D");
        world_do(&w, "S0 Dst T D Sb");
        assert_int_equal(bbm_totals(w.bbm).hazards, !flushed);
        world_free(&w);
    }
}

static void test_used_before_a_dsb(void **state)
{
    struct bbm_event e = {.kind = BBM_USE};
    struct world w;

    (void)state;
    world_make(&w, 0, true, false);
    e.operand = w.va + 0x5000;
    world_do(&w, "S0 Dst T D Sb I");
    world_event(&w, e);
    assert_int_equal(bbm_totals(w.bbm).notes, 1);
    assert_int_equal(bbm_finding(w.bbm, 0)->rule, BBM_EARLY);
    world_do(&w, "S0 Dst T D Sb Dst I");
    world_event(&w, e);
    assert_int_equal(bbm_totals(w.bbm).notes, 1);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_private_table),
        cmocka_unit_test(test_shared_table),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_other_memory_under_a_table),
        cmocka_unit_test(test_attach),
        cmocka_unit_test(test_one_flush_for_many),
        cmocka_unit_test(test_range),
        cmocka_unit_test(test_range_operands),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_table_entry),
        cmocka_unit_test(test_same_table_again),
        cmocka_unit_test(test_ttbr),
        cmocka_unit_test(test_left_a_root),
        cmocka_unit_test(test_used_before_a_dsb),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
