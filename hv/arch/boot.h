/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What entry.S loads into registers when it switches a CPU's MMU on. */
#ifndef HV_ARCH_BOOT_H
#define HV_ARCH_BOOT_H

#define BOOT_STACK_SIZE 32768

#define BOOT_CPU_STACK_PA 0
#define BOOT_CPU_LAUNCH   8
#define BOOT_CPU_MAIR     16
#define BOOT_CPU_TTBR0    32
#define BOOT_CPU_VBAR     48
#define BOOT_CPU_STACK_VA 64
#define BOOT_CPU_ENTRY    80

#ifndef __ASSEMBLER__
#include <hvscope/addr.h>
#include <stddef.h>

struct boot_cpu {
    uint64_t stack_pa; /* top of the stack before the MMU is on */
    uint64_t launch;   /* VA of cpu_launch */
    uint64_t mair;
    uint64_t tcr;
    uint64_t ttbr0;
    uint64_t sctlr;
    uint64_t vbar;
    uint64_t tpidr;    /* this CPU's __per_cpu_offset */
    uint64_t stack_va; /* top of the stack afterwards */
    uint64_t argument; /* of the entry */
    uint64_t entry;    /* VA of a function that does not return */
};

_Static_assert(offsetof(struct boot_cpu, launch) == BOOT_CPU_LAUNCH, "entry.S loads it");
_Static_assert(offsetof(struct boot_cpu, mair) == BOOT_CPU_MAIR, "entry.S loads mair, tcr");
_Static_assert(offsetof(struct boot_cpu, ttbr0) == BOOT_CPU_TTBR0, "entry.S loads ttbr0, sctlr");
_Static_assert(offsetof(struct boot_cpu, vbar) == BOOT_CPU_VBAR, "entry.S loads vbar, tpidr");
_Static_assert(offsetof(struct boot_cpu, stack_va) == BOOT_CPU_STACK_VA, "and stack, argument");
_Static_assert(offsetof(struct boot_cpu, entry) == BOOT_CPU_ENTRY, "and the entry");

/*
 * First C code of the boot CPU, MMU off: registers, boot tables.
 * fdt: PA of the device tree. Returns the PA of what mmu_enable loads.
 */
struct boot_cpu *boot_primary(uint64_t fdt);

/* First C code of another CPU, MMU off: registers. */
void boot_secondary(void);

/*
 * Fill in what is the same for every CPU: MAIR, TCR, SCTLR, VBAR, cpu_launch.
 * Callable before and after the MMU is on.
 */
void boot_cpu_init(struct boot_cpu *cpu);

extern char secondary_start[], cpu_launch[];
#endif

#endif /* HV_ARCH_BOOT_H */
