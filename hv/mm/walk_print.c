/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/walk_print.h"
#include "arch/sysreg.h"
#include "arch/tlb.h"
#include "core/printk.h"
#include "mm/pmap.h"

/*
 * One table after the other, from the register. By the pmap: a dump that went
 * through map_domain_page() would change what is to be looked at. Other CPUs
 * do not use the pmap, and its entries are flushed before use all the same.
 */
void walk_print(uint64_t va)
{
    lpae_t entry = read_sysreg(ttbr0_el2) & PTE_ADDR_MASK;

    printk("walk of 0x%lx from 0x%lx\n", va, entry);
    entry |= PTE_VALID | PTE_TABLE;
    for (unsigned int level = 0; level <= PT_LEVEL_LAST; level++) {
        const lpae_t *table = pmap_map(pte_mfn(entry));

        tlb_flush_va_local(_vaddr((uintptr_t)table));
        dsb_nsh();
        isb();
        printk("  level %u table 0x%lx [%u] ", level, paddr_x(pte_paddr(entry)),
               pt_index(va, level));
        entry = table[pt_index(va, level)];
        pmap_unmap(table);
        printk("= 0x%016lx %s\n", entry,
               !pte_valid(entry)            ? "invalid"
               : pte_is_table(entry, level) ? "table"
               : pte_is_leaf(entry, level)  ? "leaf"
                                            : "reserved");
        if (!pte_is_table(entry, level))
            break;
    }
}
