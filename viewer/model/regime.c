/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/regime.h"

#include <stdio.h>

#define HCR_E2H      PTE_BIT(34)
#define SCTLR_WXN    PTE_BIT(19)
#define SCTLR_EE     PTE_BIT(25)
#define TCR_TBI      PTE_BIT(20)
#define TCR_HA       PTE_BIT(21)
#define TCR_HD       PTE_BIT(22)
#define TCR_HPD      PTE_BIT(24)
#define TCR_DS       PTE_BIT(32)
#define TCR2_UNKNOWN UINT64_C(0x3e) /* PIE, E0POE, POE, AIE, D128: entries mean other things */
#define VA_BITS      64
#define TSZ_MIN      16 /* without 52-bit addresses */

static const struct granule {
    const char *name;
    unsigned int shift, tsz_min, tsz_max;
    int first_block, first_block_big; /* the lowest level that has blocks; big: 52-bit */
} granules[] = {
    {"4K", 12, 12, 48, 1, 0},
    {"64K", 16, 12, 47, 2, 1},
    {"16K", 14, 12, 48, 2, 1},
};

static uint64_t bits(uint64_t value, unsigned int hi, unsigned int lo)
{
    return value >> lo & (UINT64_MAX >> (63 - (hi - lo)));
}

static const struct granule *granule_of(const struct regime *r)
{
    return &granules[bits(r->tcr, 15, 14)];
}

static int refuse(struct failure *f, const char *what)
{
    return failure_set(f, EXIT_NOT_UNDERSTOOD, "%s", what);
}

static int check_understood(const struct regime_registers *reg, struct failure *f)
{
    if (reg->hcr & HCR_E2H)
        return refuse(f, "HCR_EL2.E2H is 1: EL2 runs as a VHE host, a regime that is not "
                         "understood here");
    if (reg->sctlr & SCTLR_EE)
        return refuse(f, "SCTLR_EL2.EE is 1: big-endian tables are not understood here");
    if (reg->tcr2 & TCR2_UNKNOWN)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "TCR2_EL2 is 0x%llx: indirect permissions and 128-bit entries are not "
                           "understood here",
                           (unsigned long long)reg->tcr2);
    if (bits(reg->tcr, 15, 14) == 3)
        return refuse(f, "TCR_EL2.TG0 is 3, a reserved granule");
    return 0;
}

static int set_output_bits(struct regime *r, unsigned int pa_bits, struct failure *f)
{
    static const unsigned int sizes[] = {32, 36, 40, 42, 44, 48, 52};
    unsigned int ps = bits(r->tcr, 18, 16), limit = pa_bits;

    if (ps == 7)
        return refuse(f, "TCR_EL2.PS is 7, a reserved size");
    if (!r->lpa2 && !r->lpa && limit > 48)
        limit = 48;
    r->out_bits = sizes[ps] < limit ? sizes[ps] : limit;
    return 0;
}

static int set_input_bits(struct regime *r, struct failure *f)
{
    const struct granule *g = granule_of(r);
    unsigned int tsz = bits(r->tcr, 5, 0);
    unsigned int low = r->lpa2 || g->shift == 16 ? g->tsz_min : TSZ_MIN;

    if (tsz < low || tsz > g->tsz_max)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "TCR_EL2.T0SZ is %u: not from %u to %u for %s pages", tsz, low,
                           g->tsz_max, g->name);
    r->in_bits = VA_BITS - tsz;
    r->start_level =
        PT_LEVEL_LAST + 1 - (int)((r->in_bits - r->page_shift + r->stride - 1) / r->stride);
    return 0;
}

int regime_init(struct regime *r, const struct regime_registers *reg, struct failure *f)
{
    if (check_understood(reg, f))
        return -1;
    *r = (struct regime){.tcr = reg->tcr, .mair = reg->mair};
    r->page_shift = granule_of(r)->shift;
    r->stride = r->page_shift - 3;
    r->wxn = reg->sctlr & SCTLR_WXN;
    r->lpa2 = (reg->tcr & TCR_DS) && r->page_shift != 16;
    r->lpa = r->page_shift == 16 && reg->pa_bits >= 52;
    return set_output_bits(r, reg->pa_bits, f) ? -1 : set_input_bits(r, f);
}

/* The image's own choices besides TCR: E2H 0, WXN, its MAIR. */
int regime_of_machine(struct regime *r, const struct machine *m, struct failure *f)
{
    struct regime_registers reg = {
        .tcr = m->beacon.tcr,
        .mair = MAIR_VALUE,
        .sctlr = SCTLR_WXN,
        .pa_bits = 52,
    };

    return regime_init(r, &reg, f);
}

unsigned int regime_shift(const struct regime *r, int level)
{
    return r->page_shift + r->stride * (unsigned int)(PT_LEVEL_LAST - level);
}

unsigned int regime_entries(const struct regime *r, int level)
{
    unsigned int left = r->in_bits - regime_shift(r, level);

    return 1u << (left < r->stride ? left : r->stride);
}

int regime_check_root(const struct regime *r, uint64_t root, struct failure *f)
{
    uint64_t least = r->out_bits == 52 ? 64 : 16;
    uint64_t size = 8u * regime_entries(r, r->start_level);

    if (size < least)
        size = least;
    if (root % size == 0)
        return 0;
    return failure_set(f, EXIT_NOT_UNDERSTOOD,
                       "the root 0x%llx is not aligned to the 0x%llx bytes of its table",
                       (unsigned long long)root, (unsigned long long)size);
}

enum pte_kind regime_kind(const struct regime *r, lpae_t pte, int level)
{
    const struct granule *g = granule_of(r);

    if (!pte_valid(pte))
        return KIND_INVALID;
    if (level == PT_LEVEL_LAST)
        return pte & PTE_TABLE ? KIND_PAGE : KIND_RESERVED;
    if (pte & PTE_TABLE)
        return KIND_TABLE;
    return level >= (r->lpa2 || r->lpa ? g->first_block_big : g->first_block) ? KIND_BLOCK
                                                                              : KIND_RESERVED;
}

const char *pte_kind_name(enum pte_kind kind)
{
    static const char *const names[] = {"table", "block", "page", "invalid", "reserved"};

    return names[kind];
}

uint64_t regime_output(const struct regime *r, lpae_t pte, unsigned int low)
{
    uint64_t pa = bits(pte, r->lpa2 ? 49 : 47, low) << low;

    if (r->lpa2)
        pa |= bits(pte, 9, 8) << 50;
    if (r->lpa)
        pa |= bits(pte, 15, 12) << 48;
    return pa;
}

void regime_permissions(const struct regime *r, lpae_t above, lpae_t pte, char perm[4])
{
    bool dirty = (r->tcr & TCR_HA) && (r->tcr & TCR_HD) && (pte & PTE_DBM);
    bool write, execute;

    if (r->tcr & TCR_HPD)
        above = 0;
    write = !(above & PTE_RO_TABLE) && (!(pte & PTE_RO) || dirty);
    execute = !(above & PTE_XN_TABLE) && !(pte & PTE_XN) && !(r->wxn && write);
    snprintf(perm, 4, "r%c%c", write ? 'w' : '-', execute ? 'x' : '-');
}

const char *regime_share(const struct regime *r, lpae_t pte)
{
    static const char *const names[] = {"none", "reserved", "outer", "inner"};

    return names[r->lpa2 ? bits(r->tcr, 13, 12) : bits(pte, 9, 8)];
}

/* One half of a MAIR byte of Normal memory; allocation hints are left out. */
static void cache_policy(unsigned int nibble, char *buf, size_t size)
{
    if (nibble == 4)
        snprintf(buf, size, "nc");
    else
        snprintf(buf, size, "%s%s", nibble & 4 ? "wb" : "wt", nibble & 8 ? "" : "-transient");
}

/* Types of one value each; NULL if attr is none of them. */
static const char *fixed_type(unsigned int attr)
{
    switch (attr) {
    case 0x40:
        return "normal-nc-nxs";
    case 0xa0:
        return "normal-wt-nxs";
    case 0xf0:
        return "normal-wb-tagged";
    default:
        return NULL;
    }
}

void regime_memory_type(const struct regime *r, lpae_t pte, char *buf, size_t size)
{
    static const char *const devices[] = {"nGnRnE", "nGnRE", "nGRE", "GRE"};
    unsigned int attr = r->mair >> (8 * bits(pte, 4, 2)) & 0xff;
    char inner[16], outer[16];

    if ((attr & ~0xdu) == 0) {
        snprintf(buf, size, "device-%s%s", devices[attr >> 2], attr & 1 ? "-nxs" : "");
    } else if (fixed_type(attr)) {
        snprintf(buf, size, "%s", fixed_type(attr));
    } else if (!(attr & 0xf) || !(attr >> 4)) {
        snprintf(buf, size, "reserved-0x%02x", attr);
    } else {
        cache_policy(attr & 0xf, inner, sizeof(inner));
        cache_policy(attr >> 4, outer, sizeof(outer));
        if ((attr & 0xf) == attr >> 4 || !__builtin_strcmp(inner, outer))
            snprintf(buf, size, "normal-%s", inner);
        else
            snprintf(buf, size, "normal-inner-%s-outer-%s", inner, outer);
    }
}

const char *regime_page_name(const struct regime *r)
{
    return granule_of(r)->name;
}
