/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/pgtable.h"
#include "arch/irq.h"
#include "arch/spinlock.h"
#include "arch/tlb.h"
#include "core/string.h"
#include "core/system.h"
#include "mm/boot_tables.h"
#include "mm/bootmem.h"
#include "mm/directmap.h"
#include "mm/domain_page.h"
#include "mm/page_alloc.h"
#include "mm/pmap.h"

DEFINE_PER_CPU(lpae_t *, xen_pgtable);
static spinlock_t xen_pt_lock;

/*
 * The tables are changed with interrupts masked, and three of them are mapped at
 * a time at most: their maps are never refused.
 */
static uint64_t tables_lock(void)
{
    uint64_t irq = spin_lock_irqsave(&xen_pt_lock);

    mapcache_urgent_begin();
    return irq;
}

static void tables_unlock(uint64_t irq)
{
    mapcache_urgent_end();
    spin_unlock_irqrestore(&xen_pt_lock, irq);
}

paddr_t virt_to_paddr(const volatile void *p)
{
    uint64_t va = (uintptr_t)p;

    if (va - XEN_VIRT_START < XEN_VIRT_SIZE)
        return _paddr(va - XEN_VIRT_START + image_pa);
    CHECK(va - DIRECTMAP_VIRT_START < DIRECTMAP_SIZE, "0x%lx has no fixed physical address", va);
    return _paddr(va - DIRECTMAP_VIRT_START);
}

lpae_t *xen_map_table(mfn_t mfn)
{
    if (system_state < SYS_MAPCACHE)
        return pmap_map(mfn);
    return map_domain_page(mfn);
}

void xen_unmap_table(const lpae_t *table)
{
    if (system_state < SYS_MAPCACHE)
        pmap_unmap(table);
    else
        unmap_domain_page(table);
}

int create_xen_table(lpae_t *entry)
{
    mfn_t mfn = system_state < SYS_HEAP ? alloc_boot_pages(1, 1) : alloc_domheap_page();
    lpae_t *table;
    uint64_t irq;

    if (mfn_x(mfn) == mfn_x(INVALID_MFN))
        return -1;
    irq = local_irq_save();
    mapcache_urgent_begin();
    table = xen_map_table(mfn);
    memset(table, 0, PAGE_SIZE);
    xen_unmap_table(table);
    mapcache_urgent_end();
    local_irq_restore(irq);
    write_pte(entry, paddr_x(mfn_to_paddr(mfn)) | PTE_XEN_TABLE);
    return 0;
}

/*
 * Descend to the entry for va at level `target`, making tables on the way.
 * *table is what the caller unmaps (NULL: the root). NULL without memory.
 */
static lpae_t *entry_get(uint64_t va, unsigned int target, lpae_t **table)
{
    lpae_t *entry = &this_cpu(xen_pgtable)[pt_index(va, 0)];

    *table = NULL;
    for (unsigned int level = 0; level < target; level++) {
        lpae_t *upper = *table;
        int error = pte_valid(*entry) ? 0 : create_xen_table(entry);

        CHECK(error || pte_is_table(*entry, level), "va 0x%lx level %u: 0x%lx is no table", va,
              level, *entry);
        *table = error ? NULL : xen_map_table(pte_mfn(*entry));
        if (upper)
            xen_unmap_table(upper);
        if (error)
            return NULL;
        entry = &(*table)[pt_index(va, level + 1)];
    }
    return entry;
}

/* The lowest level number (largest block) at which [va, +nr) -> mfn can start. */
static unsigned int block_level(uint64_t va, uint64_t mfn, uint64_t nr)
{
    for (unsigned int level = 1; level < PT_LEVEL_LAST; level++) {
        uint64_t pages = UINT64_C(1) << (pt_level_shift(level) - PAGE_SHIFT);

        if (nr >= pages && ((va >> PAGE_SHIFT) | mfn) % pages == 0)
            return level;
    }
    return PT_LEVEL_LAST;
}

static int map_one(uint64_t va, mfn_t mfn, unsigned int level, lpae_t flags)
{
    lpae_t *table, *entry = entry_get(va, level, &table);
    lpae_t pte = (mfn_to_xen_entry(mfn, 0) & ~PTE_XN) | flags;

    if (!entry)
        return -1;
    CHECK(!pte_valid(*entry), "va 0x%lx is mapped already: 0x%lx", va, *entry);
    write_pte(entry, level == PT_LEVEL_LAST ? pte | PTE_TABLE : pte);
    xen_unmap_table(table);
    return 0;
}

int map_pages_to_xen(vaddr_t va, mfn_t mfn, uint64_t nr, lpae_t flags)
{
    uint64_t irq = tables_lock();
    uint64_t at = vaddr_x(va);
    int error = 0;

    while (nr && !error) {
        unsigned int level = block_level(at, mfn_x(mfn), nr);
        uint64_t pages = UINT64_C(1) << (pt_level_shift(level) - PAGE_SHIFT);

        error = map_one(at, mfn, level, flags);
        at += pages << PAGE_SHIFT;
        mfn = mfn_add(mfn, pages);
        nr -= pages;
    }
    isb(); /* a translation that faulted is never cached (IWZCBG): no TLBI */
    tables_unlock(irq);
    return error;
}

int prepare_tables(vaddr_t va, uint64_t bytes)
{
    uint64_t end = vaddr_x(va) + bytes;
    uint64_t irq = tables_lock();
    int error = 0;

    for (uint64_t at = vaddr_x(va); at < end && !error; at += UINT64_C(1) << pt_level_shift(2)) {
        lpae_t *table;

        error = entry_get(at, PT_LEVEL_LAST, &table) ? 0 : -1;
        if (!error)
            xen_unmap_table(table);
    }
    tables_unlock(irq);
    return error;
}

void map_prepared_page(vaddr_t va, mfn_t mfn, lpae_t flags)
{
    uint64_t irq = local_irq_save();

    mapcache_urgent_begin();
    CHECK(map_one(vaddr_x(va), mfn, PT_LEVEL_LAST, flags) == 0, "va 0x%lx", vaddr_x(va));
    isb();
    mapcache_urgent_end();
    local_irq_restore(irq);
}

void unmap_page_from_xen(vaddr_t va)
{
    uint64_t irq = tables_lock();
    lpae_t *table, *entry = entry_get(vaddr_x(va), PT_LEVEL_LAST, &table);

    CHECK(entry && pte_valid(*entry), "va 0x%lx is not mapped", vaddr_x(va));
    write_pte(entry, 0);
    xen_unmap_table(table);
    tlb_flush_va(va);
    dsb_ish();
    isb();
    tables_unlock(irq);
}

lpae_t xen_walk(vaddr_t va, unsigned int *level)
{
    lpae_t pte = this_cpu(xen_pgtable)[pt_index(vaddr_x(va), 0)];
    uint64_t irq = local_irq_save();

    mapcache_urgent_begin();
    for (*level = 0; pte_is_table(pte, *level); (*level)++) {
        lpae_t *table = xen_map_table(pte_mfn(pte));

        pte = table[pt_index(vaddr_x(va), *level + 1)];
        xen_unmap_table(table);
    }
    mapcache_urgent_end();
    local_irq_restore(irq);
    return pte;
}
