/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check=on: the break-before-make checker (core/bbm.h) listens at the choke
 * points. Each event is told before the next one of any CPU can come, so
 * nothing is lost and the order is certain. The first finding of each rule,
 * CPU and place is a line on the console; then totals, once a second.
 */
#ifndef HV_CORE_CHECK_H
#define HV_CORE_CHECK_H

#include "core/bbm.h"
#include "mm/pgtable.h"

/*
 * The checker begins: with the boot CPU's tables as they are, once its TLB is
 * flushed. Sites are enabled; nothing is told before. Without memory: panic.
 */
void check_start(void);

/* Tell it the tables of a CPU that is about to be started. */
void check_cpu(unsigned int cpu);

/* An event of this CPU, interrupts masked; what it lacks (cpu, time) is filled in. */
void check_event(struct bbm_event *e);

/* The same, and the lock stays taken, for the action, until check_action_end(). */
void check_action(struct bbm_event *e);
void check_action_end(void);

/* Totals on the console, if there was a finding since; at most once a second. */
void check_poll(void);

/* Totals on the console; nothing without check=on. */
void check_print_totals(void);

#endif /* HV_CORE_CHECK_H */
