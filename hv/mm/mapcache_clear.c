/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/tlb.h"
#include "mm/domain_page.h"
#include "mm/pte_store.h"

void mapcache_clear(void)
{
    lpae_t *map = this_cpu(xen_dommap);

    for (unsigned int slot = 0; slot < DOMHEAP_ENTRIES; slot++)
        pte_store(&map[slot], 0);
    dsb_nshst();
    tlb_flush_all_local();
    dsb_nsh();
    isb();
    mapcache_engine_init(smp_processor_id());
}
