/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The trace file, and the records in it (hvscope/trace_file.h, hvscope/trace.h).
 * Each ring has one producer: the thread of its CPU.
 */
#ifndef HVSCOPE_TRACER_RING_H
#define HVSCOPE_TRACER_RING_H

#include "tracer/tables.h"

#include <hvscope/trace.h>
#include <hvscope/trace_file.h>

/*
 * Make the file anew, with rings of this many records (a power of two), or of
 * half of it, a quarter, … if the disk has no room; its space is taken at once,
 * so that a disk that fills up later does no harm. NULL, with a sentence on
 * stderr, if there is no room for TRACE_FILE_ENTRIES_LEAST.
 */
struct trace_file *ring_create(const char *path, unsigned int ncpu, uint64_t entries);

/* All that readers need is there: let them in. */
void ring_publish(void);

struct beacon_cpu *ring_cpu(unsigned int cpu);

/* A record of a kind that is one record; more, what and caller as trace.h has them. */
void ring_event(unsigned int cpu, enum trace_kind kind, unsigned int more, uint64_t what,
                uint64_t caller);

/* A PTE and its DETAIL, or a REFS if only the count of an entry of EL2's changed. pc: of the store.
 */
void ring_store(unsigned int cpu, const struct table_store *store, uint64_t pc);

/* A barrier: into the word that the next record carries. */
void ring_barrier(unsigned int cpu, enum trace_barrier code);

/* No more will come: barriers that no record has yet get one. */
void ring_finish(void);

#endif /* HVSCOPE_TRACER_RING_H */
