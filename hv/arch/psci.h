/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PSCI (Arm DEN 0022): CPUs on, machine off. */
#ifndef HV_ARCH_PSCI_H
#define HV_ARCH_PSCI_H

#include <stdbool.h>
#include <stdint.h>

/* Take the conduit (SMC or HVC) from the device tree's /psci node. */
bool psci_init(const void *fdt);

/* Start a CPU at a PA with x0 = context. Returns 0 or a negative PSCI error. */
int psci_cpu_on(uint64_t mpidr, uint64_t entry_pa, uint64_t context);

/* Power the machine off. */
_Noreturn void psci_system_off(void);

#endif /* HV_ARCH_PSCI_H */
