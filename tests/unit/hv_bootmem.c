/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Banks and free regions of early boot. The file is included: its state is reset for each test. */
#include "fake.h"
#include "mm/bootmem.c"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state)
{
    (void)state;
    fake_reset();
    nr_regions = nr_ram_banks = 0;
    return 0;
}

static void expect(unsigned int n, uint64_t start, uint64_t end)
{
    struct region r;

    assert_true(bootmem_region(n, &r));
    assert_int_equal(r.start, start);
    assert_int_equal(r.end, end);
}

static void test_banks_are_sorted_and_whole_pages(void **state)
{
    (void)state;
    assert_true(bootmem_add(0x80000800, 0x2000));
    assert_true(bootmem_add(0x40000000, 0x10000));
    assert_false(bootmem_add(0x90000001, 0xffe)); /* no whole page in it */
    assert_int_equal(nr_ram_banks, 2);
    assert_int_equal(ram_bank[0].base, 0x40000000);
    assert_int_equal(ram_bank[1].base, 0x80001000);
    assert_int_equal(ram_bank[1].size, 0x1000);
    expect(0, 0x40000000, 0x40010000);
    expect(1, 0x80001000, 0x80002000);
    assert_int_equal(ram_span().start, 0x40000000);
    assert_int_equal(ram_span().end, 0x80002000);
    assert_int_equal(bootmem_free(), 0x11000);
}

static void test_too_many_banks(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < BEACON_BANKS_MAX; i++)
        assert_true(bootmem_add((uint64_t)i << 20, PAGE_SIZE));
    assert_false(bootmem_add(1 << 30, PAGE_SIZE));
}

static void test_reserve_cuts(void **state)
{
    (void)state;
    bootmem_add(0x10000, 0x10000);
    bootmem_reserve(0x14001, 0x14002); /* one page, whole */
    expect(0, 0x10000, 0x14000);
    expect(1, 0x15000, 0x20000);
    bootmem_reserve(0, 0x11000);
    expect(0, 0x11000, 0x14000);
    bootmem_reserve(0x1f000, 0x30000);
    expect(1, 0x15000, 0x1f000);
    bootmem_reserve(0x12000, 0x16000); /* over the hole */
    expect(0, 0x11000, 0x12000);
    expect(1, 0x16000, 0x1f000);
    bootmem_reserve(0, 0);
    bootmem_reserve(0x100000, 0x200000);
    assert_int_equal(bootmem_free(), 0xa000);
    bootmem_reserve(0, UINT64_MAX & ~PAGE_MASK);
    assert_int_equal(bootmem_free(), 0);
}

static void test_alloc(void **state)
{
    (void)state;
    bootmem_add(0x11000, 0x20000);
    assert_int_equal(mfn_x(alloc_boot_pages(2, 1)), 0x11);
    assert_int_equal(mfn_x(alloc_boot_pages(4, 4)), 0x14);
    assert_int_equal(mfn_x(alloc_boot_pages(1, 1)), 0x13); /* what the alignment left */
    assert_int_equal(mfn_x(alloc_boot_pages(0x19, 1)), 0x18);
    assert_int_equal(bootmem_free(), 0);
    assert_int_equal(mfn_x(alloc_boot_pages(1, 1)), mfn_x(INVALID_MFN));
}

static void test_alloc_too_much(void **state)
{
    (void)state;
    bootmem_add(0x10000, 0x4000);
    bootmem_add(0x20000, 0x4000);
    assert_int_equal(mfn_x(alloc_boot_pages(5, 1)), mfn_x(INVALID_MFN)); /* not over a hole */
    assert_int_equal(mfn_x(alloc_boot_pages(4, 32)), 0x20);
    assert_int_equal(bootmem_free(), 0x4000);
}

static void test_too_many_regions(void **state)
{
    (void)state;
    bootmem_add(0, 0x1000000);
    for (unsigned int i = 1; i < REGIONS_MAX; i++)
        bootmem_reserve(i * 0x2000, i * 0x2000 + 1);
    assert_true(panics(bootmem_reserve(0x800000, 0x800001)));
    assert_non_null(strstr(fake_panic_message, "more than 32 regions"));
}

static void test_ram_frame_leaves_holes_out(void **state)
{
    (void)state;
    bootmem_add(0x40000000, 0x200000);
    bootmem_add(0x80000000, 0x400000);
    assert_int_equal(mfn_x(ram_frame(0)), 0x40000);
    assert_int_equal(mfn_x(ram_frame(0x1ff)), 0x401ff);
    assert_int_equal(mfn_x(ram_frame(0x200)), 0x80000);
    assert_int_equal(mfn_x(ram_frame(0x5ff)), 0x803ff);
    assert_int_equal(mfn_x(ram_frame(0x600)), 0x40000);
    assert_int_equal(ram_blocks(), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_banks_are_sorted_and_whole_pages, setup),
        cmocka_unit_test_setup(test_too_many_banks, setup),
        cmocka_unit_test_setup(test_reserve_cuts, setup),
        cmocka_unit_test_setup(test_alloc, setup),
        cmocka_unit_test_setup(test_alloc_too_much, setup),
        cmocka_unit_test_setup(test_too_many_regions, setup),
        cmocka_unit_test_setup(test_ram_frame_leaves_holes_out, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
