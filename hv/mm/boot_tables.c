/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/boot_tables.h"
#include "arch/barrier.h"
#include "arch/early.h"
#include "arch/tlb.h"
#include "mm/pgtable.h"
#include <hvscope/mapcache.h>
#include <stddef.h>

/*
 * Entries made here while the MMU is off are plain stores: nothing walks the
 * tables yet. Everything later goes through the primitives of pte_store.h.
 */

#define BOOT_TABLE(name) lpae_t name __attribute__((aligned(4096), section(".bss.page_aligned")))

#define IMAGE_THIRDS (XEN_VIRT_SIZE >> 21)

BOOT_TABLE(cpu0_pgtable[PT_ENTRIES]);
BOOT_TABLE(xen_fixmap[PT_ENTRIES]);
static BOOT_TABLE(xen_first[PT_ENTRIES]);
static BOOT_TABLE(xen_second[PT_ENTRIES]);
static BOOT_TABLE(xen_third[IMAGE_THIRDS][PT_ENTRIES]);
static BOOT_TABLE(identity_first[PT_ENTRIES]);
static BOOT_TABLE(identity_second[PT_ENTRIES]);

/* Where the image was loaded; set with the MMU off, read ever after. */
uint64_t image_pa;

static lpae_t table_entry(const void *table)
{
    return (uintptr_t)table | PTE_XEN_TABLE;
}

/* Permissions of the page at this offset of the image: W^X (hv.lds.S). */
static lpae_t image_page(uint64_t offset)
{
    uint64_t address = (uintptr_t)_start + offset;
    lpae_t pte = address | PTE_XEN_BLOCK | PTE_TABLE;

    if (address < (uintptr_t)_srodata)
        return (pte | PTE_RO) & ~PTE_XN;
    if (address < (uintptr_t)_sdata)
        return pte | PTE_RO;
    return pte;
}

static void image_map(void)
{
    uint64_t size = (uintptr_t)_end - (uintptr_t)_start;

    for (uint64_t offset = 0; offset < size; offset += PAGE_SIZE)
        xen_third[offset >> 21][pt_index(XEN_VIRT_START + offset, 3)] = image_page(offset);
    for (unsigned int i = 0; i < IMAGE_THIRDS; i++)
        xen_second[pt_index(XEN_VIRT_START, 2) + i] = table_entry(xen_third[i]);
    xen_second[pt_index(FIXMAP_VIRT_START, 2)] = table_entry(xen_fixmap);
    xen_first[pt_index(XEN_VIRT_START, 1)] = table_entry(xen_second);
    cpu0_pgtable[pt_index(XEN_VIRT_START, 0)] = table_entry(xen_first);
}

/* One block, read-only and executable: the code that switches the MMU on. */
static void identity_map_make(void)
{
    lpae_t block = image_pa | PTE_XEN_BLOCK | PTE_RO;

    identity_second[pt_index(image_pa, 2)] = block & ~PTE_XN;
    identity_first[pt_index(image_pa, 1)] = table_entry(identity_second);
    cpu0_pgtable[pt_index(image_pa, 0)] = table_entry(identity_first);
}

uint64_t boot_tables_make(void)
{
    image_pa = (uintptr_t)_start;
    if (image_pa & (SLOT_SIZE - 1))
        early_fail("not loaded at a multiple of 2 MiB");
    image_map();
    identity_map_make();
    dsb_sy();
    return (uintptr_t)cpu0_pgtable;
}

const void *boot_fdt_map(paddr_t pa)
{
    uint64_t base = paddr_x(pa) & ~(SLOT_SIZE - 1);
    lpae_t *entry = &xen_second[pt_index(BOOT_FDT_VIRT_START, 2)];

    if ((paddr_x(pa) & 7) || (paddr_x(pa) & ~PTE_ADDR_MASK & ~PAGE_MASK))
        return NULL;
    for (unsigned int i = 0; i < BOOT_FDT_VIRT_SIZE / SLOT_SIZE; i++)
        write_pte(&entry[i], (base + i * SLOT_SIZE) | PTE_XEN_BLOCK | PTE_RO);
    isb();
    return (const char *)BOOT_FDT_VIRT_START + (paddr_x(pa) - base);
}

void identity_map_remove(lpae_t *root)
{
    write_pte(&root[pt_index(image_pa, 0)], 0);
    tlb_flush_all_local();
    dsb_nsh();
    isb();
}

void identity_map_insert(lpae_t *root)
{
    root[pt_index(image_pa, 0)] = virt_to_paddr(identity_first).pa | PTE_XEN_TABLE;
}
