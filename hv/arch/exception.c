/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/exception.h"
#include "arch/early.h"
#include "arch/percpu.h"
#include "arch/tlb.h"
#include "core/panic.h"
#include "core/printk.h"
#include "mm/pgtable.h"
#include "mm/pmap.h"

static const char *const kind_name[] = {"synchronous exception", "IRQ", "FIQ", "SError"};
static const char *const origin_name[] = {"EL2 with SP_EL0", "EL2", "lower EL, AArch64",
                                          "lower EL, AArch32"};

/* ESR_EL2.EC (Arm ARM D19.2.37) of what an EL2 without guests can meet. */
static const char *const class_name[64] = {
    [0x00] = "unknown reason",
    [0x07] = "SVE, SIMD or floating point trapped",
    [0x0e] = "illegal execution state",
    [0x15] = "SVC",
    [0x16] = "HVC",
    [0x17] = "SMC",
    [0x18] = "system register trapped",
    [EC_IABT_SAME] = "instruction abort",
    [0x22] = "PC alignment",
    [EC_DABT_SAME] = "data abort",
    [0x26] = "SP alignment",
    [0x2f] = "SError",
    [0x3c] = "BRK",
};

static void registers_print(const struct frame *f)
{
    for (unsigned int i = 0; i < 31; i++)
        printk("x%-2u 0x%016lx%s", i, f->x[i], i % 4 == 3 ? "\n" : "  ");
    printk("sp  0x%016lx\n", f->sp);
    printk("elr 0x%016lx  spsr 0x%lx  esr 0x%lx  far 0x%016lx\n", f->elr, f->spsr, f->esr, f->far);
    printk("hcr 0x%lx  sctlr 0x%lx  tcr 0x%lx  ttbr0 0x%lx  vbar 0x%lx\n", read_sysreg(hcr_el2),
           read_sysreg(sctlr_el2), read_sysreg(tcr_el2), read_sysreg(ttbr0_el2),
           read_sysreg(vbar_el2));
}

/*
 * One table after the other, from the register. By the pmap: a dump that went
 * through map_domain_page() would change what is to be looked at. Other CPUs
 * do not use the pmap, and its entries are flushed before use all the same.
 */
static void walk_print(uint64_t va)
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

void exception_dispatch(struct frame *frame)
{
    static DEFINE_PER_CPU(bool, reporting);
    unsigned int class = ESR_EC(frame->esr);
    const char *why = class_name[class];

    if (!(read_sysreg(sctlr_el2) & SCTLR_M))
        early_fail("exception before the MMU was on");
    panic_begin();
    if (this_cpu(reporting))
        panic("exception while one was reported: elr 0x%lx far 0x%lx", frame->elr, frame->far);
    this_cpu(reporting) = true;

    printk("\nCPU%u: %s from %s: %s (EC 0x%x)\n", smp_processor_id(), kind_name[frame->vector % 4],
           origin_name[frame->vector / 4 % 4], why ? why : "reserved class", class);
    registers_print(frame);
    if (class == EC_DABT_SAME || class == EC_IABT_SAME)
        walk_print(frame->far);
    panic("%s at 0x%lx: %s, far 0x%lx esr 0x%lx", kind_name[frame->vector % 4], frame->elr,
          why ? why : "reserved class", frame->far, frame->esr);
}
