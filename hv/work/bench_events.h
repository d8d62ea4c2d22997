/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For workload "bench" with trace=all: what the calls did, counted from this
 * CPU's ring; and a TLB model, which the ring's TLBIs and the calls feed.
 *
 * The model: 1024 entries of 2 MiB, fully associative, filled by accesses
 * alone. There are 1024 slots, so nothing is ever evicted: an entry goes when
 * a TLBI covers it.
 */
#ifndef HV_WORK_BENCH_EVENTS_H
#define HV_WORK_BENCH_EVENTS_H

#include <hvscope/addr.h>

/* Count from here on; the model is empty. */
void events_start(void);

/* Take in what was recorded since the last time; before the ring is lapped. */
void events_read(void);

/* A page of mfn is touched through the slot that maps it. */
void events_access(unsigned int slot, mfn_t mfn);

/* Translations that the TLB may hold of slots that nobody holds a map of; the most is kept. */
void events_look(void);

void events_print(void);

#endif /* HV_WORK_BENCH_EVENTS_H */
