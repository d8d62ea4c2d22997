/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one store changes, and what one TLBI covers. For bbm.c only. */
#ifndef HV_CORE_BBM_RULES_H
#define HV_CORE_BBM_RULES_H

#include "core/bbm.h"

#define BBM_NO_CHANGE BBM_RULES

/* Can a walker use this entry? One that faults is never cached (IWZCBG). */
static inline bool bbm_live(const struct bbm_config *config, uint64_t pte, unsigned int level)
{
    if (pte_is_table(pte, level))
        return true;
    return pte_is_leaf(pte, level) && ((pte & PTE_AF) || config->ha);
}

/* Output address of a leaf: low bits of a block are no address. */
static inline uint64_t bbm_leaf_pa(uint64_t pte, unsigned int level)
{
    return pte & PTE_ADDR_MASK & ~((UINT64_C(1) << pt_level_shift(level)) - 1);
}

static inline enum bbm_rule bbm_leaf_change(const struct bbm_config *config, uint64_t old,
                                            uint64_t new, unsigned int level)
{
    if (bbm_leaf_pa(old, level) != bbm_leaf_pa(new, level))
        return BBM_OUTPUT_ADDRESS;
    if ((old ^ new) & PTE_ATTR_MASK)
        return BBM_MEMORY_TYPE;
    if ((old ^ new) & PTE_SH_MASK)
        return BBM_SHAREABILITY;
    if ((old ^ new) & PTE_CONT && config->level < 1)
        return BBM_CONTIGUOUS;
    return BBM_NO_CHANGE;
}

/*
 * Why old, live, may not become new, live, without a break (RWHZWS, RPVTFW).
 * BBM_NO_CHANGE: it may; permissions, AF and software bits do not matter.
 */
static inline enum bbm_rule bbm_change(const struct bbm_config *config, uint64_t old, uint64_t new,
                                       unsigned int level)
{
    bool was = pte_is_table(old, level), is = pte_is_table(new, level);

    if (was != is)
        return config->level < 2 ? BBM_BLOCK_SIZE : BBM_NO_CHANGE;
    if (!is)
        return bbm_leaf_change(config, old, new, level);
    return (old ^ new) & PTE_ADDR_MASK ? BBM_OUTPUT_ADDRESS : BBM_NO_CHANGE;
}

/* Does new forbid what old allowed? Until a TLBI, it may still be allowed. */
static inline bool bbm_stricter(uint64_t old, uint64_t new, unsigned int level)
{
    uint64_t forbids = pte_is_table(new, level) ? PTE_RO_TABLE | PTE_XN_TABLE : PTE_RO | PTE_XN;

    return new & ~old &forbids;
}

/* What a TLBI of EL2 covers. */
struct bbm_cover {
    bool all;
    bool last_level;   /* blocks and pages, never tables */
    bool bad;          /* an UNPREDICTABLE operand: covers nothing */
    unsigned int hint; /* level of the leaf, if hinted */
    bool hinted;
    uint64_t first, last; /* VAs, both included */
};

#define TLBI_VA_MASK      ((UINT64_C(1) << 44) - 1) /* VA[55:12] */
#define TLBI_TTL_SHIFT    44
#define RANGE_VA_MASK     ((UINT64_C(1) << 37) - 1)
#define RANGE_TTL_SHIFT   37
#define RANGE_NUM_SHIFT   39
#define RANGE_NUM_MASK    31u
#define RANGE_SCALE_SHIFT 44
#define RANGE_TG_SHIFT    46
#define TLBI_TG_4K        1u
#define BBM_VA_MASK       ((UINT64_C(1) << 48) - 1)

/* TLBI VAE2, VALE2: TTL is [47:44] with FEAT_TTL, 0 without it; TTL[3:2] is the granule. */
static inline void bbm_cover_va(struct bbm_cover *c, uint64_t operand)
{
    unsigned int ttl = operand >> TLBI_TTL_SHIFT & 15;

    c->first = (operand & TLBI_VA_MASK) << PAGE_SHIFT & BBM_VA_MASK;
    c->last = c->first | PAGE_MASK;
    c->hinted = ttl >> 2 == TLBI_TG_4K && (ttl & 3);
    c->hint = ttl & 3;
}

/*
 * TLBI RVAE2, RVALE2: (NUM + 1) * 2^(5 * SCALE + 1) granules. Of another granule
 * than the regime's, or with a level hint whose block the base does not start
 * at, nothing is said to be invalidated (Arm ARM C5.5, "TLBI RVAE2").
 */
static inline void bbm_cover_range(struct bbm_cover *c, uint64_t operand)
{
    unsigned int num = operand >> RANGE_NUM_SHIFT & RANGE_NUM_MASK;
    unsigned int scale = operand >> RANGE_SCALE_SHIFT & 3;
    uint64_t bytes = (uint64_t)(num + 1) << (5 * scale + 1) << PAGE_SHIFT;

    c->first = (operand & RANGE_VA_MASK) << PAGE_SHIFT & BBM_VA_MASK;
    c->last = c->first + bytes - 1;
    c->hint = operand >> RANGE_TTL_SHIFT & 3;
    c->hinted = c->hint != 0;
    c->bad = (operand >> RANGE_TG_SHIFT & 3) != TLBI_TG_4K ||
             (c->hinted && c->first & ((UINT64_C(1) << pt_level_shift(c->hint)) - 1));
}

static inline struct bbm_cover bbm_cover(enum trace_tlbi op, uint64_t operand)
{
    struct bbm_cover c = {
        .all = op == TRACE_TLBI_ALLE2,
        .last_level = op == TRACE_TLBI_VALE2 || op == TRACE_TLBI_RVALE2,
    };

    if (op == TRACE_TLBI_VAE2 || op == TRACE_TLBI_VALE2)
        bbm_cover_va(&c, operand);
    else if (op == TRACE_TLBI_RVAE2 || op == TRACE_TLBI_RVALE2)
        bbm_cover_range(&c, operand);
    return c;
}

/*
 * Does it cover what was cached of an entry of this level at va? A TLBI by VA
 * removes all of the block, whichever page of it the VA names (RLGSCG); of a
 * table it removes the way through it, unless it is of the last level only.
 */
static inline bool bbm_covers(const struct bbm_cover *c, uint64_t va, unsigned int level,
                              bool table)
{
    uint64_t last = va + (UINT64_C(1) << pt_level_shift(level)) - 1;

    if (c->all)
        return true;
    if (c->bad || (table && c->last_level))
        return false;
    if (!table && c->hinted && c->hint != level)
        return false;
    return c->first <= last && va <= c->last;
}

#endif /* HV_CORE_BBM_RULES_H */
