/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/pte_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct list {
    enum regime_name regime;
    lpae_t pte;
    unsigned int nr;
    struct pte_field *field;
};

static uint64_t bits(lpae_t pte, unsigned int hi, unsigned int lo)
{
    return pte >> lo & (UINT64_MAX >> (63 - (hi - lo)));
}

static struct pte_field *add(struct list *l, unsigned int hi, unsigned int lo, const char *brief,
                             const char *text)
{
    struct pte_field *f = &l->field[l->nr++];

    *f = (struct pte_field){.hi = hi, .lo = lo, .value = bits(l->pte, hi, lo)};
    snprintf(f->brief, sizeof(f->brief), "%s", brief);
    snprintf(f->text, sizeof(f->text), "%s", text);
    return f;
}

/* One bit that has two meanings; brief only if it is set. */
static void add_bit(struct list *l, unsigned int bit, const char *brief, const char *set,
                    const char *clear)
{
    bool on = l->pte & PTE_BIT(bit);

    add(l, bit, bit, on ? brief : "", on ? set : clear);
}

/* Bits that mean nothing: worth a line only if one is set. */
static void add_unused(struct list *l, unsigned int hi, unsigned int lo, const char *text)
{
    char brief[24];

    if (!bits(l->pte, hi, lo))
        return;
    snprintf(brief, sizeof(brief), hi == lo ? "bit%u" : "bits%u-%u", lo, hi);
    add(l, hi, lo, brief, text);
}

static void add_attr_index(struct list *l)
{
    static const char *const types[8] = {
        [MAIR_DEVICE_nGnRnE] = "device nGnRnE", [MAIR_NORMAL_NC] = "normal NC",
        [MAIR_NORMAL_WT] = "normal WT",         [MAIR_NORMAL_WB] = "normal WB",
        [MAIR_DEVICE_nGnRE] = "device nGnRE",   [MAIR_NORMAL] = "normal WB",
    };
    unsigned int index = bits(l->pte, 4, 2);
    const char *type = types[index] ? types[index] : "unused";
    unsigned int mair = MAIR_VALUE >> (8 * index) & 0xff;
    struct pte_field *f = add(l, 4, 2, "", "");

    snprintf(f->brief, sizeof(f->brief), "attr%u:%s", index, type);
    for (char *p = f->brief; *p; p++) {
        if (*p == ' ')
            *p = '-';
    }
    snprintf(f->text, sizeof(f->text), "AttrIndx: %s (MAIR byte 0x%02x)", type, mair);
}

static void add_shareability(struct list *l)
{
    static const char *const brief[] = {"SH:none", "SH:reserved", "SH:outer", "SH:inner"};
    static const char *const text[] = {"SH: not shareable", "SH: reserved", "SH: outer shareable",
                                       "SH: inner shareable"};
    unsigned int sh = bits(l->pte, 9, 8);

    add(l, 9, 8, brief[sh], text[sh]);
}

static void add_address(struct list *l, unsigned int lo, const char *what)
{
    struct pte_field *f = add(l, 47, lo, "", "");

    f->value = l->pte & PTE_ADDR_MASK & ~((UINT64_C(1) << lo) - 1);
    snprintf(f->text, sizeof(f->text), "%s", what);
}

static void add_count(struct list *l)
{
    struct pte_field *f = add(l, 58, 55, "", "software: the reference count");

    if (l->regime != REGIME_EL2)
        strcpy(f->text, "software");
    snprintf(f->brief, sizeof(f->brief), "refs:%u", pte_refs(l->pte));
}

static void add_leaf_upper(struct list *l)
{
    add_unused(l, 49, 48, "RES0 with 48-bit addresses");
    add_bit(l, 50, "GP", "GP: guarded page", "GP: not guarded");
    add_bit(l, 51, "DBM", "DBM: dirty bit managed by hardware", "DBM: off");
    add_bit(l, 52, "contig", "contiguous", "not contiguous");
    add_bit(l, 53, "PXN", "PXN: RES0 at EL2", "PXN: RES0 at EL2");
    add_bit(l, 54, "XN", "XN: never executed", "XN: can be executed");
    add_count(l);
    add_unused(l, 62, 59, "PBHA, or ignored");
    add_unused(l, 63, 63, "ignored in Non-secure state");
}

static void add_leaf(struct list *l, unsigned int level)
{
    unsigned int shift = pt_level_shift(level);

    add_attr_index(l);
    add_bit(l, 5, "NS", "NS: ignored in Non-secure state", "NS: ignored in Non-secure state");
    add_bit(l, 6, "AP1", "AP[1]: RES1 at EL2", "AP[1]: 0, but RES1 at EL2");
    add_bit(l, 7, "RO", "AP[2]: read-only", "AP[2]: read and write");
    if (!(l->pte & PTE_RO))
        strcpy(l->field[l->nr - 1].brief, "RW");
    add_shareability(l);
    add_bit(l, 10, "AF", "AF: accessed", "AF: 0, the first access faults");
    add_bit(l, 11, "nG", "nG: RES0 at EL2; Xen sets it", "nG: 0, global");
    if (level < PT_LEVEL_LAST)
        add_unused(l, shift - 1, 12, "RES0 in a block (bit 16: nT)");
    add_address(l, shift, "output address");
    add_leaf_upper(l);
}

/* What every regime's table entries have below their attributes. */
static void add_next_table(struct list *l)
{
    add(l, 11, 2, "", "ignored in a table entry");
    add_address(l, 12, "address of the next table");
    add_unused(l, 50, 48, "RES0 with 48-bit addresses");
    add_unused(l, 58, 51, "ignored in a table entry");
}

static void add_table(struct list *l)
{
    add_next_table(l);
    add_bit(l, 59, "PXNTable", "PXNTable: RES0 at EL2", "PXNTable: 0");
    add_bit(l, 60, "XNTable", "XNTable: nothing below is executed", "XNTable: 0");
    add_bit(l, 61, "APTable0", "APTable[0]: RES0 at EL2", "APTable[0]: 0");
    add_bit(l, 62, "ROTable", "APTable[1]: read-only below", "APTable[1]: 0");
    add_bit(l, 63, "NSTable", "NSTable: ignored in Non-secure state", "NSTable: 0");
}

static void add_invalid(struct list *l)
{
    add_unused(l, 54, 1, "not looked at by hardware");
    add_count(l);
    add_unused(l, 63, 59, "not looked at by hardware");
}

/* A field of two bits, each value with its words. */
static void add_pair(struct list *l, unsigned int lo, const char *const text[4])
{
    add(l, lo + 1, lo, "", text[bits(l->pte, lo + 1, lo)]);
}

static void add_block_rest(struct list *l, unsigned int level)
{
    unsigned int shift = pt_level_shift(level);

    if (level < PT_LEVEL_LAST)
        add_unused(l, shift - 1, 12, "RES0 in a block (bit 16: nT)");
    add_address(l, shift, "output address");
    add_unused(l, 49, 48, "RES0 with 48-bit addresses");
}

/* Stage 2 (Arm ARM D8.3.2): MemAttr and S2AP; XN in two bits with FEAT_XNX. */
static void add_stage2_leaf(struct list *l, unsigned int level)
{
    static const char *const rights[] = {"S2AP: no access", "S2AP: read-only", "S2AP: write-only",
                                         "S2AP: read and write"};
    static const char *const execute[] = {"XN: executed at EL1 and EL0",
                                          "XN: executed at EL0 only (FEAT_XNX)", "XN: not executed",
                                          "XN: executed at EL1 only (FEAT_XNX)"};

    add(l, 5, 2, "", "MemAttr: the type, see above");
    add_pair(l, 6, rights);
    add_shareability(l);
    add_bit(l, 10, "AF", "AF: accessed", "AF: 0, the first access faults");
    add_unused(l, 11, 11, "FnXS with FEAT_XS");
    add_block_rest(l, level);
    add_unused(l, 50, 50, "RES0 at stage 2");
    add_bit(l, 51, "DBM", "DBM: dirty bit managed by hardware", "DBM: off");
    add_bit(l, 52, "contig", "contiguous", "not contiguous");
    add_pair(l, 53, execute);
    add(l, 58, 55, "", "software");
    add_unused(l, 63, 59, "PBHA, or ignored");
}

/* EL1 has EL0 below it: rights for both, and addresses of one process (nG). */
static void add_el1_leaf(struct list *l, unsigned int level)
{
    static const char *const rights[] = {"AP: EL1 reads and writes, EL0 nothing",
                                         "AP: EL1 and EL0 read and write",
                                         "AP: EL1 reads, EL0 nothing", "AP: EL1 and EL0 read"};

    add(l, 4, 2, "", "AttrIndx: the type, see above");
    add_bit(l, 5, "NS", "NS: ignored in Non-secure state", "NS: ignored in Non-secure state");
    add_pair(l, 6, rights);
    add_shareability(l);
    add_bit(l, 10, "AF", "AF: accessed", "AF: 0, the first access faults");
    add_bit(l, 11, "nG", "nG: of one ASID", "nG: 0, global");
    add_block_rest(l, level);
    add_bit(l, 50, "GP", "GP: guarded page", "GP: not guarded");
    add_bit(l, 51, "DBM", "DBM: dirty bit managed by hardware", "DBM: off");
    add_bit(l, 52, "contig", "contiguous", "not contiguous");
    add_bit(l, 53, "PXN", "PXN: not executed at EL1", "PXN: can be executed at EL1");
    add_bit(l, 54, "UXN", "UXN: not executed at EL0", "UXN: can be executed at EL0");
    add(l, 58, 55, "", "software");
    add_unused(l, 63, 59, "PBHA, or ignored");
}

static void add_el1_table(struct list *l)
{
    static const char *const rights[] = {"APTable: as below", "APTable: nothing for EL0",
                                         "APTable: read-only below",
                                         "APTable: read-only, nothing for EL0"};

    add_next_table(l);
    add_bit(l, 59, "PXNTable", "PXNTable: not executed at EL1 below", "PXNTable: 0");
    add_bit(l, 60, "UXNTable", "UXNTable: not executed at EL0 below", "UXNTable: 0");
    add_pair(l, 61, rights);
    add_bit(l, 63, "NSTable", "NSTable: ignored in Non-secure state", "NSTable: 0");
}

static void add_stage2_table(struct list *l)
{
    add_next_table(l);
    add_unused(l, 63, 59, "RES0 at stage 2");
}

static void add_kind(struct list *l, unsigned int level, bool table)
{
    bool el1 = l->regime == REGIME_EL1 || l->regime == REGIME_EL2_E2H;

    if (l->regime == REGIME_S2)
        table ? add_stage2_table(l) : add_stage2_leaf(l, level);
    else if (el1)
        table ? add_el1_table(l) : add_el1_leaf(l, level);
    else
        table ? add_table(l) : add_leaf(l, level);
}

unsigned int pte_fields(lpae_t pte, unsigned int level, struct pte_field field[PTE_FIELDS_MAX])
{
    return pte_fields_in(REGIME_EL2, pte, level, field);
}

unsigned int pte_fields_in(enum regime_name regime, lpae_t pte, unsigned int level,
                           struct pte_field field[PTE_FIELDS_MAX])
{
    struct list l = {.regime = regime, .pte = pte, .field = field};

    if (!pte_valid(pte)) {
        add(&l, 0, 0, "invalid", "invalid: an access faults");
        add_invalid(&l);
        return l.nr;
    }
    add(&l, 0, 0, "valid", "valid");
    if (pte_is_table(pte, level)) {
        add(&l, 1, 1, "table", "a table");
        add_kind(&l, level, true);
    } else if (pte_is_leaf(pte, level)) {
        add(&l, 1, 1, level == PT_LEVEL_LAST ? "page" : "block",
            level == PT_LEVEL_LAST ? "a page" : "a block");
        add_kind(&l, level, false);
    } else {
        add(&l, 1, 1, "reserved", "reserved at this level: an access faults");
        add_unused(&l, 63, 2, "not looked at by hardware");
    }
    return l.nr;
}

void pte_line(lpae_t pte, unsigned int level, char *buf, size_t size)
{
    struct pte_field field[PTE_FIELDS_MAX];
    unsigned int nr = pte_fields(pte, level, field);
    size_t len = 0;

    buf[0] = '\0';
    for (unsigned int i = 0; i < nr && len < size; i++) {
        if (field[i].brief[0])
            len += snprintf(buf + len, size - len, "%s%s", len ? " " : "", field[i].brief);
    }
}
