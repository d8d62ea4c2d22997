/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/spinlock.h"
#include "mm/directmap.h"
#include "mm/page_alloc.h"
#include "mm/pgtable.h"
#include <hvscope/mapcache.h>

/* A 32nd of RAM, as Xen does where the heap is apart; in these bounds. */
#define XENHEAP_MIN   MB(16)
#define XENHEAP_MAX   GB(1)
#define XENHEAP_PAGES (XENHEAP_MAX >> PAGE_SHIFT)

static spinlock_t lock;
static uint64_t used[XENHEAP_PAGES / 64]; /* bit n: page n is taken */
static uint64_t nr_pages;
static uint64_t first_mfn;

unsigned int order_from_bytes(size_t bytes)
{
    unsigned int order = 0;

    while ((PAGE_SIZE << order) < bytes)
        order++;
    return order;
}

mfn_t xenheap_carve(uint64_t *nr)
{
    uint64_t bytes = bootmem_free() / 32 & ~(SLOT_SIZE - 1);

    if (bytes < XENHEAP_MIN)
        bytes = XENHEAP_MIN;
    if (bytes > XENHEAP_MAX)
        bytes = XENHEAP_MAX;
    *nr = bytes >> PAGE_SHIFT;
    return alloc_boot_pages(*nr, SLOT_SIZE >> PAGE_SHIFT);
}

void xenheap_init(mfn_t first, uint64_t nr)
{
    first_mfn = mfn_x(first);
    nr_pages = nr;
}

static bool run_is_free(uint64_t page, uint64_t n)
{
    for (uint64_t i = page; i < page + n; i++) {
        if (used[i / 64] >> (i % 64) & 1)
            return false;
    }
    return true;
}

static void run_flip(uint64_t page, uint64_t n)
{
    for (uint64_t i = page; i < page + n; i++)
        used[i / 64] ^= UINT64_C(1) << (i % 64);
}

void *alloc_xenheap_pages(unsigned int order)
{
    uint64_t n = UINT64_C(1) << order;
    uint64_t irq = spin_lock_irqsave(&lock);
    void *p = NULL;

    for (uint64_t page = 0; page + n <= nr_pages && !p; page += n) {
        if (run_is_free(page, n)) {
            run_flip(page, n);
            p = mfn_to_virt(_mfn(first_mfn + page));
        }
    }
    spin_unlock_irqrestore(&lock, irq);
    return p;
}

void free_xenheap_pages(void *p, unsigned int order)
{
    uint64_t page = mfn_x(virt_to_mfn(p)) - first_mfn;
    uint64_t irq = spin_lock_irqsave(&lock);

    for (uint64_t i = page; i < page + (UINT64_C(1) << order); i++)
        CHECK(i < nr_pages && used[i / 64] >> (i % 64) & 1, "%p order %u is not taken", p, order);
    run_flip(page, UINT64_C(1) << order);
    spin_unlock_irqrestore(&lock, irq);
}
