/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stage-2 tables, in host memory: every map is counted, every page accounted for. */
#include "core/pace.h"
#include "fake.h"
#include "guest/access.h"
#include "guest/stage2.h"
#include "mm/page_alloc.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define IPA  UINT64_C(0x40000000)
#define LAST ((UINT64_C(1) << 39) - PAGE_SIZE)

DEFINE_PER_CPU(uint64_t, pace_held);

static int open_maps, most_open, pages_out, pages_left;

/* The mapcache, the pace and the heap as stage2.c sees them. */

void *map_domain_page(mfn_t mfn)
{
    if (++open_maps > most_open)
        most_open = open_maps;
    return (void *)(uintptr_t)paddr_x(mfn_to_paddr(mfn));
}

/* refuse_after: maps from now on until one is refused, as by a full table; -1: never. */
static int refuse_after = -1;

void *guest_map(mfn_t mfn)
{
    return refuse_after >= 0 && refuse_after-- == 0 ? NULL : map_domain_page(mfn);
}

void unmap_domain_page(const void *p)
{
    assert_non_null(p);
    open_maps--;
}

void pace_wait(void)
{
}

mfn_t alloc_domheap_page(void)
{
    void *page;

    if (pages_left == 0)
        return INVALID_MFN;
    pages_left--;
    pages_out++;
    page = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
    memset(page, 0xa5, PAGE_SIZE); /* what another owner may have left */
    return paddr_to_mfn(_paddr((uintptr_t)page));
}

void free_domheap_page(mfn_t mfn)
{
    pages_out--;
    free((void *)(uintptr_t)paddr_x(mfn_to_paddr(mfn)));
}

static struct domain d;

static int setup(void **state)
{
    (void)state;
    fake_reset();
    open_maps = most_open = pages_out = 0;
    pages_left = 10000;
    memset(&d, 0, sizeof(d));
    d.stage2 = alloc_domheap_page();
    memset(map_domain_page(d.stage2), 0, PAGE_SIZE);
    open_maps = most_open = 0;
    fake_notes_clear();
    return 0;
}

static uint64_t map_new(uint64_t ipa)
{
    mfn_t mfn = alloc_domheap_page();

    assert_int_equal(stage2_map(&d, ipa, mfn), 0);
    return mfn_x(mfn);
}

static void test_map_and_look_up(void **state)
{
    uint64_t first = map_new(IPA), last = map_new(LAST);

    (void)state;
    assert_int_equal(mfn_x(stage2_lookup(&d, IPA)), first);
    assert_int_equal(mfn_x(stage2_lookup(&d, IPA + 0xfff)), first);
    assert_int_equal(mfn_x(stage2_lookup(&d, LAST)), last);
    assert_int_equal(mfn_x(stage2_lookup(&d, IPA + PAGE_SIZE)), mfn_x(INVALID_MFN));
    assert_int_equal(mfn_x(stage2_lookup(&d, UINT64_C(1) << 39)), mfn_x(INVALID_MFN));
    assert_int_equal(mfn_x(stage2_lookup(&d, UINT64_MAX)), mfn_x(INVALID_MFN));
    assert_int_equal(d.frames, 2);
    assert_int_equal(open_maps, 0);
}

/* Wherever a slot is missing, the walk ends, nothing stays mapped, and later it works. */
static void test_a_refused_map_is_given_up(void **state)
{
    mfn_t mfn = alloc_domheap_page();

    (void)state;
    for (int after = 0; after < 3; after++) {
        refuse_after = after;
        assert_int_equal(stage2_map(&d, 0x40000000, mfn), -1);
        assert_int_equal(open_maps, 0);
    }
    refuse_after = -1;
    assert_int_equal(stage2_map(&d, 0x40000000, mfn), 0);
    refuse_after = 1;
    assert_int_equal(mfn_x(stage2_lookup(&d, 0x40000000)), mfn_x(INVALID_MFN));
    assert_int_equal(mfn_x(stage2_unmap(&d, 0x40000000)), mfn_x(mfn));
    assert_int_equal(open_maps, 0);
    free_domheap_page(mfn);
}

static void test_walk_holds_two_maps(void **state)
{
    (void)state;
    map_new(IPA);
    most_open = 0;
    stage2_lookup(&d, IPA);
    assert_int_equal(most_open, 2);
}

static void test_entries_are_what_the_architecture_asks(void **state)
{
    uint64_t mfn = map_new(IPA + 5 * PAGE_SIZE);
    const lpae_t *table = (const lpae_t *)(uintptr_t)paddr_x(mfn_to_paddr(d.stage2));

    (void)state;
    for (unsigned int level = 1; level < 3; level++) {
        lpae_t entry = table[pt_index(IPA, level)];

        assert_int_equal(entry & ~PTE_ADDR_MASK, 3);
        table = (const lpae_t *)(uintptr_t)(entry & PTE_ADDR_MASK);
    }
    /* Page, normal write-back, read-write, inner shareable, AF, executable. */
    assert_int_equal(table[5], mfn << PAGE_SHIFT | 0x7ff);
}

static void test_unmap_flushes_in_order(void **state)
{
    uint64_t mfn = map_new(IPA);

    (void)state;
    fake_notes_clear();
    assert_int_equal(mfn_x(stage2_unmap(&d, IPA)), mfn);
    assert_string_equal(fake_notes, "ssIiPiViII");
    assert_int_equal(mfn_x(stage2_lookup(&d, IPA)), mfn_x(INVALID_MFN));
    assert_int_equal(mfn_x(stage2_unmap(&d, IPA)), mfn_x(INVALID_MFN));
    assert_int_equal(d.frames, 0);
    assert_int_equal(open_maps, 0);
    free_domheap_page(_mfn(mfn));
}

static void test_mapping_twice_is_caught(void **state)
{
    (void)state;
    map_new(IPA);
    assert_true(panics(stage2_map(&d, IPA, _mfn(1))));
}

static void test_no_memory_for_a_table(void **state)
{
    (void)state;
    for (pages_left = 0; pages_left < 2; pages_left++) {
        int had = pages_left;

        assert_int_equal(stage2_map(&d, IPA + ((uint64_t)had << 30), _mfn(1)), -1);
        assert_int_equal(d.frames, 0);
        assert_int_equal(open_maps, 0);
        pages_left = had;
    }
}

static void test_free_gives_everything_back(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 600; i++)
        map_new(IPA + i * PAGE_SIZE);
    map_new(LAST);
    stage2_free(&d);
    assert_int_equal(pages_out, 0);
    assert_int_equal(open_maps, 0);
    assert_int_equal(mfn_x(d.stage2), mfn_x(INVALID_MFN));
}

static void test_vttbr_has_root_and_vmid(void **state)
{
    (void)state;
    d.id = 6;
    assert_int_equal(stage2_vttbr(&d), mfn_x(d.stage2) << PAGE_SHIFT | 7ul << 48);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_map_and_look_up, setup),
        cmocka_unit_test_setup(test_a_refused_map_is_given_up, setup),
        cmocka_unit_test_setup(test_walk_holds_two_maps, setup),
        cmocka_unit_test_setup(test_entries_are_what_the_architecture_asks, setup),
        cmocka_unit_test_setup(test_unmap_flushes_in_order, setup),
        cmocka_unit_test_setup(test_mapping_twice_is_caught, setup),
        cmocka_unit_test_setup(test_no_memory_for_a_table, setup),
        cmocka_unit_test_setup(test_free_gives_everything_back, setup),
        cmocka_unit_test_setup(test_vttbr_has_root_and_vmid, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
