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
    {0, 7, 1, TRACE_TLBI_VAE1, TRACE_SCOPE_LOCAL},    /* TLBIMVA */
    {0, 7, 2, TRACE_TLBI_ASIDE1, TRACE_SCOPE_LOCAL},  /* TLBIASID */
    {0, 7, 3, TRACE_TLBI_VAAE1, TRACE_SCOPE_LOCAL},   /* TLBIMVAA */
    {0, 7, 5, TRACE_TLBI_VALE1, TRACE_SCOPE_LOCAL},   /* TLBIMVAL */
    {0, 7, 7, TRACE_TLBI_VAALE1, TRACE_SCOPE_LOCAL},  /* TLBIMVAAL */
    {0, 3, 1, TRACE_TLBI_VAE1, TRACE_SCOPE_INNER},    /* TLBIMVAIS */
    {0, 3, 2, TRACE_TLBI_ASIDE1, TRACE_SCOPE_INNER},  /* TLBIASIDIS */
    {0, 3, 3, TRACE_TLBI_VAAE1, TRACE_SCOPE_INNER},   /* TLBIMVAAIS */
    {0, 3, 5, TRACE_TLBI_VALE1, TRACE_SCOPE_INNER},   /* TLBIMVALIS */
    {0, 3, 7, TRACE_TLBI_VAALE1, TRACE_SCOPE_INNER},  /* TLBIMVAALIS */
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

static struct decoded decode_register(unsigned int opc1, unsigned int crn, unsigned int crm,
                                      unsigned int opc2, unsigned int rt)
{
    static const struct {
        unsigned char opc1, crn, crm, opc2;
        enum decoded_kind kind;
    } registers[] = {
        {4, 2, 0, 2, DECODED_TCR},       {4, 2, 1, 2, DECODED_VTCR},
        {4, 1, 1, 0, DECODED_HCR},       {0, 2, 0, 0, DECODED_TTBR0_EL1},
        {0, 2, 0, 1, DECODED_TTBR1_EL1}, {0, 2, 0, 2, DECODED_TCR_EL1},
    };
    struct decoded d = {.rt = rt, .rt2 = DECODED_NO_REGISTER};

    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        if (opc1 == registers[i].opc1 && crn == registers[i].crn && crm == registers[i].crm &&
            opc2 == registers[i].opc2)
            d.kind = registers[i].kind;
    }
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
    else
        d = decode_register(opc1, crn, crm, opc2, rt);
    return d;
}

/* A register list takes 4 bytes each. */
static int bytes_of(uint32_t list)
{
    return 4 * __builtin_popcount(list);
}

static void set_return(struct decoded *d, int popped)
{
    d->kind = DECODED_RETURN;
    d->popped = popped;
}

/* BX LR; MOV PC, LR; LDM with PC in its list, POP among them; LDR PC, [SP], #4. */
static void decode_return(uint32_t insn, struct decoded *d)
{
    insn &= 0x0fffffff;
    if (insn == 0x012fff1e || insn == 0x01a0f00e)
        set_return(d, 0);
    else if (insn == 0x049df004)
        set_return(d, 4);
    else if ((insn & 0x0fff8000) == 0x08bd8000)
        set_return(d, bytes_of(insn & 0xffff));
    else if ((insn & 0x0e108000) == 0x08108000)
        set_return(d, DECODED_UNKNOWN);
}

/* B: signed words from the PC, which is two instructions on. */
static void decode_branch(uint32_t insn, struct decoded *d)
{
    if ((insn & 0x0f000000) != 0x0a000000)
        return;
    d->kind = DECODED_BRANCH;
    d->offset = ((int32_t)(insn << 8) >> 6) + 8;
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
    if ((insn & 0x0ff00f0f) == 0x0c400f02) { /* by opc1 */
        static const enum decoded_kind kinds[16] = {[0] = DECODED_TTBR0_EL1,
                                                    [1] = DECODED_TTBR1_EL1,
                                                    [4] = DECODED_TTBR,
                                                    [6] = DECODED_VTTBR};

        *d = (struct decoded){
            .kind = kinds[insn >> 4 & 15], .rt = insn >> 12 & 15, .rt2 = insn >> 16 & 15};
        return true;
    }
    return false;
}

struct decoded decode_a32(uint32_t insn)
{
    struct decoded d = {.on_stack = is_on_stack(insn)};

    if (insn >> 28 == 15)
        return decode_unconditional(insn);
    if (!decode_coprocessor(insn, &d)) {
        decode_return(insn, &d);
        decode_branch(insn, &d);
    }
    d.condition = insn >> 28;
    return d;
}

/* B<cond>, B, CBZ and CBNZ: their offsets count halfwords from the PC, 4 bytes on. */
static void decode_t16_branch(uint32_t insn, struct decoded *d)
{
    if (insn >> 12 == 13 && (insn >> 8 & 15) < 14)
        d->offset = ((int32_t)(insn << 24) >> 23) + 4;
    else if (insn >> 11 == 0x1c)
        d->offset = ((int32_t)(insn << 21) >> 20) + 4;
    else if ((insn & 0xf500) == 0xb100)
        d->offset = (int32_t)((insn >> 3 & 0x40) | (insn >> 2 & 0x3e)) + 4;
    else
        return;
    d->kind = DECODED_BRANCH;
}

/* BX LR, POP {…, PC}. */
static struct decoded decode_t16(uint32_t insn)
{
    struct decoded d = {.condition = DECODED_ALWAYS,
                        .on_stack = (insn & 0xf600) == 0xb400 || (insn & 0xf000) == 0x9000};

    if (insn == 0x4770)
        set_return(&d, 0);
    else if ((insn & 0xff00) == 0xbd00)
        set_return(&d, bytes_of(insn & 0xff) + 4);
    else
        decode_t16_branch(insn, &d);
    return d;
}

/* LDM.W SP!, {…, PC}, and LDR.W PC, [SP], #4. */
static bool decode_wide_return(uint32_t word, struct decoded *d)
{
    if ((word & 0xffffa000) == 0xe8bd8000)
        set_return(d, bytes_of(word & 0xffff));
    else if (word == 0xf85dfb04)
        set_return(d, 4);
    else
        return false;
    return true;
}

/* B<cond>.W has [17:12] in J1, J2 and a sign of its own; B.W turns J1 and J2 by the sign. */
static bool decode_wide_branch(uint32_t word, struct decoded *d)
{
    uint32_t sign = word >> 26 & 1, j1 = word >> 13 & 1, j2 = word >> 11 & 1, low = word & 0x7ff;

    if ((word & 0xf800d000) == 0xf0009000) {
        uint32_t i1 = !(j1 ^ sign), i2 = !(j2 ^ sign);
        uint32_t field = sign << 23 | i1 << 22 | i2 << 21 | (word >> 16 & 0x3ff) << 11 | low;

        d->offset = ((int32_t)(field << 8) >> 7) + 4;
    } else if ((word & 0xf800d000) == 0xf0008000 && (word >> 22 & 15) < 14) {
        uint32_t field = sign << 19 | j2 << 18 | j1 << 17 | (word >> 16 & 0x3f) << 11 | low;

        d->offset = ((int32_t)(field << 12) >> 11) + 4;
    } else {
        return false;
    }
    d->kind = DECODED_BRANCH;
    return true;
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
    else if (!decode_wide_return(word, &d) && !decode_wide_branch(word, &d) && word >> 28 == 14)
        decode_coprocessor(word, &d);
    d.on_stack = is_wide_on_stack(word);
    d.condition = DECODED_ALWAYS;
    return d;
}
