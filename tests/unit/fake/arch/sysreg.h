/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fake: the only register that host-tested code reads is the counter. */
#ifndef HV_ARCH_SYSREG_H
#define HV_ARCH_SYSREG_H

#include "fake.h"

#define read_sysreg(name) fake_counter()

#endif /* HV_ARCH_SYSREG_H */
