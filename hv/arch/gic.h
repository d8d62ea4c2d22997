/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GICv3 (Arm IHI 0069), as far as waking a CPU from WFI needs it. */
#ifndef HV_ARCH_GIC_H
#define HV_ARCH_GIC_H

#include <stdbool.h>

/* PPI of the EL2 physical timer. */
#define GIC_PPI_CNTHP 26

/* Find the GICv3 of the device tree and switch its distributor on. */
void gic_init(const void *fdt);

/* Is there one that wakes this CPU? */
bool gic_present(void);

/* This CPU's redistributor and interface: let the timer's PPI through. */
void gic_cpu_init(void);

#endif /* HV_ARCH_GIC_H */
