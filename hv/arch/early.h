/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Failing before there is a console: MMU off, physical addresses. */
#ifndef HV_ARCH_EARLY_H
#define HV_ARCH_EARLY_H

#include <stdint.h>

/* PA of the device tree, for early_fail(). */
extern uint64_t early_fdt;

/* Print one sentence on the UART of the device tree, power the machine off. */
_Noreturn void early_fail(const char *why);

#endif /* HV_ARCH_EARLY_H */
