/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The performance monitors: event counter 0 (Arm ARM D13). */
#ifndef HV_ARCH_PMU_H
#define HV_ARCH_PMU_H

#include "arch/barrier.h"
#include "arch/sysreg.h"
#include <stdbool.h>

#define PMU_INST_RETIRED 0x08u
#define PMEVTYPER_NSH    (UINT64_C(1) << 27) /* count at EL2 */
#define PMCR_E           UINT64_C(1)
#define PMCR_P           UINT64_C(2) /* event counters to 0 */

/* Does this CPU count this event? */
static inline bool pmu_has(unsigned int event)
{
    return read_sysreg(pmceid0_el0) >> event & 1;
}

/* Count an event at EL2, and nowhere else. The boot code left all counters to EL1's controls. */
static inline void pmu_start(unsigned int event)
{
    write_sysreg(pmevtyper0_el0, event | PMEVTYPER_NSH | UINT64_C(3) << 30);
    write_sysreg(pmcntenset_el0, 1);
    write_sysreg(pmcr_el0, PMCR_E | PMCR_P);
    isb();
}

#endif /* HV_ARCH_PMU_H */
