/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tracer takes for a table, in a RAM of its own. */
#include "tracer/guest.h"
#include "tracer/tables.h"

#include <hvscope/pte.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BASE       UINT64_C(0x40000000)
#define PAGES      64u
#define TABLE      UINT64_C(3)
#define BLOCK      UINT64_C(0x40000701)
#define TCR_EL2_48 UINT64_C(16)
#define HTCR       UINT64_C(0)
#define VTCR_40    (UINT64_C(24) | UINT64_C(1) << 6) /* 40 bits from level 1 on: two pages */
#define VTCR_32    (UINT64_C(1) << 6)                /* AArch32: 32 bits from level 1 on */
#define TCR_EL1    (UINT64_C(16) | UINT64_C(16) << 16)
#define TTBCR      (UINT64_C(1) << 31)
#define VTCR_BAD   (UINT64_C(24) | UINT64_C(2) << 6 | UINT64_C(63))

static uint64_t ram[PAGES][PT_ENTRIES];
static struct guest_bank bank = {(const uint8_t *)ram, BASE, sizeof(ram)};
static struct trace_totals totals;

const struct guest_bank *guest_bank_of(uint64_t pa)
{
    return pa - bank.base < bank.size ? &bank : NULL;
}

uint64_t guest_frames_before(const struct guest_bank *b)
{
    (void)b;
    return 0;
}

uint64_t guest_frames(void)
{
    return PAGES;
}

uint64_t guest_load(uint64_t pa)
{
    return pa - bank.base < bank.size ? ram[(pa - BASE) / PAGE_SIZE][pa % PAGE_SIZE / 8] : 0;
}

static uint64_t page_pa(unsigned int page)
{
    return BASE + page * PAGE_SIZE;
}

/* The guest stores an entry; what the tracer says of it, NULL if nothing. */
static const struct table_store *store(unsigned int page, unsigned int index, uint64_t value)
{
    static struct table_store stores[TABLE_STORES_MAX];
    uint64_t pa = page_pa(page) + index * 8, values[2] = {value};

    ram[page][index] = value;
    if (!tables_hold(pa))
        return NULL;
    return tables_store(pa, 8, values, stores) ? stores : NULL;
}

static void assert_store(unsigned int page, unsigned int index, uint64_t value,
                         enum trace_regime regime, unsigned int level)
{
    uint64_t old = ram[page][index];
    const struct table_store *s = store(page, index, value);

    assert_non_null(s);
    assert_int_equal(s->pa, page_pa(page) + index * 8);
    assert_int_equal(s->old, old);
    assert_int_equal(s->new, value);
    assert_int_equal(s->regime, regime);
    assert_int_equal(s->level, level);
}

/* No CPU walks, and RAM is empty. */
static int start(void **state)
{
    (void)state;
    memset(ram, 0, sizeof(ram));
    for (unsigned int cpu = 0; cpu < 4; cpu++) {
        tables_set_root(cpu, 0, 63, false);
        tables_set_stage2(cpu, 0, VTCR_40, false);
        tables_set_el1(cpu,
                       &(struct tables_el1){.tcr = TCR_EL1 | UINT64_C(1) << 7 | UINT64_C(1) << 23});
    }
    for (unsigned int page = 0; page < PAGES; page++)
        store(page, 0, 0); /* what no CPU has is forgotten */
    assert_int_equal(totals.tables, 0);
    totals.refused = 0;
    return 0;
}

static void test_what_is_pointed_to(void **state)
{
    (void)state;
    ram[0][255] = page_pa(1) | TABLE;
    assert_true(tables_set_root(0, page_pa(0), TCR_EL2_48, false));
    assert_int_equal(totals.tables, 2);
    assert_null(store(2, 7, BLOCK));
    assert_store(1, 7, page_pa(2) | TABLE, TRACE_REGIME_EL2, 1);
    assert_store(2, 7, BLOCK, TRACE_REGIME_EL2, 2);
    assert_store(2, 7, 0, TRACE_REGIME_EL2, 2);
    assert_store(1, 7, 0, TRACE_REGIME_EL2, 1);
    assert_null(store(2, 7, BLOCK));
    assert_int_equal(totals.tables, 2);
}

/* Of a root with 4 entries (AArch32: HTTBR) the rest of the page is something else. */
static void test_short_root(void **state)
{
    (void)state;
    assert_true(tables_set_root(0, page_pa(0) + 0x20, HTCR, true));
    assert_store(0, 4, BLOCK, TRACE_REGIME_EL2, 1);
    assert_store(0, 7, BLOCK, TRACE_REGIME_EL2, 1);
    assert_null(store(0, 3, BLOCK));
    assert_null(store(0, 8, BLOCK));
}

static void test_stage_2(void **state)
{
    (void)state;
    ram[1][3] = page_pa(2) | TABLE; /* in the second page of the root */
    assert_true(tables_set_stage2(0, page_pa(0) | UINT64_C(7) << 48, VTCR_40, false));
    assert_int_equal(totals.tables, 3);
    assert_store(0, 511, BLOCK, TRACE_REGIME_S2, 1);
    assert_store(1, 511, BLOCK, TRACE_REGIME_S2, 1);
    assert_store(2, 5, page_pa(3) | TABLE, TRACE_REGIME_S2, 2);
    assert_store(3, 1, BLOCK, TRACE_REGIME_S2, 3);
    assert_null(store(4, 0, BLOCK));
    assert_true(tables_set_stage2(1, page_pa(0), VTCR_40, false));
    assert_true(tables_set_stage2(0, 0, VTCR_40, false));
    assert_store(2, 6, BLOCK, TRACE_REGIME_S2, 2);
}

static void test_stage_2_of_aarch32(void **state)
{
    (void)state;
    assert_true(tables_set_stage2(0, page_pa(0), VTCR_32, true));
    assert_store(0, 3, BLOCK, TRACE_REGIME_S2, 1);
    assert_null(store(0, 4, BLOCK));
    assert_true(tables_set_stage2(0, page_pa(8), VTCR_32 | 8, true)); /* T0SZ -8: 40 bits */
    assert_store(8, 511, BLOCK, TRACE_REGIME_S2, 1);
    assert_store(9, 511, BLOCK, TRACE_REGIME_S2, 1);
    assert_null(store(10, 0, BLOCK));
}

/* No CPU has it any more: its pages may be anything, but what nobody touched is still there. */
static void test_left(void **state)
{
    (void)state;
    ram[0][3] = page_pa(2) | TABLE;
    ram[4][3] = page_pa(6) | TABLE;
    assert_true(tables_set_stage2(0, page_pa(0), VTCR_40, false));
    assert_true(tables_set_stage2(0, page_pa(4), VTCR_40, false));
    assert_int_equal(totals.tables, 6);
    assert_true(tables_set_stage2(0, page_pa(0), VTCR_40, false));
    assert_int_equal(totals.tables, 6);
    assert_null(store(6, 9, UINT64_C(0x1234567)));
    assert_int_equal(totals.tables, 3);
    assert_true(tables_set_stage2(1, page_pa(4), VTCR_40, false));
    assert_store(6, 9, BLOCK, TRACE_REGIME_S2, 2);
    assert_store(2, 9, BLOCK, TRACE_REGIME_S2, 2);
}

/* A page that becomes a table of EL2 is EL2's, whoever had it. */
static void test_becomes_el2s(void **state)
{
    (void)state;
    ram[0][3] = page_pa(2) | TABLE;
    assert_true(tables_set_stage2(0, page_pa(0), VTCR_40, false));
    assert_true(tables_set_root(0, page_pa(8), TCR_EL2_48, false));
    assert_store(2, 7, page_pa(3) | TABLE, TRACE_REGIME_S2, 2);
    assert_store(8, 1, page_pa(2) | TABLE, TRACE_REGIME_EL2, 0);
    assert_store(2, 0, BLOCK, TRACE_REGIME_EL2, 1);
    assert_store(3, 0, page_pa(4) | TABLE, TRACE_REGIME_EL2, 2);
    assert_store(4, 0, BLOCK, TRACE_REGIME_EL2, 3);
    assert_true(tables_set_stage2(0, 0, VTCR_40, false));
    assert_store(8, 2, page_pa(0) | TABLE, TRACE_REGIME_EL2, 0);
    assert_store(0, 0, BLOCK, TRACE_REGIME_EL2, 1);
    assert_store(2, 0, BLOCK, TRACE_REGIME_EL2, 1);
}

/* More virtual machines than are kept: those that CPUs have stay. */
static void test_many(void **state)
{
    (void)state;
    assert_true(tables_set_stage2(0, page_pa(0), VTCR_40, false));
    for (unsigned int n = 0; n < 1000; n++)
        assert_true(tables_set_stage2(1, page_pa(2 + n % 30 * 2), VTCR_40 ^ n % 5 << 8, false));
    assert_store(0, 1, BLOCK, TRACE_REGIME_S2, 1);
}

/* EL1's tables lie where stage 2 has them, which maps 2 MiB of IPA 0 to the RAM here. */
static void test_el1(void **state)
{
    struct tables_el1 el1 = {.ttbr = {0x8000, 0xa000}, .tcr = TCR_EL1, .has_stage2 = true};

    (void)state;
    ram[0][0] = page_pa(2) | TABLE;
    ram[2][0] = BLOCK;
    ram[8][0] = 0x9000 | TABLE;
    assert_true(tables_set_stage2(0, page_pa(0), VTCR_40, false));
    tables_set_el1(0, &el1);
    assert_store(9, 3, 0xb000 | TABLE, TRACE_REGIME_EL1, 1);
    assert_store(11, 4, BLOCK, TRACE_REGIME_EL1, 2);
    assert_store(10, 511, BLOCK, TRACE_REGIME_EL1, 0);
    assert_store(2, 1, BLOCK, TRACE_REGIME_S2, 2);
    assert_store(9, 3, 0, TRACE_REGIME_EL1, 1);
    assert_null(store(11, 4, 0));

    /* No stage 2: the same numbers are PAs, and nothing is there. */
    el1.has_stage2 = false;
    tables_set_el1(0, &el1);
    assert_null(store(9, 3, BLOCK));
    assert_int_equal(totals.refused, 0);

    /* Both walks are off, or it is the other CPU's turn. */
    el1 = (struct tables_el1){.ttbr = {page_pa(8), page_pa(10)}, .tcr = TCR_EL1};
    tables_set_el1(1, &el1);
    assert_store(10, 1, BLOCK, TRACE_REGIME_EL1, 0);
    el1.tcr |= UINT64_C(1) << 23;
    tables_set_el1(1, &el1);
    assert_null(store(10, 1, 0));
    assert_store(8, 1, BLOCK, TRACE_REGIME_EL1, 0);
}

static void test_el1_of_aarch32(void **state)
{
    struct tables_el1 el1 = {.ttbr = {page_pa(8), page_pa(10)}, .tcr = TTBCR, .aarch32 = true};

    (void)state;
    tables_set_el1(0, &el1);
    assert_store(8, 3, BLOCK, TRACE_REGIME_EL1, 1);
    assert_null(store(10, 0, BLOCK)); /* TTBR0 has all of it */
    el1.tcr |= UINT64_C(2) << 16;
    tables_set_el1(0, &el1);
    assert_store(10, 0, BLOCK, TRACE_REGIME_EL1, 2);
    el1.tcr &= ~(UINT64_C(1) << 31);
    tables_set_el1(0, &el1);
    assert_null(store(8, 3, 0));
}

static void test_refused(void **state)
{
    (void)state;
    assert_false(tables_set_stage2(0, page_pa(0), VTCR_BAD, false));
    assert_false(tables_set_stage2(0, page_pa(0), UINT64_C(16) | UINT64_C(1) << 6, false));
    assert_false(tables_set_stage2(0, page_pa(0), VTCR_32 | UINT64_C(2) << 6, true));
    assert_true(tables_set_stage2(0, 0, VTCR_BAD, false));
    assert_false(tables_set_root(0, page_pa(0), 63, false));
    assert_null(store(0, 0, BLOCK));
    assert_int_equal(totals.refused, 0);
    ram[0][0] = (BASE + sizeof(ram)) | TABLE;
    ram[0][1] = page_pa(0) | TABLE; /* a loop */
    assert_true(tables_set_root(0, page_pa(0), TCR_EL2_48, false));
    assert_int_equal(totals.refused, 1);
    assert_int_equal(totals.tables, 1);
    assert_store(0, 1, 0, TRACE_REGIME_EL2, 0);
}

/*
 * Random roots and stores, against what can be walked to in RAM. Pages are of a level, and every
 * other one is stage 2's, so that what a page is does not hang on who came first.
 */
#define LEVEL_PAGES (PAGES / 4)
#define CPUS        3u
#define ROUNDS      60000u
#define VTCR_48     (UINT64_C(16) | UINT64_C(2) << 6) /* from level 0 on */

static uint32_t noise;

static unsigned int any(unsigned int n)
{
    noise = noise * 1664525 + 1013904223;
    return (noise >> 8) % n;
}

/* A page of this level, even numbers EL2's. */
static unsigned int any_page(unsigned int level, bool stage2)
{
    return level * LEVEL_PAGES + any(LEVEL_PAGES / 2) * 2 + stage2;
}

static void reach(unsigned int page, unsigned int level, bool held[PAGES])
{
    held[page] = true;
    for (unsigned int i = 0; i < PT_ENTRIES && level < PT_LEVEL_LAST; i++) {
        if ((ram[page][i] & 3) == TABLE)
            reach((unsigned int)((ram[page][i] & PTE_ADDR_MASK) - BASE) / PAGE_SIZE, level + 1,
                  held);
    }
}

static void any_store(const int root[2][CPUS])
{
    bool stage2 = any(2), held[PAGES] = {false};
    unsigned int level = any(4), page = any_page(level, stage2), index = any(4);
    uint64_t value = BLOCK + any(4) * PAGE_SIZE;

    if (any(3) == 0)
        value = 0;
    else if (level < PT_LEVEL_LAST && any(2))
        value = page_pa(any_page(level + 1, stage2)) | TABLE;
    for (unsigned int cpu = 0; cpu < CPUS; cpu++) {
        if (root[stage2][cpu] >= 0)
            reach((unsigned int)root[stage2][cpu], 0, held);
    }
    if (held[page])
        assert_store(page, index, value, stage2 ? TRACE_REGIME_S2 : TRACE_REGIME_EL2, level);
    else
        assert_null(store(page, index, value));
}

static void test_random(void **state)
{
    int root[2][CPUS];

    (void)state;
    memset(root, -1, sizeof(root));
    for (unsigned int n = 0; n < ROUNDS; n++) {
        unsigned int cpu = any(CPUS), stage2 = any(2);
        int *here = &root[stage2][cpu];

        if (any(20)) {
            any_store(root);
            continue;
        }
        *here = any(4) ? (int)any_page(0, stage2) : -1;
        if (stage2)
            assert_true(tables_set_stage2(cpu, *here < 0 ? 0 : page_pa((unsigned int)*here),
                                          VTCR_48, false));
        else
            tables_set_root(cpu, *here < 0 ? 0 : page_pa((unsigned int)*here),
                            *here < 0 ? 63 : TCR_EL2_48, false);
    }
    assert_int_equal(totals.refused, 0);
    start(NULL);
}

/* A guest may have any page point to any page, itself too: it is gone through to an end. */
static void test_loops(void **state)
{
    struct tables_el1 el1 = {.tcr = TCR_EL1};

    (void)state;
    for (unsigned int n = 0; n < ROUNDS / 4; n++) {
        uint64_t value = page_pa(any(PAGES)) | (any(4) ? TABLE : 0);

        if (any(20)) {
            for (unsigned int i = 0, page = any(PAGES); i < 4; i++)
                store(page, any(PT_ENTRIES), value);
            continue;
        }
        el1.ttbr[any(2)] = page_pa(any(PAGES));
        el1.has_stage2 = any(2);
        tables_set_stage2(any(CPUS), page_pa(any(PAGES) & ~1u), VTCR_40, false);
        tables_set_el1(any(CPUS), &el1);
        tables_set_root(any(CPUS), page_pa(any(PAGES)), any(3) ? TCR_EL2_48 : 63, false);
    }
    assert_true(totals.tables <= PAGES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_what_is_pointed_to, start),
        cmocka_unit_test_setup(test_short_root, start),
        cmocka_unit_test_setup(test_stage_2, start),
        cmocka_unit_test_setup(test_stage_2_of_aarch32, start),
        cmocka_unit_test_setup(test_left, start),
        cmocka_unit_test_setup(test_becomes_el2s, start),
        cmocka_unit_test_setup(test_many, start),
        cmocka_unit_test_setup(test_el1, start),
        cmocka_unit_test_setup(test_el1_of_aarch32, start),
        cmocka_unit_test_setup(test_refused, start),
        cmocka_unit_test_setup(test_random, start),
        cmocka_unit_test_setup(test_loops, start),
    };

    return tables_init(&totals) ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
}
