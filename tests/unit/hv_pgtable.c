/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Xen's own page tables: what map_pages_to_xen() makes, read back by a naive walk. */
#include "core/system.h"
#include "fake.h"
#include "mm/bootmem.h"
#include "mm/domain_page.h"
#include "mm/page_alloc.h"
#include "mm/pgtable.c" /* a panic leaves its lock taken: setup() needs it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define VA       DIRECTMAP_VIRT_START
#define PAGES_2M (SLOT_SIZE >> PAGE_SHIFT)
#define PAGES_1G (UINT64_C(1) << 18)

enum system_state system_state = SYS_HEAP;
uint64_t image_pa = 0x40200000;

static int open_maps, tables_left;

void *map_domain_page(mfn_t mfn)
{
    open_maps++;
    return (void *)(uintptr_t)paddr_x(mfn_to_paddr(mfn));
}

void unmap_domain_page(const void *p)
{
    open_maps -= p != NULL;
}

void *pmap_map(mfn_t mfn)
{
    return map_domain_page(mfn);
}

void pmap_unmap(const void *p)
{
    unmap_domain_page(p);
}

mfn_t alloc_domheap_page(void)
{
    return tables_left-- > 0 ? _mfn((uintptr_t)aligned_alloc(PAGE_SIZE, PAGE_SIZE) >> PAGE_SHIFT)
                             : INVALID_MFN;
}

mfn_t alloc_boot_pages(uint64_t nr, uint64_t align)
{
    (void)nr;
    (void)align;
    return alloc_domheap_page();
}

static int setup(void **state)
{
    (void)state;
    fake_reset();
    xen_pt_lock.taken = 0;
    this_cpu(xen_pgtable) = aligned_alloc(PAGE_SIZE, PAGE_SIZE);
    memset(this_cpu(xen_pgtable), 0, PAGE_SIZE);
    open_maps = 0;
    tables_left = 1000;
    system_state = SYS_HEAP;
    return 0;
}

/* PA behind va by a walk of its own, and the level it ended at; UINT64_MAX: none. */
static uint64_t walk(uint64_t va, unsigned int *level)
{
    const uint64_t *table = this_cpu(xen_pgtable);

    for (*level = 0; *level < 4; (*level)++) {
        unsigned int shift = 39 - 9 * *level;
        uint64_t entry = table[va >> shift & 511];

        if (!(entry & 1))
            return UINT64_MAX;
        if (*level == 3 || !(entry & 2))
            return (entry & 0xfffffffff000 & ~((UINT64_C(1) << shift) - 1)) |
                   (va & ((UINT64_C(1) << shift) - 1));
        table = (const uint64_t *)(uintptr_t)(entry & 0xfffffffff000);
    }
    return UINT64_MAX;
}

static void check(uint64_t va, uint64_t pa, unsigned int expected_level)
{
    unsigned int level;

    assert_int_equal(walk(va, &level), pa);
    assert_int_equal(level, expected_level);
}

static void test_largest_blocks(void **state)
{
    uint64_t nr = 3 + 2 * PAGES_2M + PAGES_1G + PAGES_2M + 1, end;

    (void)state;
    /* From 2 MiB + 3 pages below a GiB: pages, blocks, a GiB, a block, a page. */
    assert_int_equal(
        map_pages_to_xen(_vaddr(VA + 0x3fbfd000), _mfn(0x3fbfd), nr, PAGE_HYPERVISOR_RW), 0);
    check(VA + 0x3fbfd000, 0x3fbfd000, 3);
    check(VA + 0x3fbff123, 0x3fbff123, 3);
    check(VA + 0x3fc00000, 0x3fc00000, 2);
    check(VA + 0x3fffffff, 0x3fffffff, 2);
    check(VA + 0x40000000, 0x40000000, 1);
    check(VA + 0x7fffffff, 0x7fffffff, 1);
    check(VA + 0x80000000, 0x80000000, 2);
    end = 0x3fbfd000 + nr * PAGE_SIZE;
    check(VA + end - 1, end - 1, 3);
    check(VA + end, UINT64_MAX, 3);
    check(VA + 0x3fbfcfff, UINT64_MAX, 3);
    assert_int_equal(open_maps, 0);
}

static void test_blocks_need_both_addresses_aligned(void **state)
{
    (void)state;
    map_pages_to_xen(_vaddr(VA), _mfn(0x40201), PAGES_2M, PAGE_HYPERVISOR_RW);
    check(VA, 0x40201000, 3);
    check(VA + 0x1ff000, 0x40400000, 3);
}

static void test_permissions_and_type(void **state)
{
    unsigned int level;

    (void)state;
    map_pages_to_xen(_vaddr(VA), _mfn(1), 1, PAGE_HYPERVISOR_RO);
    map_pages_to_xen(_vaddr(VA + PAGE_SIZE), _mfn(2), 1, PAGE_HYPERVISOR_DEVICE);
    map_pages_to_xen(_vaddr(VA + SLOT_SIZE), _mfn(PAGES_2M), PAGES_2M, PAGE_HYPERVISOR_RW);
    assert_int_equal(xen_walk(_vaddr(VA), &level), 0x1000 | 0x0040000000000fff);
    assert_int_equal(xen_walk(_vaddr(VA + PAGE_SIZE), &level), 0x2000 | 0x0040000000000f73);
    assert_int_equal(xen_walk(_vaddr(VA + SLOT_SIZE), &level), 0x200000 | 0x0040000000000f7d);
    assert_int_equal(level, 2);
}

static void test_mapping_twice_is_caught(void **state)
{
    (void)state;
    map_pages_to_xen(_vaddr(VA), _mfn(1), 1, PAGE_HYPERVISOR_RW);
    assert_true(panics(map_pages_to_xen(_vaddr(VA), _mfn(1), 1, PAGE_HYPERVISOR_RW)));
    assert_non_null(strstr(fake_panic_message, "is mapped already"));
}

static void test_unmap_flushes_after_the_store(void **state)
{
    unsigned int level;

    (void)state;
    map_pages_to_xen(_vaddr(VA), _mfn(1), 2, PAGE_HYPERVISOR_RW);
    fake_notes_clear();
    unmap_page_from_xen(_vaddr(VA));
    assert_string_equal(fake_notes, "ssTiI");
    assert_false(pte_valid(xen_walk(_vaddr(VA), &level)));
    assert_true(pte_valid(xen_walk(_vaddr(VA + PAGE_SIZE), &level)));
    assert_true(panics(unmap_page_from_xen(_vaddr(VA))));
}

static void test_without_memory(void **state)
{
    unsigned int level;

    (void)state;
    tables_left = 2;
    assert_int_equal(map_pages_to_xen(_vaddr(VA), _mfn(1), 1, PAGE_HYPERVISOR_RW), -1);
    assert_false(pte_is_leaf(xen_walk(_vaddr(VA), &level), 3));
    assert_int_equal(open_maps, 0);
    tables_left = 1000;
    assert_int_equal(map_pages_to_xen(_vaddr(VA), _mfn(1), 1, PAGE_HYPERVISOR_RW), 0);
}

static void test_prepared_tables_need_no_more(void **state)
{
    (void)state;
    assert_int_equal(prepare_tables(_vaddr(VA), 3 * SLOT_SIZE), 0);
    tables_left = 0;
    map_prepared_page(_vaddr(VA + 2 * SLOT_SIZE + 7 * PAGE_SIZE), _mfn(9), PAGE_HYPERVISOR_RW);
    check(VA + 2 * SLOT_SIZE + 7 * PAGE_SIZE, 9 * PAGE_SIZE, 3);
    assert_int_equal(open_maps, 0);
}

static void test_new_tables_are_empty(void **state)
{
    unsigned int level;

    (void)state;
    system_state = SYS_EARLY; /* by the pmap, from bootmem */
    map_pages_to_xen(_vaddr(VA + 511 * PAGE_SIZE), _mfn(1), 1, PAGE_HYPERVISOR_RW);
    for (unsigned int i = 0; i < 511; i++)
        assert_int_equal(xen_walk(_vaddr(VA + i * PAGE_SIZE), &level), 0);
}

static void test_addresses_of_image_and_directmap(void **state)
{
    (void)state;
    assert_int_equal(paddr_x(virt_to_paddr((void *)(XEN_VIRT_START + 0x1234))), 0x40201234);
    assert_int_equal(paddr_x(virt_to_paddr((void *)(DIRECTMAP_VIRT_START + 0x99999))), 0x99999);
    assert_true(panics(virt_to_paddr((void *)DOMHEAP_VIRT_START)));
    assert_true(panics(virt_to_paddr(NULL)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_largest_blocks, setup),
        cmocka_unit_test_setup(test_blocks_need_both_addresses_aligned, setup),
        cmocka_unit_test_setup(test_permissions_and_type, setup),
        cmocka_unit_test_setup(test_mapping_twice_is_caught, setup),
        cmocka_unit_test_setup(test_unmap_flushes_after_the_store, setup),
        cmocka_unit_test_setup(test_without_memory, setup),
        cmocka_unit_test_setup(test_prepared_tables_need_no_more, setup),
        cmocka_unit_test_setup(test_new_tables_are_empty, setup),
        cmocka_unit_test_setup(test_addresses_of_image_and_directmap, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
