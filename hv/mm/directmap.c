/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/directmap.h"
#include "mm/bootmem.h"
#include "mm/pgtable.h"

static struct beacon_bank mapped[BEACON_BANKS_MAX];
static unsigned int nr_mapped;

bool arch_mfns_in_directmap(uint64_t mfn, uint64_t nr)
{
    uint64_t pa = mfn << PAGE_SHIFT, bytes = nr << PAGE_SHIFT;

    for (unsigned int i = 0; i < nr_mapped; i++) {
        if (pa - mapped[i].base < mapped[i].size && bytes <= mapped[i].size - (pa - mapped[i].base))
            return true;
    }
    return false;
}

static void directmap_add(uint64_t base, uint64_t size)
{
    if (base + size > DIRECTMAP_SIZE)
        panic("RAM at 0x%lx is beyond the directmap's 5 TiB", base + size);
    if (map_pages_to_xen(_vaddr(DIRECTMAP_VIRT_START + base), paddr_to_mfn(_paddr(base)),
                         size >> PAGE_SHIFT, PAGE_HYPERVISOR_RW))
        panic("no memory for the directmap's tables");
    mapped[nr_mapped++] = (struct beacon_bank){base, size};
}

void directmap_init(bool on, mfn_t xenheap, uint64_t nr)
{
    if (!on) {
        directmap_add(paddr_x(mfn_to_paddr(xenheap)), nr << PAGE_SHIFT);
        return;
    }
    for (unsigned int i = 0; i < nr_ram_banks; i++)
        directmap_add(ram_bank[i].base, ram_bank[i].size);
}
