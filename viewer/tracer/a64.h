/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The A64 instructions that a plugin looks for (Arm ARM C4.1, C6.2). */
#ifndef HVSCOPE_TRACER_A64_H
#define HVSCOPE_TRACER_A64_H

#include <stdbool.h>
#include <stdint.h>

/* What a TLBI of EL2 reaches; OTHER: of another regime, or an operation not known here. */
enum a64_tlbi { A64_TLBI_NONE, A64_TLBI_VA, A64_TLBI_RANGE, A64_TLBI_ALL, A64_TLBI_OTHER };

/* The number of a HINT; -1: another instruction. */
static inline int a64_hint(uint32_t insn)
{
    return (insn & 0xfffff01f) == 0xd503201f ? (int)(insn >> 5 & 0x7f) : -1;
}

static inline bool a64_is_isb(uint32_t insn)
{
    return (insn & 0xfffff0ff) == 0xd50330df;
}

/* CRm of a DSB, [3:2] the domain (1 is NSH), [1:0] the type (2 is stores); -1: another one. */
static inline int a64_dsb(uint32_t insn)
{
    return (insn & 0xfffff0ff) == 0xd503309f ? (int)(insn >> 8 & 15) : -1;
}

/* SYS with CRn 8: the operation is in op1, CRm and op2. EL2's have op1 4. */
static inline enum a64_tlbi a64_tlbi(uint32_t insn)
{
    unsigned int crm = insn >> 8 & 15, op2 = insn >> 5 & 7;

    if ((insn & 0xfff8f000) != 0xd5088000)
        return A64_TLBI_NONE;
    if ((insn >> 16 & 7) != 4)
        return A64_TLBI_OTHER;
    if (crm == 2 || crm == 5 || crm == 6)
        return op2 == 1 || op2 == 5 ? A64_TLBI_RANGE : A64_TLBI_OTHER;
    if (crm == 1 || crm == 3 || crm == 7)
        return op2 == 1 || op2 == 5 ? A64_TLBI_VA : op2 == 0 ? A64_TLBI_ALL : A64_TLBI_OTHER;
    return A64_TLBI_OTHER;
}

/* MSR DAIFSet with the I bit: interrupts are masked from here. */
static inline bool a64_masks_irq(uint32_t insn)
{
    return (insn & 0xfffff0ff) == 0xd50340df && (insn >> 8 & 2);
}

/* MSR DAIF, Xt: what was masked is restored. */
static inline bool a64_restores_irq(uint32_t insn)
{
    return (insn & 0xffffffe0) == 0xd51b4220;
}

#endif /* HVSCOPE_TRACER_A64_H */
