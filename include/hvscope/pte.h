/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMSAv8-64 descriptors, stage 1, 4 KiB granule, 48-bit output addresses.
 *
 * An entry is a uint64_t that is read and written whole. Every bit position
 * that the project uses is defined here and nowhere else (Arm ARM D8.3.1,
 * "VMSAv8-64 descriptor formats").
 */
#ifndef HVSCOPE_PTE_H
#define HVSCOPE_PTE_H

#include <hvscope/addr.h>
#include <stdbool.h>
#include <stdint.h>

/* A descriptor as Xen names it. A level L entry maps 1 << pt_level_shift(L). */
typedef uint64_t lpae_t;

#define PTE_BIT(n)     (UINT64_C(1) << (n))
#define PTE_VALID      PTE_BIT(0)
#define PTE_TABLE      PTE_BIT(1) /* levels 0-2: table, not block; level 3: page */
#define PTE_ATTR_SHIFT 2          /* AttrIndx[2:0], an index into MAIR_EL2 */
#define PTE_ATTR_MASK  (UINT64_C(7) << PTE_ATTR_SHIFT)
#define PTE_ATTR(i)    ((uint64_t)(i) << PTE_ATTR_SHIFT)
#define PTE_NS         PTE_BIT(5) /* ignored in Non-secure state */
#define PTE_AP1        PTE_BIT(6) /* RES1 in a regime with one privilege level */
#define PTE_RO         PTE_BIT(7) /* AP[2] */
#define PTE_SH_SHIFT   8
#define PTE_SH_MASK    (UINT64_C(3) << PTE_SH_SHIFT)
#define PTE_SH_INNER   (UINT64_C(3) << PTE_SH_SHIFT)
#define PTE_SH_OUTER   (UINT64_C(2) << PTE_SH_SHIFT)
#define PTE_AF         PTE_BIT(10)
#define PTE_NG         PTE_BIT(11) /* RES0 in a regime with one VA range; Xen sets it */
#define PTE_ADDR_MASK  UINT64_C(0x0000fffffffff000)
#define PTE_GP         PTE_BIT(50)
#define PTE_DBM        PTE_BIT(51)
#define PTE_CONT       PTE_BIT(52)
#define PTE_PXN        PTE_BIT(53)
#define PTE_XN         PTE_BIT(54)
#define PTE_REFS_SHIFT 55 /* [58:55], for software: the mapcache's reference count */
#ifndef PTE_REFS_MAX      /* tests/model explores small counts */
#define PTE_REFS_MAX UINT64_C(15)
#endif
#define PTE_REFS_MASK (PTE_REFS_MAX << PTE_REFS_SHIFT)
#define PTE_XN_TABLE  PTE_BIT(60)
#define PTE_RO_TABLE  PTE_BIT(62) /* APTable[1] */

/* What Xen writes around the address: a normal write-back block, and a table. */
#define PTE_XEN_BLOCK UINT64_C(0x0040000000000f7d)
#define PTE_XEN_TABLE UINT64_C(0x0000000000000f7f)

/* MAIR_EL2 and the attribute indices that Xen gives it. */
#define MAIR_VALUE         UINT64_C(0xff000004eeaa4400)
#define MAIR_DEVICE_nGnRnE 0
#define MAIR_NORMAL_NC     1
#define MAIR_NORMAL_WT     2
#define MAIR_NORMAL_WB     3
#define MAIR_DEVICE_nGnRE  4
#define MAIR_NORMAL        7

#define PT_ENTRIES    512
#define PT_SHIFT      9
#define PT_LEVEL_LAST 3

/* log2 of what one entry of this level (0-3) maps: 39, 30, 21, 12. */
static inline unsigned int pt_level_shift(unsigned int level)
{
    return PAGE_SHIFT + PT_SHIFT * (PT_LEVEL_LAST - level);
}

/* Index into the table of this level (0-3) that the walk of va takes. */
static inline unsigned int pt_index(uint64_t va, unsigned int level)
{
    return (va >> pt_level_shift(level)) & (PT_ENTRIES - 1);
}

static inline bool pte_valid(lpae_t pte)
{
    return pte & PTE_VALID;
}

/* A table entry at this level? (Bit 1 means "page" at the last level.) */
static inline bool pte_is_table(lpae_t pte, unsigned int level)
{
    return pte_valid(pte) && (pte & PTE_TABLE) && level < PT_LEVEL_LAST;
}

/*
 * A block or page at this level? Level 0 has neither (without FEAT_LPA2), and
 * bit 1 clear at the last level is a reserved encoding that faults.
 */
static inline bool pte_is_leaf(lpae_t pte, unsigned int level)
{
    if (!pte_valid(pte) || level == 0)
        return false;
    return !(pte & PTE_TABLE) == (level < PT_LEVEL_LAST);
}

/* Output address of a table or leaf, bits [47:12]. */
static inline paddr_t pte_paddr(lpae_t pte)
{
    return _paddr(pte & PTE_ADDR_MASK);
}

static inline mfn_t pte_mfn(lpae_t pte)
{
    return paddr_to_mfn(pte_paddr(pte));
}

/* The four software bits [58:55]; in a mapcache slot, the reference count. */
static inline unsigned int pte_refs(lpae_t pte)
{
    return (pte & PTE_REFS_MASK) >> PTE_REFS_SHIFT;
}

static inline lpae_t pte_with_refs(lpae_t pte, unsigned int refs)
{
    return (pte & ~PTE_REFS_MASK) | ((uint64_t)refs << PTE_REFS_SHIFT);
}

#endif /* HVSCOPE_PTE_H */
