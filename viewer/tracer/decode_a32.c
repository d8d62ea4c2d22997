/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracer/decode.h"

#define SP 13
#define PC 15

/* One TLB operation of c8: how it is addressed, and what it is in AArch64's words. */
static const struct {
    unsigned char opc1, crm, opc2, op, scope;
} tlb_operations[] = {
    {4, 7, 0, TRACE_TLBI_ALLE2, TRACE_SCOPE_LOCAL},   /* TLBIALLH */
    {4, 7, 1, TRACE_TLBI_VAE2, TRACE_SCOPE_LOCAL},    /* TLBIMVAH */
    {4, 7, 5, TRACE_TLBI_VALE2, TRACE_SCOPE_LOCAL},   /* TLBIMVALH */
    {4, 7, 4, TRACE_TLBI_ALLE1, TRACE_SCOPE_LOCAL},   /* TLBIALLNSNH */
    {4, 3, 0, TRACE_TLBI_ALLE2, TRACE_SCOPE_INNER},   /* TLBIALLHIS */
    {4, 3, 1, TRACE_TLBI_VAE2, TRACE_SCOPE_INNER},    /* TLBIMVAHIS */
    {4, 3, 5, TRACE_TLBI_VALE2, TRACE_SCOPE_INNER},   /* TLBIMVALHIS */
    {4, 3, 4, TRACE_TLBI_ALLE1, TRACE_SCOPE_INNER},   /* TLBIALLNSNHIS */
    {4, 4, 1, TRACE_TLBI_IPAS2E1, TRACE_SCOPE_LOCAL}, /* TLBIIPAS2 */
    {4, 4, 5, TRACE_TLBI_IPAS2E1, TRACE_SCOPE_LOCAL}, /* TLBIIPAS2L */
    {4, 0, 1, TRACE_TLBI_IPAS2E1, TRACE_SCOPE_INNER}, /* TLBIIPAS2IS */
    {4, 0, 5, TRACE_TLBI_IPAS2E1, TRACE_SCOPE_INNER}, /* TLBIIPAS2LIS */
    {0, 7, 0, TRACE_TLBI_VMALLE1, TRACE_SCOPE_LOCAL}, /* TLBIALL */
    {0, 3, 0, TRACE_TLBI_VMALLE1, TRACE_SCOPE_INNER}, /* TLBIALLIS */
};

static struct decoded tlb_operation(unsigned int opc1, unsigned int crm, unsigned int opc2,
                                    unsigned int rt)
{
    struct decoded d = {
        .kind = DECODED_TLBI,
        .op = TRACE_TLBI_OTHER,
        .scope = crm == 3 ? TRACE_SCOPE_INNER : TRACE_SCOPE_LOCAL,
        .rt = rt,
        .shifted = true,
    };

    for (size_t i = 0; i < sizeof(tlb_operations) / sizeof(tlb_operations[0]); i++) {
        if (tlb_operations[i].opc1 != opc1 || tlb_operations[i].crm != crm ||
            tlb_operations[i].opc2 != opc2)
            continue;
        d.op = tlb_operations[i].op;
        d.scope = tlb_operations[i].scope;
    }
    d.shifted = d.op != TRACE_TLBI_IPAS2E1; /* its register has IPA[39:12] */
    return d;
}

struct decoded decode_dsb(unsigned int option)
{
    struct decoded d = {.kind = DECODED_OTHER};

    if (option != 0 && option != 4)
        d = (struct decoded){.kind = DECODED_BARRIER, .code = option & 3 ? option : TRACE_DSB_SY};
    return d;
}

/* c7 has the barriers of Armv6: ISB is c5, 4, DSB (full system) c10, 4. */
static struct decoded old_barrier(unsigned int crm, unsigned int opc2)
{
    struct decoded d = {.kind = DECODED_OTHER};

    if (opc2 == 4 && (crm == 5 || crm == 10))
        d = (struct decoded){.kind = DECODED_BARRIER, .code = crm == 5 ? TRACE_ISB : TRACE_DSB_SY};
    return d;
}

static struct decoded decode_mcr(unsigned int opc1, unsigned int crn, unsigned int crm,
                                 unsigned int opc2, unsigned int rt)
{
    struct decoded d = {.kind = DECODED_OTHER};

    if (crn == 8)
        d = tlb_operation(opc1, crm, opc2, rt);
    else if (crn == 7 && opc1 == 0)
        d = old_barrier(crm, opc2);
    else if (crn == 2 && opc1 == 4 && crm == 0 && opc2 == 2)
        d = (struct decoded){.kind = DECODED_TCR, .rt = rt, .rt2 = DECODED_NO_REGISTER};
    return d;
}

/* BX LR; MOV PC, LR; LDM with PC in its list; LDR PC, [SP], #4. */
static bool is_return(uint32_t insn)
{
    insn &= 0x0fffffff;
    return insn == 0x012fff1e || insn == 0x01a0f00e || (insn & 0x0e108000) == 0x08108000 ||
           insn == 0x049df004;
}

/* Through SP: LDR, STR, LDM, STM, and the halfword and doubleword forms. */
static bool is_on_stack(uint32_t insn)
{
    bool single = (insn & 0x0c000000) == 0x04000000 && (insn & 0x02000010) != 0x02000010;
    bool multiple = (insn & 0x0e000000) == 0x08000000;
    bool extra = (insn & 0x0e000090) == 0x00000090;

    return (single || multiple || extra) && (insn >> 16 & 15) == SP;
}

/* Instructions that have no condition: DSB and ISB are among them. */
static struct decoded decode_unconditional(uint32_t insn)
{
    struct decoded d = {.kind = DECODED_OTHER};

    if ((insn & 0xfffffff0) == 0xf57ff040)
        d = decode_dsb(insn & 15);
    else if ((insn & 0xfffffff0) == 0xf57ff060)
        d = (struct decoded){.kind = DECODED_BARRIER, .code = TRACE_ISB};
    d.condition = DECODED_ALWAYS;
    return d;
}

/* MCR and MCRR of coprocessor 15 are the same words in both instruction sets but for [31:28]. */
static bool decode_coprocessor(uint32_t insn, struct decoded *d)
{
    if ((insn & 0x0f100f10) == 0x0e000f10) {
        *d = decode_mcr(insn >> 21 & 7, insn >> 16 & 15, insn & 15, insn >> 5 & 7, insn >> 12 & 15);
        return true;
    }
    if ((insn & 0x0ff00fff) == 0x0c400f42) {
        *d = (struct decoded){.kind = DECODED_TTBR, .rt = insn >> 12 & 15, .rt2 = insn >> 16 & 15};
        return true;
    }
    return false;
}

struct decoded decode_a32(uint32_t insn)
{
    struct decoded d = {.on_stack = is_on_stack(insn)};

    if (insn >> 28 == 15)
        return decode_unconditional(insn);
    if (!decode_coprocessor(insn, &d) && is_return(insn))
        d.kind = DECODED_RETURN;
    d.condition = insn >> 28;
    return d;
}

/* BX LR, POP {…, PC}. */
static struct decoded decode_t16(uint32_t insn)
{
    bool ret = insn == 0x4770 || (insn & 0xff00) == 0xbd00;

    return (struct decoded){.kind = ret ? DECODED_RETURN : DECODED_OTHER,
                            .condition = DECODED_ALWAYS,
                            .on_stack = (insn & 0xf600) == 0xb400 || (insn & 0xf000) == 0x9000};
}

/* LDM.W SP!, {…, PC}, and LDR.W PC, [SP], #4. */
static bool is_wide_return(uint32_t word)
{
    return (word & 0xffffa000) == 0xe8bd8000 || word == 0xf85dfb04;
}

/* LDM, STM, LDRD, STRD, and the single ones, through SP. */
static bool is_wide_on_stack(uint32_t word)
{
    return (word >> 25 == 0x74 || word >> 25 == 0x7c) && (word >> 16 & 15) == SP;
}

struct decoded decode_t32(uint32_t insn, size_t size)
{
    uint32_t word = insn << 16 | insn >> 16;
    struct decoded d = {.kind = DECODED_OTHER};

    if (size == 2)
        return decode_t16(insn & 0xffff);
    if ((word & 0xfffffff0) == 0xf3bf8f40)
        d = decode_dsb(word & 15);
    else if ((word & 0xfffffff0) == 0xf3bf8f60)
        d = (struct decoded){.kind = DECODED_BARRIER, .code = TRACE_ISB};
    else if (is_wide_return(word))
        d.kind = DECODED_RETURN;
    else if (word >> 28 == 14)
        decode_coprocessor(word, &d);
    d.on_stack = is_wide_on_stack(word);
    d.condition = DECODED_ALWAYS;
    return d;
}
