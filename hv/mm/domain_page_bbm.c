/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engine "bbm": engine "xen" made compliant with the Arm ARM by two edits.
 *   1. A slot that is commandeered while its entry is valid is broken first:
 *      invalid entry, DSB, TLBI, DSB (RDDMVT; the tables are this PE's alone,
 *      so non-shareable barriers and a local TLBI are enough, RPSMWS).
 *   2. No flush on a hit. The one of engine "xen" is there only because its
 *      slots change owner without a break; here the TLB never holds a frame
 *      that the entry has not got.
 *
 * Two variants show what these edits cost in other hands (hv.mk builds them for
 * the benchmark):
 *   BBM_WRITE_PTE     the stores are Xen's write_pte(), a DSB SY on each side
 *   BBM_FLUSH_ALWAYS  edit 1 only: every map still ends with the flush
 */
#include "arch/irq.h"
#include "core/trace.h"
#include "mm/directmap.h"
#include "mm/domain_page_slot.h"
#include "mm/pgtable.h"

#ifndef BBM_WRITE_PTE
#define BBM_WRITE_PTE 0
#endif
#ifndef BBM_FLUSH_ALWAYS
#define BBM_FLUSH_ALWAYS 0
#endif

const uint32_t mapcache_engine = BEACON_ENGINE_BBM;
const char mapcache_engine_name[] = "bbm";

/* All that this engine knows is in the slots. */
void mapcache_engine_init(unsigned int cpu)
{
    (void)cpu;
}

/* There is no reserve: a full table is the end. */
void mapcache_urgent_begin(void)
{
}

void mapcache_urgent_end(void)
{
}

/* A store that this PE's walker sees before anything that comes after. */
static MAPCACHE_TEXT void slot_store(lpae_t *entry, lpae_t pte)
{
    if (BBM_WRITE_PTE) {
        write_pte(entry, pte);
        return;
    }
    pte_store(entry, pte);
    dsb_nshst();
}

/* Break: when this returns, neither the table nor the TLB has the slot's old frame. */
static MAPCACHE_TEXT void slot_break(lpae_t *entry, vaddr_t va)
{
    slot_store(entry, 0);
    slot_flush(va);
    dsb_nsh();
}

/* Make. An invalid entry is never cached (IWZCBG): no TLBI. The ISB is for this PE's next access.
 */
static MAPCACHE_TEXT void slot_make(lpae_t *entry, lpae_t pte)
{
    slot_store(entry, pte);
    isb();
}

/* The search is that of engine "xen", quirks included: domain_page_xen.c. */
MAPCACHE_TEXT void *map_domain_page(mfn_t mfn)
{
    mfn_t slot_mfn = slot_mfn_of(mfn);
    unsigned int home = mapcache_home(mfn, DOMHEAP_ENTRIES);
    unsigned int probe, slot = home, refs = 0;
    bool hit = false;
    lpae_t *map, pte;
    uint64_t flags;
    vaddr_t va;

    if (arch_mfns_in_directmap(mfn_x(mfn), 1)) {
        trace_bypass(mfn, __builtin_return_address(0));
        return mfn_to_virt(mfn);
    }

    flags = local_irq_save();
    map = this_cpu(xen_dommap);
    trace_begin();

    for (probe = 0; probe < DOMHEAP_ENTRIES; probe++) {
        slot = (home + probe) % DOMHEAP_ENTRIES;
        pte = map[slot];
        refs = pte_refs(pte);
        if (refs < PTE_REFS_MAX && slot_maps(pte, slot_mfn)) {
            hit = true;
            refs++;
            pte_set_refs(&map[slot], pte_with_refs(pte, refs));
            break;
        } else if (refs == 0) {
            refs = 1;
            if (pte != 0) /* valid, as nobody holds it */
                slot_break(&map[slot], slot_va(slot, mfn));
            slot_make(&map[slot], pte_with_refs(mfn_to_xen_entry(slot_mfn, MAIR_NORMAL), refs));
            trace_commandeer(slot, pte, mfn);
            break;
        }
    }
    if (probe == DOMHEAP_ENTRIES)
        mapcache_panic_full(map, mfn);

    trace_map(mfn, slot, refs, hit, probe, __builtin_return_address(0));
    local_irq_restore(flags);

    va = slot_va(slot, mfn);
    if (BBM_FLUSH_ALWAYS) {
        dsb_nshst();
        slot_flush(va);
        dsb_nsh();
        isb();
    }
    return (void *)vaddr_x(va);
}

MAPCACHE_TEXT void unmap_domain_page(const void *ptr)
{
    uint64_t offset = (uintptr_t)ptr - DOMHEAP_VIRT_START;
    unsigned int slot = offset >> SLOT_SHIFT, refs;
    lpae_t *map, pte;
    uint64_t flags;

    /* NULL and directmap addresses included: map_domain_page() may not have mapped. */
    if (offset >= DOMHEAP_VIRT_SIZE)
        return;

    flags = local_irq_save();
    map = this_cpu(xen_dommap);
    trace_begin();

    pte = map[slot];
    refs = pte_refs(pte);
    CHECK(refs > 0, "unmap of %p: slot %u has count 0, entry 0x%lx", ptr, slot, pte);
    refs--;
    pte_set_refs(&map[slot], pte_with_refs(pte, refs));

    trace_unmap(mfn_add(pte_mfn(pte), (offset >> PAGE_SHIFT) & SLOT_MFN_MASK), slot, refs,
                __builtin_return_address(0));
    local_irq_restore(flags);
}
