/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/regime.h"

#include "model/granule.h"

#include <string.h>

#define TBI_BITS 56 /* of an address; what is above is a tag */

const struct granule granule_4k = {"4K", 12, 48, 1, 0};
const struct granule granule_16k = {"16K", 14, 48, 2, 1};
const struct granule granule_64k = {"64K", 16, 47, 2, 1};

static const struct {
    const char *word, *where;
} names[REGIMES] = {
    [REGIME_EL2] = {"el2", "at EL2"},
    [REGIME_EL2_E2H] = {"el2-e2h", "at EL2 (E2H)"},
    [REGIME_EL1] = {"el1", "at EL1"},
    [REGIME_S2] = {"s2", "at stage 2"},
};

const char *regime_word(enum regime_name name)
{
    return names[name].word;
}

const char *regime_where(enum regime_name name)
{
    return names[name].where;
}

enum regime_name regime_find(const char *word)
{
    int name = 0;

    while (name < REGIMES && strcmp(names[name].word, word) != 0)
        name++;
    return (enum regime_name)name;
}

bool regime_has_halves(enum regime_name name)
{
    return name == REGIME_EL1 || name == REGIME_EL2_E2H;
}

bool regime_is_high(enum regime_name name, uint64_t va)
{
    return regime_has_halves(name) && (va >> (TBI_BITS - 1) & 1);
}

static uint64_t bits(uint64_t value, unsigned int hi, unsigned int lo)
{
    return value >> lo & (UINT64_MAX >> (63 - (hi - lo)));
}

unsigned int regime_shift(const struct regime *r, int level)
{
    return r->page_shift + r->stride * (unsigned int)(PT_LEVEL_LAST - level);
}

unsigned int regime_entries(const struct regime *r, int level)
{
    return 1u << (level == r->start_level ? r->in_bits - regime_shift(r, level) : r->stride);
}

uint64_t regime_base(const struct regime *r)
{
    return r->high ? -(UINT64_C(1) << r->in_bits) : 0;
}

bool regime_offset(const struct regime *r, uint64_t va, uint64_t *offset)
{
    const uint64_t tag = UINT64_MAX << TBI_BITS;

    if (r->tbi)
        va = r->high ? va | tag : va & ~tag;
    *offset = va - regime_base(r);
    return va >= regime_base(r) && !(*offset >> r->in_bits);
}

int regime_check_root(const struct regime *r, uint64_t root, struct failure *f)
{
    uint64_t least = r->out_bits == 52 ? 64 : 16;
    uint64_t size = UINT64_C(8) * regime_entries(r, r->start_level);

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
    const struct granule *g = r->granule;

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
    static const char *const words[] = {"table", "block", "page", "invalid", "reserved"};

    return words[kind];
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

const char *regime_page_name(const struct regime *r)
{
    return r->granule->name;
}
