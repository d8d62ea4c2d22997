/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fake: every register reads as a counter, writes are forgotten. */
#ifndef HV_ARCH_SYSREG_H
#define HV_ARCH_SYSREG_H

#include "arch/regs.h"
#include "fake.h"

#define read_sysreg(name)         fake_counter()
#define write_sysreg(name, value) ((void)(value))

#endif /* HV_ARCH_SYSREG_H */
