/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/stage2.h"
#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "arch/tlb.h"
#include "core/pace.h"
#include "core/string.h"
#include "guest/access.h"
#include "mm/page_alloc.h"
#include "mm/pte_store.h"

#define IPA_BITS   39
#define ROOT_LEVEL 1
#define VTCR_SL0_1 (UINT64_C(1) << 6)
#define VTCR_RES1  REG_BIT(31)
#define VTTBR_VMID 48

/* Stage-2 leaf: normal write-back, read-write, inner shareable, executable (D8.3.2). */
#define S2_PAGE                                                                                    \
    (PTE_VALID | PTE_TABLE | UINT64_C(0xf) << 2 | UINT64_C(3) << 6 | PTE_SH_INNER | PTE_AF)
#define S2_TABLE (PTE_VALID | PTE_TABLE)

uint64_t stage2_vtcr(void)
{
    uint64_t ps = ID_AA64MMFR0_PARANGE(read_sysreg(id_aa64mmfr0_el1));

    if (ps > TCR_PS_48BIT)
        ps = TCR_PS_48BIT;
    return TCR_T0SZ(IPA_BITS) | VTCR_SL0_1 | TCR_IRGN0_WB | TCR_ORGN0_WB | TCR_SH0_INNER |
           ps << TCR_PS_SHIFT | VTCR_RES1;
}

uint64_t stage2_vttbr(const struct domain *d)
{
    return paddr_x(mfn_to_paddr(d->stage2)) | (uint64_t)domain_vmid(d) << VTTBR_VMID;
}

static mfn_t table_new(void)
{
    mfn_t mfn = alloc_domheap_page();
    uint64_t irq;
    void *table;

    if (mfn_x(mfn) == mfn_x(INVALID_MFN))
        return mfn;
    table = short_map(mfn, &irq);
    memset(table, 0, PAGE_SIZE);
    short_unmap(table, irq);
    return mfn;
}

/*
 * From a mapped table of this level to the next one, as Xen's p2m_next_level()
 * does: the next is mapped while this one still is, then this one is released.
 * NULL, with this one released, if there is no next table and none is to be made,
 * or no slot for it (guest_map()).
 */
static lpae_t *next_level(lpae_t *table, unsigned int level, uint64_t ipa, bool make)
{
    lpae_t *entry = &table[pt_index(ipa, level)], *next = NULL;

    if (!pte_valid(*entry) && make) {
        mfn_t mfn = table_new();

        if (mfn_x(mfn) != mfn_x(INVALID_MFN))
            write_s2_pte(entry, paddr_x(mfn_to_paddr(mfn)) | S2_TABLE, level);
    }
    if (pte_valid(*entry))
        next = guest_map(pte_mfn(*entry));
    paced_unmap(table);
    return next;
}

/* The level 3 table of ipa, mapped; NULL if there is none. */
static lpae_t *leaf_table(struct domain *d, uint64_t ipa, bool make)
{
    lpae_t *table;

    if (ipa >> IPA_BITS)
        return NULL;
    table = guest_map(d->stage2);
    for (unsigned int level = ROOT_LEVEL; level < PT_LEVEL_LAST && table; level++)
        table = next_level(table, level, ipa, make);
    return table;
}

int stage2_map(struct domain *d, uint64_t ipa, mfn_t mfn)
{
    lpae_t *table = leaf_table(d, ipa, true);

    if (!table)
        return -1;
    CHECK(!pte_valid(table[pt_index(ipa, PT_LEVEL_LAST)]), "d%u: ipa 0x%lx is mapped", d->id, ipa);
    write_s2_pte(&table[pt_index(ipa, PT_LEVEL_LAST)], paddr_x(mfn_to_paddr(mfn)) | S2_PAGE,
                 PT_LEVEL_LAST);
    paced_unmap(table);
    d->frames++;
    return 0;
}

/*
 * TLBI IPAS2E1IS, then what stage 1 made of it: by IPA a TLB need not find
 * combined entries (D8.14.5). The VMID is that of VTTBR_EL2.
 */
static void flush_ipa(const struct domain *d, uint64_t ipa)
{
    uint64_t vttbr = read_sysreg(vttbr_el2);

    write_sysreg(vttbr_el2, stage2_vttbr(d));
    isb();
    dsb_ish();
    tlb_flush_ipa(ipa);
    dsb_ish();
    tlb_flush_guest_stage1();
    dsb_ish();
    isb();
    write_sysreg(vttbr_el2, vttbr);
    isb();
}

/* Everything of this VMID, on every CPU. */
static void flush_all(const struct domain *d)
{
    uint64_t vttbr = read_sysreg(vttbr_el2);

    write_sysreg(vttbr_el2, stage2_vttbr(d));
    isb();
    dsb_ish();
    tlb_flush_guest();
    dsb_ish();
    isb();
    write_sysreg(vttbr_el2, vttbr);
    isb();
}

mfn_t stage2_unmap(struct domain *d, uint64_t ipa)
{
    lpae_t *table = leaf_table(d, ipa, false), *entry;
    mfn_t mfn = INVALID_MFN;

    if (!table)
        return mfn;
    entry = &table[pt_index(ipa, PT_LEVEL_LAST)];
    if (pte_valid(*entry)) {
        mfn = pte_mfn(*entry);
        write_s2_pte(entry, 0, PT_LEVEL_LAST);
        flush_ipa(d, ipa);
        d->frames--;
    }
    paced_unmap(table);
    return mfn;
}

mfn_t stage2_lookup(struct domain *d, uint64_t ipa)
{
    lpae_t *table = leaf_table(d, ipa, false);
    mfn_t mfn = INVALID_MFN;

    if (!table)
        return mfn;
    if (pte_valid(table[pt_index(ipa, PT_LEVEL_LAST)]))
        mfn = pte_mfn(table[pt_index(ipa, PT_LEVEL_LAST)]);
    paced_unmap(table);
    return mfn;
}

/* What is left to be freed of a table from entry *i on: its next valid entry, or 0. */
static lpae_t next_entry(mfn_t mfn, unsigned int *i)
{
    uint64_t irq;
    const lpae_t *table = short_map(mfn, &irq);
    lpae_t pte = 0;

    while (*i < PT_ENTRIES && !pte_valid(pte))
        pte = table[(*i)++];
    short_unmap(table, irq);
    return pte_valid(pte) ? pte : 0;
}

/* A table and all below it, an entry at a time: giving back must not need slots that are short. */
static void table_free(struct domain *d, mfn_t mfn, unsigned int level)
{
    unsigned int i = 0;
    lpae_t pte;

    while ((pte = next_entry(mfn, &i))) {
        if (level < PT_LEVEL_LAST) {
            table_free(d, pte_mfn(pte), level + 1);
        } else {
            free_domheap_page(pte_mfn(pte));
            d->frames--;
        }
    }
    free_domheap_page(mfn);
}

void stage2_free(struct domain *d)
{
    flush_all(d); /* no vCPU runs: nothing is cached of it any more */
    table_free(d, d->stage2, ROOT_LEVEL);
    CHECK(d->frames == 0, "d%u: %lu frames are not accounted for", d->id, d->frames);
    d->stage2 = INVALID_MFN;
}
