/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time: the physical counter, and the EL2 physical timer to wait by. */
#ifndef HV_ARCH_TIMER_H
#define HV_ARCH_TIMER_H

#include <stdint.h>

/* Ticks since the machine was started, and how many make a second. */
uint64_t timer_now(void);
uint64_t timer_frequency(void);

/* Sleep until the counter reaches `due`; returns at once if it has. */
void timer_wait_until(uint64_t due);

#endif /* HV_ARCH_TIMER_H */
