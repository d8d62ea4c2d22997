/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/vmap.h"
#include "arch/spinlock.h"
#include "mm/pgtable.h"

#define VMAP_PAGES (VMAP_VIRT_SIZE >> PAGE_SHIFT)

static spinlock_t lock;
static uint64_t used[VMAP_PAGES / 64]; /* bit n: page n is taken */

static bool page_used(uint64_t page)
{
    return used[page / 64] >> (page % 64) & 1;
}

static void pages_flip(uint64_t page, uint64_t nr)
{
    for (uint64_t i = page; i < page + nr; i++)
        used[i / 64] ^= UINT64_C(1) << (i % 64);
}

/* First of nr contiguous pages, VMAP_PAGES if there is no such run. */
static uint64_t pages_take(uint64_t nr)
{
    uint64_t irq = spin_lock_irqsave(&lock);
    uint64_t end = 0, run = 0;

    while (end < VMAP_PAGES && run < nr)
        run = page_used(end++) ? 0 : run + 1;
    if (run == nr)
        pages_flip(end - nr, nr);
    spin_unlock_irqrestore(&lock, irq);
    return run == nr ? end - nr : VMAP_PAGES;
}

static void pages_give(uint64_t page, uint64_t nr)
{
    uint64_t irq = spin_lock_irqsave(&lock);

    pages_flip(page, nr);
    spin_unlock_irqrestore(&lock, irq);
}

static void *vmap_pages(mfn_t mfn, uint64_t nr, lpae_t flags)
{
    uint64_t page = pages_take(nr);
    vaddr_t va = _vaddr(VMAP_VIRT_START + page * PAGE_SIZE);

    if (page == VMAP_PAGES)
        return NULL;
    if (map_pages_to_xen(va, mfn, nr, flags)) {
        pages_give(page, nr);
        return NULL;
    }
    return (void *)vaddr_x(va);
}

void *vmap_page(mfn_t mfn)
{
    return vmap_pages(mfn, 1, PAGE_HYPERVISOR_RW);
}

static void *vmap_bytes(paddr_t pa, uint64_t bytes, lpae_t flags)
{
    uint64_t offset = paddr_x(pa) & PAGE_MASK;
    uint64_t nr = (offset + bytes + PAGE_MASK) >> PAGE_SHIFT;
    char *p = vmap_pages(paddr_to_mfn(pa), nr, flags);

    return p ? p + offset : NULL;
}

void *ioremap(paddr_t pa, uint64_t bytes)
{
    return vmap_bytes(pa, bytes, PAGE_HYPERVISOR_DEVICE);
}

const void *vmap_ram(struct region range)
{
    return vmap_bytes(_paddr(range.start), range.end - range.start, PAGE_HYPERVISOR_RO);
}

void vunmap_page(const void *p)
{
    uint64_t va = (uintptr_t)p & ~PAGE_MASK;

    CHECK(va - VMAP_VIRT_START < VMAP_VIRT_SIZE, "%p is not of the vmap area", p);
    unmap_page_from_xen(_vaddr(va));
    pages_give((va - VMAP_VIRT_START) >> PAGE_SHIFT, 1);
}

mfn_t vmap_to_mfn(const void *p)
{
    unsigned int level;
    lpae_t pte = xen_walk(_vaddr((uintptr_t)p), &level);

    CHECK(pte_is_leaf(pte, level), "%p is not mapped", p);
    return pte_mfn(pte);
}
