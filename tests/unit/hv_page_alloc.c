/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The page allocators. The frametable is at its own address, mapped page by
 * page as the image does; the frames are host memory, so that scrubs are seen.
 * domheap.c and xenheap.c are included: their state is reset for each test.
 */
#define lock xenheap_lock
#include "mm/xenheap.c"
#undef lock
#include "fake.h"
#define alloc_xenheap_pages metadata_page
static void *metadata_page(unsigned int order);
#include "mm/domheap.c"
#undef alloc_xenheap_pages
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#define RAM_BYTES MB(16)
#define RAM_BASE  MB(64)
#define PAGES     (RAM_BYTES >> PAGE_SHIFT)

DEFINE_PER_CPU(uint64_t, pace_held);
static uint8_t *ram;
static unsigned int frametable_pages;
static struct region free_region;

/* What the allocators call. Pages of the xenheap have addresses that a host program cannot. */

static bool metadata_is_out;

static void *metadata_page(unsigned int order)
{
    return metadata_is_out ? NULL : aligned_alloc(PAGE_SIZE << order, PAGE_SIZE << order);
}

void pace_wait(void)
{
}

void *map_domain_page(mfn_t mfn)
{
    return ram + paddr_x(mfn_to_paddr(mfn)) - RAM_BASE;
}

void unmap_domain_page(const void *ptr)
{
    (void)ptr;
}

struct region ram_span(void)
{
    return (struct region){RAM_BASE, RAM_BASE + RAM_BYTES};
}

bool bootmem_region(unsigned int n, struct region *region)
{
    *region = free_region;
    return n == 0;
}

uint64_t bootmem_free(void)
{
    return free_region.end - free_region.start;
}

mfn_t alloc_boot_pages(uint64_t nr, uint64_t align)
{
    (void)nr;
    (void)align;
    return INVALID_MFN;
}

int prepare_tables(vaddr_t va, uint64_t bytes)
{
    (void)va;
    (void)bytes;
    return 0;
}

/* The first word of a frametable page says that it is mapped: host memory always is. */
static uint8_t mapped[64];

lpae_t xen_walk(vaddr_t va, unsigned int *level)
{
    *level = PT_LEVEL_LAST;
    return mapped[(vaddr_x(va) - FRAMETABLE_VIRT_START) >> PAGE_SHIFT];
}

void map_prepared_page(vaddr_t va, mfn_t mfn, lpae_t flags)
{
    (void)mfn;
    (void)flags;
    mapped[(vaddr_x(va) - FRAMETABLE_VIRT_START) >> PAGE_SHIFT] = PTE_VALID;
    frametable_pages++;
}

static int setup(void **state)
{
    void *table = mmap((void *)FRAMETABLE_VIRT_START, MB(1), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    (void)state;
    fake_reset();
    free(ram);
    ram = malloc(RAM_BYTES);
    if (table == MAP_FAILED || !ram)
        return -1;
    memset(ram, 0xaa, RAM_BYTES);
    memset(mapped, 0, sizeof(mapped));
    memset(used, 0, sizeof(used));
    lock = xenheap_lock = (spinlock_t){0}; /* a panic leaves it taken */
    frametable_pages = 0;
    metadata_is_out = false;
    free_region = (struct region){RAM_BASE, RAM_BASE + RAM_BYTES};
    ring = NO_EXTENT;
    cursor = ring_length = 0;
    xenheap_init(_mfn(0x1000), 64);
    frametable_init();
    domheap_init();
    return 0;
}

static void test_all_pages_once(void **state)
{
    static uint8_t seen[PAGES];

    (void)state;
    assert_int_equal(domheap_total_pages(), PAGES);
    memset(seen, 0, sizeof(seen));
    for (unsigned int i = 0; i < PAGES; i++) {
        mfn_t mfn = alloc_domheap_page();

        assert_in_range(mfn_x(mfn), RAM_BASE >> PAGE_SHIFT, (RAM_BASE >> PAGE_SHIFT) + PAGES - 1);
        assert_int_equal(seen[mfn_x(mfn) - (RAM_BASE >> PAGE_SHIFT)]++, 0);
    }
    assert_int_equal(domheap_free_pages(), 0);
    assert_int_equal(mfn_x(alloc_domheap_page()), mfn_x(INVALID_MFN));
    free_domheap_page(_mfn((RAM_BASE >> PAGE_SHIFT) + 77));
    assert_int_equal(mfn_x(alloc_domheap_page()), (RAM_BASE >> PAGE_SHIFT) + 77);
}

static void test_neighbours_are_scattered(void **state)
{
    mfn_t before = alloc_domheap_page();

    (void)state;
    for (unsigned int i = 0; i < 100; i++) {
        mfn_t mfn = alloc_domheap_page();

        assert_int_not_equal(mfn_x(mfn) >> SLOT_MFN_SHIFT, mfn_x(before) >> SLOT_MFN_SHIFT);
        before = mfn;
    }
}

static void test_metadata_is_made_when_needed(void **state)
{
    (void)state;
    assert_int_equal(frametable_pages, 0);
    alloc_domheap_page();
    assert_int_equal(frametable_pages, 1);
}

static void test_free_scrubs(void **state)
{
    mfn_t mfn = alloc_domheap_page();
    const uint8_t *page = map_domain_page(mfn);

    (void)state;
    assert_int_equal(page[5], 0xaa);
    free_domheap_page(mfn);
    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        assert_int_equal(page[i], 0);
}

static void test_double_free_is_caught(void **state)
{
    mfn_t mfn = alloc_domheap_page();

    (void)state;
    free_domheap_page(mfn);
    assert_true(panics(free_domheap_page(mfn)));
    assert_non_null(strstr(fake_panic_message, "is free already"));
    assert_true(panics(free_domheap_page(_mfn(5))));
    assert_non_null(strstr(fake_panic_message, "is not of the domheap"));
}

static void test_a_wanted_page(void **state)
{
    mfn_t wanted = _mfn((RAM_BASE >> PAGE_SHIFT) + 3 * 512 + 9);

    (void)state;
    assert_true(alloc_domheap_page_at(wanted));
    assert_false(alloc_domheap_page_at(wanted));
    assert_false(alloc_domheap_page_at(_mfn(0)));
    assert_false(alloc_domheap_page_at(_mfn(UINT64_MAX)));
    assert_int_equal(domheap_free_pages(), PAGES - 1);
    for (unsigned int i = 1; i < PAGES; i++)
        assert_int_not_equal(mfn_x(alloc_domheap_page()), mfn_x(wanted));
    assert_int_equal(mfn_x(alloc_domheap_page()), mfn_x(INVALID_MFN));
}

static void test_no_memory_for_metadata(void **state)
{
    (void)state;
    metadata_is_out = true;
    assert_int_equal(mfn_x(alloc_domheap_page()), mfn_x(INVALID_MFN));
    assert_int_equal(domheap_free_pages(), PAGES);
}

/* Only what bootmem has left is given out. */
static void test_holes(void **state)
{
    (void)state;
    free_region = (struct region){RAM_BASE + 0x3000, RAM_BASE + 0x5000};
    domheap_init();
    assert_int_equal(domheap_total_pages(), 2);
    assert_in_range(mfn_x(alloc_domheap_page()), 0x4003, 0x4004);
    assert_in_range(mfn_x(alloc_domheap_page()), 0x4003, 0x4004);
    assert_int_equal(mfn_x(alloc_domheap_page()), mfn_x(INVALID_MFN));
}

static void test_random_give_and_take(void **state)
{
    static mfn_t held[PAGES];
    unsigned int n = 0;

    (void)state;
    srandom(1);
    for (unsigned int i = 0; i < 100000; i++) {
        if (n == 0 || (n < PAGES && random() % 3)) {
            held[n] = alloc_domheap_page();
            assert_int_not_equal(mfn_x(held[n++]), mfn_x(INVALID_MFN));
        } else {
            unsigned int k = (unsigned int)random() % n;

            free_domheap_page(held[k]);
            held[k] = held[--n];
        }
        assert_int_equal(domheap_free_pages(), PAGES - n);
    }
}

static void test_xenheap(void **state)
{
    char *a = alloc_xenheap_pages(0), *b = alloc_xenheap_pages(2), *c = alloc_xenheap_pages(0);

    (void)state;
    assert_ptr_equal(a, (char *)DIRECTMAP_VIRT_START + 0x1000000);
    assert_ptr_equal(b, a + 4 * PAGE_SIZE); /* aligned to its size */
    assert_ptr_equal(c, a + PAGE_SIZE);
    free_xenheap_pages(b, 2);
    assert_ptr_equal(alloc_xenheap_pages(2), b);
    assert_null(alloc_xenheap_pages(7));
    assert_non_null(alloc_xenheap_pages(5));
    assert_null(alloc_xenheap_pages(5));
    assert_int_equal(order_from_bytes(1), 0);
    assert_int_equal(order_from_bytes(4097), 1);
    assert_int_equal(order_from_bytes(5 * 4096), 3);
    free_xenheap_pages(b, 2);
    assert_true(panics(free_xenheap_pages(b, 2)));
    assert_non_null(strstr(fake_panic_message, "order 2 is not taken"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_all_pages_once, setup),
        cmocka_unit_test_setup(test_neighbours_are_scattered, setup),
        cmocka_unit_test_setup(test_metadata_is_made_when_needed, setup),
        cmocka_unit_test_setup(test_free_scrubs, setup),
        cmocka_unit_test_setup(test_double_free_is_caught, setup),
        cmocka_unit_test_setup(test_a_wanted_page, setup),
        cmocka_unit_test_setup(test_no_memory_for_metadata, setup),
        cmocka_unit_test_setup(test_holes, setup),
        cmocka_unit_test_setup(test_random_give_and_take, setup),
        cmocka_unit_test_setup(test_xenheap, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
