/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GICv3 (Arm IHI 0069): the EL2 timer's interrupt on each CPU. */
#ifndef HV_ARCH_GIC_H
#define HV_ARCH_GIC_H

#include <stdbool.h>

/* PPI of the EL2 physical timer. */
#define GIC_PPI_CNTHP 26
#define GIC_SPURIOUS  1020

/* Find the GICv3 of the device tree and switch its distributor on. */
void gic_init(const void *fdt);

/* Is there one for this CPU? */
bool gic_present(void);

/* Acknowledge: the INTID of the interrupt that is pending, or >= GIC_SPURIOUS. */
unsigned int gic_acknowledge(void);

/* It is handled. */
void gic_end(unsigned int intid);

/* This CPU's redistributor and interface: let the timer's PPI through. */
void gic_cpu_init(void);

#endif /* HV_ARCH_GIC_H */
