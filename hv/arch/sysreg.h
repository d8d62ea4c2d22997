/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System registers: accessors. Their fields are in regs.h. */
#ifndef HV_ARCH_SYSREG_H
#define HV_ARCH_SYSREG_H

#include "arch/regs.h"

#define read_sysreg(name)                                                                          \
    ({                                                                                             \
        uint64_t value_;                                                                           \
        asm volatile("mrs %0, " #name : "=r"(value_));                                             \
        value_;                                                                                    \
    })

#define write_sysreg(name, value) asm volatile("msr " #name ", %x0" : : "rZ"((uint64_t)(value)))

#endif /* HV_ARCH_SYSREG_H */
