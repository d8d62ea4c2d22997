/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The break-before-make checker (hv/core/bbm.h) on the model's events: it knows the order of
 * stores, TLBIs and barriers, and nothing of what a TLB then holds. */
#ifndef TESTS_MODEL_CHECKER_H
#define TESTS_MODEL_CHECKER_H

#include <hvscope/pte.h>
#include <hvscope/trace.h>
#include <stdbool.h>
#include <stddef.h>

/* All slots are free. Before, what is told is not heard. */
void checker_begin(void);

void checker_store(unsigned int slot, lpae_t old, lpae_t new);
void checker_tlbi(enum trace_tlbi op, uint64_t operand);
void checker_barrier(enum trace_barrier code);

/* Has it findings, or could it not tell? The first one's text, or how much there was. */
bool checker_said(char *text, size_t size);

#endif /* TESTS_MODEL_CHECKER_H */
