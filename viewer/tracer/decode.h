/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The instructions that the tracer looks for, in A64, A32 and T32, by their
 * encodings (Arm ARM C4.1, F4.1, F3.1). One answer for all three.
 */
#ifndef HVSCOPE_TRACER_DECODE_H
#define HVSCOPE_TRACER_DECODE_H

#include <hvscope/trace.h>
#include <stdbool.h>
#include <stddef.h>

enum decoded_kind {
    DECODED_OTHER,
    DECODED_BARRIER, /* code */
    DECODED_TLBI,    /* op, scope; rt unless the operation takes no operand */
    DECODED_TTBR,    /* TTBR0_EL2 or HTTBR is written, from rt (and rt2: [63:32]) */
    DECODED_TCR,     /* TCR_EL2 or HTCR, from rt */
    DECODED_VTTBR,   /* VTTBR_EL2 or VTTBR, as DECODED_TTBR */
    DECODED_VTCR,    /* VTCR_EL2 or VTCR, from rt */
    DECODED_HCR,     /* HCR_EL2 or HCR, from rt */
    DECODED_TTBR0_EL1,
    DECODED_TTBR1_EL1, /* as DECODED_TTBR; TTBR0 and TTBR1 */
    DECODED_TCR_EL1,   /* TCR_EL1 or TTBCR, from rt */
    DECODED_RETURN,
    DECODED_BRANCH, /* to a fixed place, without a link: offset */
};

#define DECODED_NO_REGISTER 31 /* XZR too: the value is 0 */
#define DECODED_ALWAYS      14 /* condition AL */
#define DECODED_UNKNOWN     (-1)

struct decoded {
    enum decoded_kind kind;
    unsigned int code;      /* enum trace_barrier */
    unsigned int op, scope; /* enum trace_tlbi, enum trace_scope */
    unsigned int rt, rt2;
    unsigned int condition; /* A32: [31:28] */
    int32_t offset;         /* of a branch's target, from the branch itself */
    int popped;             /* bytes of stack that a return frees, or DECODED_UNKNOWN */
    bool shifted;           /* the TLBI's operand has an address, not its bits from 12 on */
    bool el12;              /* by a name that ends in _EL12 */
    bool on_stack;          /* a load or store through SP */
};

struct decoded decode_a64(uint32_t insn);

/* AArch32: size 4 in A32 state; in T32 state (thumb) 2, or 4 with the first halfword low. */
struct decoded decode_a32(uint32_t insn);
struct decoded decode_t32(uint32_t insn, size_t size);

/*
 * The DSB with this option field. 0 and 4 are SSBB and PSSBB, which complete no
 * store; other types of 0 are reserved and are full barriers. For decode_*.c.
 */
struct decoded decode_dsb(unsigned int option);

#endif /* HVSCOPE_TRACER_DECODE_H */
