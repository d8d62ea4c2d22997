/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the choke points say with trace=all or check=on: entry stores, TLBIs,
 * barriers, interrupts. Callers ask trace_site(TRACE_SITE_ALL) first. An action
 * and its record are one unit: interrupts are masked around both.
 */
#ifndef HV_CORE_TRACE_ALL_H
#define HV_CORE_TRACE_ALL_H

#include "arch/trace_site.h"
#include <hvscope/trace.h>

/* Where an entry is, for a record: regime, and level of the table. */
#define TRACE_PLACE(regime, level)                                                                 \
    (TRACE_REGIME_##regime << TRACE_REGIME_SHIFT | TRACE_LEVEL_KNOWN | (level))

/* A table of EL2 of any level: a reader who knows the tables knows it. */
#define TRACE_PLACE_EL2 ((unsigned int)TRACE_REGIME_EL2 << TRACE_REGIME_SHIFT)

/* An operation and its scope, kind included, as trace_tlbi() takes it. */
#define TRACE_TLBI_KIND(op, scope)                                                                 \
    (TRACE_TLBI | (TRACE_TLBI_##op | TRACE_SCOPE_##scope << TRACE_TLBI_SCOPE_SHIFT)                \
                      << TRACE_MORE_BITS_AT)
#define TRACE_MORE_BITS_AT (TRACE_MORE_SHIFT - TRACE_KIND_SHIFT)

/* Record the store of an entry, and make it. */
void trace_pte_store(uint64_t *p, uint64_t pte, unsigned int place);

/* The same where only the count changes; interrupts are masked. */
void trace_refs_store(uint64_t *p, uint64_t pte);

/* Record a TLBI that is about to be issued. Returns what trace_action_end() takes, after it. */
uint64_t trace_tlbi(unsigned int kind_more, uint64_t operand);
void trace_action_end(uint64_t flags);

/* A barrier's code is for the checker: trace_spill.S. */
void trace_barrier(unsigned int code);

/*
 * An interrupt came that returns to *pc; before its handler's first barrier. A barrier
 * that it came behind is recorded before all that the handler does, and *pc moved on.
 * Then: which interrupt, and where.
 */
void trace_interrupt_entry(uint64_t *pc);
void trace_interrupt(unsigned int number, uint64_t pc);

/* This CPU translates by this root from now on. */
void trace_ttbr(uint64_t ttbr);

/* For the checker: something is reached through this address of a slot. */
void trace_use(uint64_t va);

/* This CPU's first record, and what it translates by; its registers and ring are set. */
void trace_cpu_begin(void);

/* A text for whoever reads the ring, if it has more than maps. */
void trace_text(enum trace_text type, const char *text);

/* Tables of this CPU's slots are walked by others too (a fault on purpose): ticket their stores. */
extern bool trace_slots_shared;

#endif /* HV_CORE_TRACE_ALL_H */
