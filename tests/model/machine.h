/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One PE, its slots, and what its TLB may hold of them: for running an engine
 * against what the architecture allows, not against what one TLB does.
 *
 * Of each slot the model keeps sets of values, 0 for an entry that is not live
 * and 1 + block number for one that is:
 *   walk   what a table walk may read now: the last store that a DSB completed,
 *          and every one after it
 *   tlb    what the TLB may hold. A walk may come at any time, so this takes in
 *          whatever walk has; only a completed TLBI takes something out
 *   late   while a TLBI waits for its DSB: what a walk may have put in since it
 *          was issued, and so what is left when it is complete
 * A set holds everything that some TLB of any size might; nothing is chance.
 */
#ifndef TESTS_MODEL_MACHINE_H
#define TESTS_MODEL_MACHINE_H

#include <hvscope/layout.h>
#include <hvscope/pte.h>
#include <hvscope/trace.h>
#include <stdbool.h>

#define SET_MAX 6 /* values of one slot that are told apart; the last place: "and others" */

struct set {
    uint32_t n;
    uint32_t value[SET_MAX]; /* ascending */
};

struct machine {
    lpae_t slot[DOMHEAP_ENTRIES];
    struct set walk[DOMHEAP_ENTRIES], tlb[DOMHEAP_ENTRIES], late[DOMHEAP_ENTRIES];
    bool flushing[DOMHEAP_ENTRIES]; /* a TLBI waits for its DSB */
    bool fresh[DOMHEAP_ENTRIES];    /* made, and no ISB since the DSB: an access may still fault */
};

extern struct machine machine;
extern bool machine_has_range; /* FEAT_TLBIRANGE */

/* What is found is counted, and the first of its kind told. A hazard is a live store over another.
 */
extern unsigned int machine_hazards;
extern const char *machine_violation; /* NULL: none */

/* All slots free, nothing in the TLB, interrupts on, nothing found. */
void machine_reset(void);

/* From the engine's side: hv/arch. */
void machine_dsb(enum trace_barrier code);
void machine_isb(void);
void machine_tlbi(uint64_t va, uint64_t blocks, enum trace_tlbi op, uint64_t operand);
uint64_t machine_irq_mask(void);
void machine_irq_restore(uint64_t flags);

/*
 * The n-th place from now where an interrupt can come (0 is the first): one
 * comes there and runs the handler. -1: none comes. machine_places counts them.
 */
extern int machine_irq_at;
extern unsigned int machine_places;
extern void (*machine_irq_handler)(void);

/* The engine panicked: explore.c jumps to where it called the engine from. */
_Noreturn void machine_panic(const char *text);

/* An access through p must reach this frame and nothing else: reports a violation if not. */
void machine_access(const void *p, mfn_t mfn);

/* Slots whose entry is 0 and of which the TLB may still hold a translation. */
unsigned int machine_lingering(void);

#endif /* TESTS_MODEL_MACHINE_H */
