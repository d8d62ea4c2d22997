/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The census: who holds what, with census=on. A CPU's maps in the order they
 * were made, each with its page and the return address of the call; an unmap
 * ends the youngest map of that page. Memory is bounded: maps beyond
 * CENSUS_MAX are counted, not listed.
 */
#ifndef HV_CORE_CENSUS_H
#define HV_CORE_CENSUS_H

#include <hvscope/addr.h>
#include <stdbool.h>

#define CENSUS_MAX 2048

/* Start a CPU's census, if the command line wants one. False if there is no memory. */
bool census_init_cpu(unsigned int cpu);

/* This CPU mapped or released the page at va; interrupts are masked. */
void census_map(vaddr_t va, const void *caller);
void census_unmap(vaddr_t va, const void *caller);

/* CHECK that this CPU's census has as many maps as its slots have references. */
void census_check(uint64_t refs);

/* Print a CPU's maps by caller, and whether its slots say the same. Any CPU's, from any CPU. */
void census_print(unsigned int cpu);

#endif /* HV_CORE_CENSUS_H */
