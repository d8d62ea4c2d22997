/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/gic.h"
#include "arch/barrier.h"
#include "arch/percpu.h"
#include "core/fdt.h"
#include "core/printk.h"
#include "mm/vmap.h"
#include <hvscope/addr.h>

#define GICD_CTLR           0x0000
#define GICD_CTLR_ARE_GRP1  (1u << 4 | 1u << 1)
#define GICR_TYPER          0x0008
#define GICR_TYPER_LAST     (1u << 4)
#define GICR_WAKER          0x0014
#define GICR_WAKER_SLEEP    (1u << 1)
#define GICR_WAKER_ASLEEP   (1u << 2)
#define GICR_SGI_IGROUPR0   0x10080
#define GICR_SGI_ISENABLER0 0x10100
#define GICR_STRIDE         0x20000

/* By encoding: the assembler knows the ICC_* names only with a GICv3 option. */
#define ICC_SRE_EL2        S3_4_C12_C9_5
#define ICC_SRE_SRE_ENABLE 9u
#define ICC_PMR_EL1        S3_0_C4_C6_0
#define ICC_IGRPEN1_EL1    S3_0_C12_C12_7
#define ICC_IAR1_EL1       S3_0_C12_C12_0
#define ICC_EOIR1_EL1      S3_0_C12_C12_1

static char *distributor, *redistributors;
static uint64_t redistributor_bytes;
static DEFINE_PER_CPU(bool, ready);

#define read_icc(name)                  read_icc_expanded(name)
#define read_icc_expanded(name)         read_sysreg(name)
#define write_icc(name, value)          write_icc_expanded(name, value)
#define write_icc_expanded(name, value) write_sysreg(name, value)

static volatile uint32_t *reg(char *base, uint64_t offset)
{
    return (volatile uint32_t *)(void *)(base + offset);
}

void gic_init(const void *fdt)
{
    uint64_t pa[2], size[2];

    if (!fdt_find_reg(fdt, "arm,gic-v3", 0, &pa[0], &size[0]) ||
        !fdt_find_reg(fdt, "arm,gic-v3", 1, &pa[1], &size[1])) {
        printk("no GICv3 in the device tree: CPUs wait by spinning\n");
        return;
    }
    distributor = ioremap(_paddr(pa[0]), size[0]);
    redistributors = ioremap(_paddr(pa[1]), size[1]);
    redistributor_bytes = size[1];
    if (distributor && redistributors)
        *reg(distributor, GICD_CTLR) = GICD_CTLR_ARE_GRP1;
}

/* The frame whose GICR_TYPER names this CPU's affinity. */
static char *redistributor_find(void)
{
    uint64_t mpidr = read_sysreg(mpidr_el1);
    uint32_t affinity = (uint32_t)((mpidr & 0xffffff) | (mpidr >> 32 & 0xff) << 24);

    for (uint64_t at = 0; at + GICR_STRIDE <= redistributor_bytes; at += GICR_STRIDE) {
        if (*reg(redistributors, at + GICR_TYPER + 4) == affinity)
            return redistributors + at;
        if (*reg(redistributors, at + GICR_TYPER) & GICR_TYPER_LAST)
            break;
    }
    return NULL;
}

void gic_cpu_init(void)
{
    char *mine;

    if (!distributor || !redistributors)
        return;
    mine = redistributor_find();
    if (!mine) {
        printk("CPU%u: no redistributor: waits by spinning\n", smp_processor_id());
        return;
    }
    *reg(mine, GICR_WAKER) &= ~GICR_WAKER_SLEEP;
    while (*reg(mine, GICR_WAKER) & GICR_WAKER_ASLEEP)
        cpu_relax();
    *reg(mine, GICR_SGI_IGROUPR0) = ~0u;
    *reg(mine, GICR_SGI_ISENABLER0) = 1u << GIC_PPI_CNTHP;
    write_icc(ICC_SRE_EL2, ICC_SRE_SRE_ENABLE);
    isb();                        /* the other registers are there only now */
    write_icc(ICC_PMR_EL1, 0xff); /* every priority */
    write_icc(ICC_IGRPEN1_EL1, 1);
    isb();
    this_cpu(ready) = true;
}

bool gic_present(void)
{
    return this_cpu(ready);
}

unsigned int gic_acknowledge(void)
{
    unsigned int intid = read_icc(ICC_IAR1_EL1) & 0xffffff;

    dsb_sy(); /* the acknowledge is complete before the device is touched (IHI 0069, 12.1.4) */
    return intid;
}

void gic_end(unsigned int intid)
{
    write_icc(ICC_EOIR1_EL1, intid);
    isb();
}
