/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each CPU's root registers, as the guest writes them: which tables it walks. Pages of
 * 4 KiB; other granules, LPA2 and an EL2 under E2H are counted in totals.foreign.
 */
#ifndef HVSCOPE_TRACER_ROOTS_H
#define HVSCOPE_TRACER_ROOTS_H

#include "tracer/decode.h"

#include <hvscope/trace_file.h>
#include <stdbool.h>
#include <stdint.h>

/* el1: EL1's tables too. */
void roots_init(struct trace_file *file, bool el1);

/* Is an instruction of this kind one that writes such a register, and are its tables followed? */
bool roots_take(enum decoded_kind kind);

/* The instruction d at pc, of exception level el, is about to write its register on this CPU.
 * TTBR0_EL2 gets a record. */
void roots_write(unsigned int cpu, const struct decoded *d, unsigned int el, uint64_t pc);

#endif /* HVSCOPE_TRACER_ROOTS_H */
