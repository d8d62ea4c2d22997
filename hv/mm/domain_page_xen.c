/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engine "xen": the algorithm of "xen/arm64: Implement a mapcache for arm64",
 * quirks included. Not compliant with the Arm ARM: a commandeered slot gets a
 * new output address while its old translation is live (RFVQCK).
 */
#include "arch/irq.h"
#include "core/trace.h"
#include "mm/directmap.h"
#include "mm/domain_page_slot.h"
#include "mm/pgtable.h"

const uint32_t mapcache_engine = BEACON_ENGINE_XEN;
const char mapcache_engine_name[] = "xen";

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

/*
 * The slots are an open-addressed hash table. Each is in one of three states:
 *   - invalid, or valid with count 0: it can be commandeered,
 *   - this frame with count < 15: share it,
 *   - another frame, or count 15: look at the next one.
 * The first that fits ends the search, so a match behind a count-0 slot is not
 * found, and a frame may have several slots.
 */
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
            write_pte(&map[slot], pte_with_refs(mfn_to_xen_entry(slot_mfn, MAIR_NORMAL), refs));
            trace_commandeer(slot, pte, mfn);
            break;
        }
    }
    if (probe == DOMHEAP_ENTRIES)
        mapcache_panic_full(map, mfn);

    trace_map(mfn, slot, refs, hit, probe, __builtin_return_address(0));
    local_irq_restore(flags);

    va = slot_va(slot, mfn);

    /* The slot may have had another frame: whatever the TLB holds of it must go. */
    dsb_nshst();
    slot_flush(va);
    dsb_nsh();
    isb();
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
