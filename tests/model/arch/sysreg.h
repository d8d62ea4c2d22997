/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engines read no system register but through the headers beside this one. */
#ifndef HV_ARCH_SYSREG_H
#define HV_ARCH_SYSREG_H

#include "arch/regs.h"

#endif /* HV_ARCH_SYSREG_H */
