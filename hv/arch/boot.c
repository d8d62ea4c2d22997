/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first C code of each CPU, with its MMU off: it runs at its physical
 * address, so it may use no pointer that was stored by the linker.
 */
#include "arch/boot.h"
#include "arch/barrier.h"
#include "arch/early.h"
#include "arch/exception.h"
#include "arch/sysreg.h"
#include "core/main.h"
#include "mm/boot_tables.h"
#include <hvscope/layout.h>

char boot_stack[BOOT_STACK_SIZE] __attribute__((aligned(4096), section(".bss.page_aligned")));
static struct boot_cpu boot_cpu0;

/*
 * Every register whose reset value is UNKNOWN, or that an earlier stage may
 * have set, is written whole. Nothing of EL1 or EL0 is trapped that the image
 * does not handle; nothing is left to the loader.
 */
static void el2_registers_init(void)
{
    write_sysreg(hcr_el2, HCR_RW | HCR_IMO | HCR_FMO | HCR_AMO);
    write_sysreg(cptr_el2, CPTR_RES1);
    write_sysreg(mdcr_el2, read_sysreg(pmcr_el0) >> 11 & 31); /* HPMN: all counters to EL1 */
    write_sysreg(cnthctl_el2, CNTHCTL_EL1PCTEN | CNTHCTL_EL1PCEN);
    write_sysreg(cntvoff_el2, 0);
    write_sysreg(hstr_el2, 0);
    write_sysreg(vttbr_el2, 0);
    isb();
    if (read_sysreg(hcr_el2) & (HCR_E2H | HCR_TGE))
        early_fail("HCR_EL2.E2H or TGE stays 1: this CPU offers EL2 with VHE only");
}

/* PS: what the CPU has, but not more than the 48 bits that an entry can hold. */
static uint64_t tcr_value(void)
{
    uint64_t ps = ID_AA64MMFR0_PARANGE(read_sysreg(id_aa64mmfr0_el1));

    if (ps > TCR_PS_48BIT)
        ps = TCR_PS_48BIT;
    return TCR_T0SZ(48) | TCR_IRGN0_WB | TCR_ORGN0_WB | TCR_SH0_INNER | ps << TCR_PS_SHIFT |
           TCR_RES1;
}

void boot_cpu_init(struct boot_cpu *cpu)
{
    cpu->launch = link_va(cpu_launch);
    cpu->mair = MAIR_VALUE;
    cpu->tcr = tcr_value();
    cpu->sctlr = SCTLR_RES1 | SCTLR_M | SCTLR_C | SCTLR_I | SCTLR_SA | SCTLR_WXN;
    cpu->vbar = link_va(vectors);
}

struct boot_cpu *boot_primary(uint64_t fdt)
{
    struct boot_cpu *cpu = &boot_cpu0;

    early_fdt = fdt;
    if (read_sysreg(currentel) != CURRENT_EL_EL2)
        early_fail("not entered at EL2: start QEMU with -M virt,virtualization=on");
    write_sysreg(vbar_el2, vectors);
    el2_registers_init();
    boot_cpu_init(cpu);
    cpu->ttbr0 = boot_tables_make();
    cpu->tpidr = 0;
    cpu->stack_va = link_va(boot_stack + BOOT_STACK_SIZE);
    cpu->argument = fdt;
    cpu->entry = link_va(hv_main);
    return cpu;
}

void boot_secondary(void)
{
    write_sysreg(vbar_el2, vectors);
    el2_registers_init();
}
