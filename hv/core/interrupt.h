/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What interrupts do: each maps a page, wherever it came. */
#ifndef HV_CORE_INTERRUPT_H
#define HV_CORE_INTERRUPT_H

#include "arch/percpu.h"

/* Ticks that this CPU has seen. */
DECLARE_PER_CPU(uint64_t, ticks);

/* Give this CPU its tick and take interrupts from here on. */
void interrupts_start(void);

#endif /* HV_CORE_INTERRUPT_H */
