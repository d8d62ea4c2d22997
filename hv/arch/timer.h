/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time: the physical counter, and the EL2 physical timer to wait by. */
#ifndef HV_ARCH_TIMER_H
#define HV_ARCH_TIMER_H

#include <stdbool.h>
#include <stdint.h>

/* Ticks since the machine was started, and how many make a second. */
uint64_t timer_now(void);
uint64_t timer_frequency(void);

/* Sleep until the counter reaches `due`; interrupts are taken meanwhile. */
void timer_wait_until(uint64_t due);

#define TICK_HZ     100
#define TICK_HZ_MAX 50000

/* Let this CPU be interrupted so many times a second, from 1 to TICK_HZ_MAX. */
void timer_set_tick(unsigned int hz);

/* The timer's interrupt. True if a tick is due, not only someone's wait. */
bool timer_interrupt(void);

#endif /* HV_ARCH_TIMER_H */
