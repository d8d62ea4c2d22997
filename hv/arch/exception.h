/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exceptions taken to EL2. */
#ifndef HV_ARCH_EXCEPTION_H
#define HV_ARCH_EXCEPTION_H

#define FRAME_ELR  256
#define FRAME_ESR  272
#define FRAME_SIZE 304

#ifndef __ASSEMBLER__
#include <stddef.h>
#include <stdint.h>

/* What vectors.S saves. */
struct frame {
    uint64_t x[31];
    uint64_t sp;
    uint64_t elr;
    uint64_t spsr;
    uint64_t esr;
    uint64_t far;
    uint64_t vector; /* 0 to 15: origin * 4 + kind (Arm ARM D1.3.1) */
    uint64_t reserved;
};

_Static_assert(sizeof(struct frame) == FRAME_SIZE, "vectors.S saves it");
_Static_assert(offsetof(struct frame, elr) == FRAME_ELR, "vectors.S saves it");
_Static_assert(offsetof(struct frame, esr) == FRAME_ESR, "vectors.S saves it");

extern char vectors[];

/* From vectors.S: what the image cannot go on after. */
_Noreturn void exception_dispatch(struct frame *frame);

/* From vectors.S: an interrupt taken in EL2; interrupts are masked. */
void irq_dispatch(struct frame *frame);
#endif

#endif /* HV_ARCH_EXCEPTION_H */
