/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracer/a64.h"
#include "tracer/decode.h"

/* Fields of SYS and MSR (register). */
#define OP1(insn) ((insn) >> 16 & 7)
#define CRN(insn) ((insn) >> 12 & 15)
#define CRM(insn) ((insn) >> 8 & 15)
#define OP2(insn) ((insn) >> 5 & 7)
#define RT(insn)  ((insn)&31)

#define EL1_OP1  0 /* op1 of the operations for EL1, and for EL2 */
#define EL2_OP1  4
#define EL12_OP1 5

/* CRm of a TLBI: how far it goes, and whether it takes a range. */
static bool tlbi_scope(unsigned int crm, struct decoded *d, bool *range)
{
    static const struct {
        unsigned int scope;
        bool known, range;
    } of[16] = {
        [1] = {TRACE_SCOPE_OUTER, true, false}, [2] = {TRACE_SCOPE_INNER, true, true},
        [3] = {TRACE_SCOPE_INNER, true, false}, [5] = {TRACE_SCOPE_OUTER, true, true},
        [6] = {TRACE_SCOPE_LOCAL, true, true},  [7] = {TRACE_SCOPE_LOCAL, true, false},
    };

    d->scope = of[crm].scope;
    *range = of[crm].range;
    return of[crm].known;
}

static unsigned int tlbi_el2(unsigned int op2, bool range)
{
    static const unsigned int single[8] = {
        TRACE_TLBI_ALLE2, TRACE_TLBI_VAE2,  TRACE_TLBI_OTHER,      TRACE_TLBI_OTHER,
        TRACE_TLBI_ALLE1, TRACE_TLBI_VALE2, TRACE_TLBI_VMALLS12E1, TRACE_TLBI_OTHER,
    };

    if (range)
        return op2 == 1 ? TRACE_TLBI_RVAE2 : op2 == 5 ? TRACE_TLBI_RVALE2 : TRACE_TLBI_OTHER;
    return single[op2];
}

/* By IPA. CRm 0 is inner shareable; 4 has the other two, outer where op2 is 0, 3, 4 or 7. */
static struct decoded tlbi_ipa(uint32_t insn)
{
    unsigned int op2 = OP2(insn), low = op2 & 3;
    struct decoded d = {.kind = DECODED_TLBI, .op = TRACE_TLBI_OTHER, .rt = RT(insn)};

    if (CRM(insn) == 0)
        d.scope = TRACE_SCOPE_INNER;
    else
        d.scope = low == 0 || low == 3 ? TRACE_SCOPE_OUTER : TRACE_SCOPE_LOCAL;
    if (low < 2) /* the others are ranges */
        d.op = TRACE_TLBI_IPAS2E1;
    return d;
}

static struct decoded decode_tlbi(uint32_t insn)
{
    static const unsigned int tlbi_el1[8] = {
        TRACE_TLBI_VMALLE1, TRACE_TLBI_VAE1,  TRACE_TLBI_ASIDE1, TRACE_TLBI_VAAE1,
        TRACE_TLBI_OTHER,   TRACE_TLBI_VALE1, TRACE_TLBI_OTHER,  TRACE_TLBI_VAALE1,
    };
    struct decoded d = {.kind = DECODED_TLBI, .op = TRACE_TLBI_OTHER, .rt = RT(insn)};
    bool range;

    if (OP1(insn) == EL2_OP1 && (CRM(insn) == 0 || CRM(insn) == 4))
        return tlbi_ipa(insn);
    if (!tlbi_scope(CRM(insn), &d, &range))
        return d;
    if (OP1(insn) == EL2_OP1)
        d.op = tlbi_el2(OP2(insn), range);
    else if (OP1(insn) == EL1_OP1 && !range)
        d.op = tlbi_el1[OP2(insn)];
    return d;
}

/* MSR to a register with op0 3. */
static struct decoded decode_msr(uint32_t insn)
{
    static const struct {
        unsigned char op1, crn, crm, op2;
        enum decoded_kind kind;
    } registers[] = {
        {EL2_OP1, 2, 0, 0, DECODED_TTBR},       {EL2_OP1, 2, 0, 2, DECODED_TCR},
        {EL2_OP1, 2, 1, 0, DECODED_VTTBR},      {EL2_OP1, 2, 1, 2, DECODED_VTCR},
        {EL2_OP1, 1, 1, 0, DECODED_HCR},        {EL1_OP1, 2, 0, 0, DECODED_TTBR0_EL1},
        {EL1_OP1, 2, 0, 1, DECODED_TTBR1_EL1},  {EL1_OP1, 2, 0, 2, DECODED_TCR_EL1},
        {EL12_OP1, 2, 0, 0, DECODED_TTBR0_EL1}, {EL12_OP1, 2, 0, 1, DECODED_TTBR1_EL1},
        {EL12_OP1, 2, 0, 2, DECODED_TCR_EL1},
    };
    struct decoded d = {.rt = RT(insn), .rt2 = DECODED_NO_REGISTER};

    for (size_t i = 0; i < sizeof(registers) / sizeof(registers[0]); i++) {
        if (OP1(insn) == registers[i].op1 && CRN(insn) == registers[i].crn &&
            CRM(insn) == registers[i].crm && OP2(insn) == registers[i].op2)
            d.kind = registers[i].kind;
    }
    d.el12 = d.kind != DECODED_OTHER && OP1(insn) == EL12_OP1;
    return d;
}

static bool is_return(uint32_t insn)
{
    /* RET Xn, RETAA, RETAB */
    return (insn & 0xfffffc1f) == 0xd65f0000 || (insn & 0xfffffbff) == 0xd65f0bff;
}

/* The signed field of an instruction that has bits [from + size - 1:from], in instructions. */
static int32_t offset_of(uint32_t insn, unsigned int from, unsigned int size)
{
    return ((int32_t)(insn << (32 - from - size)) >> (32 - size)) * 4;
}

/* B; B.cond and BC.cond, CBZ, CBNZ; TBZ, TBNZ. */
static bool decode_branch(uint32_t insn, struct decoded *d)
{
    if ((insn & 0xfc000000) == 0x14000000)
        d->offset = offset_of(insn, 0, 26);
    else if ((insn & 0xff000000) == 0x54000000 || (insn & 0x7e000000) == 0x34000000)
        d->offset = offset_of(insn, 5, 19);
    else if ((insn & 0x7e000000) == 0x36000000)
        d->offset = offset_of(insn, 5, 14);
    else
        return false;
    d->kind = DECODED_BRANCH;
    return true;
}

/* Loads and stores have 1x0 in [27:25], and their base register in [9:5]. */
static bool is_on_stack(uint32_t insn)
{
    return (insn & 0x0a000000) == 0x08000000 && (insn >> 5 & 31) == 31;
}

static struct decoded decode(uint32_t insn)
{
    struct decoded d = {.on_stack = is_on_stack(insn)};

    if (a64_dsb(insn) >= 0)
        d = decode_dsb((unsigned int)a64_dsb(insn));
    else if (a64_is_isb(insn))
        d = (struct decoded){.kind = DECODED_BARRIER, .code = TRACE_ISB};
    else if ((insn & 0xfff8f000) == 0xd5088000)
        d = decode_tlbi(insn);
    else if ((insn & 0xfff80000) == 0xd5180000)
        d = decode_msr(insn);
    else if (is_return(insn))
        d.kind = DECODED_RETURN;
    else
        decode_branch(insn, &d);
    return d;
}

struct decoded decode_a64(uint32_t insn)
{
    struct decoded d = decode(insn);

    d.condition = DECODED_ALWAYS;
    return d;
}
