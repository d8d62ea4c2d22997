/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is the same for every engine: set-up, global maps, and the way back. */
#include "mm/domain_page.h"
#include "core/beacon.h"
#include "core/cmdline.h"
#include "core/printk.h"
#include "core/string.h"
#include "core/trace.h"
#include "mm/directmap.h"
#include "mm/page_alloc.h"
#include "mm/pgtable.h"
#include "mm/vmap.h"

/* Slots from the home slot, and last events, that a full table's report shows. */
#define FULL_SHOWN 8

DEFINE_PER_CPU(lpae_t *, xen_dommap);
DEFINE_PER_CPU(bool, mapcache_urgent);
bool mapcache_skip_tlbi;

/* The boot CPU maps pages before there is a heap to take these from. */
lpae_t cpu0_dommap[DOMHEAP_ENTRIES] __attribute__((aligned(8192), section(".bss.page_aligned")));

static lpae_t *domheap_alloc(unsigned int cpu)
{
    if (cpu == 0)
        return cpu0_dommap;
    return alloc_xenheap_pages(order_from_bytes(DOMHEAP_SECOND_PAGES * PAGE_SIZE));
}

/* What the command line asks for and this engine has not got. */
static void options_check(void)
{
    if (mapcache_engine != BEACON_ENGINE_CLOCK && options.mapcache != CLOCK_LAZY)
        printk("command line: mapcache=: engine %s has no policies: ignored\n",
               mapcache_engine_name);
}

bool init_domheap_mappings(unsigned int cpu)
{
    lpae_t *root = per_cpu(xen_pgtable, cpu);
    lpae_t *domheap = domheap_alloc(cpu);
    unsigned int first_idx = pt_index(DOMHEAP_VIRT_START, 1);
    lpae_t *first;

    CHECK(root && !per_cpu(xen_dommap, cpu), "CPU%u: root %p", cpu, (void *)root);
    if (!domheap || create_xen_table(&root[DOMHEAP_L0_INDEX]))
        return false;
    memset(domheap, 0, DOMHEAP_SECOND_PAGES * PAGE_SIZE);

    first = xen_map_table(pte_mfn(root[DOMHEAP_L0_INDEX]));
    for (unsigned int i = 0; i < DOMHEAP_SECOND_PAGES; i++) {
        mfn_t mfn = mfn_add(virt_to_mfn(domheap), i);

        write_pte(&first[first_idx + i], paddr_x(mfn_to_paddr(mfn)) | PTE_XEN_TABLE);
    }
    xen_unmap_table(first);
    per_cpu(xen_dommap, cpu) = domheap;
    mapcache_engine_init(cpu);
    if (cpu == 0)
        options_check();
    beacon_cpu_tables(cpu, root, pte_paddr(root[DOMHEAP_L0_INDEX]), domheap);
    return true;
}

uint64_t mapcache_refs_of(unsigned int cpu)
{
    const lpae_t *map = per_cpu(xen_dommap, cpu);
    uint64_t refs = 0;

    for (unsigned int slot = 0; slot < DOMHEAP_ENTRIES; slot++)
        refs += pte_refs(map[slot]);
    return refs;
}

uint64_t mapcache_refs(void)
{
    return mapcache_refs_of(smp_processor_id());
}

__attribute__((noinline)) void mapcache_full(mfn_t mfn)
{
    asm volatile("" ::"r"(mfn.mfn) : "memory");
}

void mapcache_panic_full(const lpae_t *map, mfn_t mfn)
{
    unsigned int states[SLOT_STATES] = {0}, home = mapcache_home(mfn, DOMHEAP_ENTRIES);

    mapcache_full(mfn);
    for (unsigned int slot = 0; slot < DOMHEAP_ENTRIES; slot++)
        states[slot_state(map[slot], PTE_XEN_BLOCK, true)]++;
    for (unsigned int i = 0; i < SLOT_STATES; i++)
        printk("CPU%u: %u slots %s\n", smp_processor_id(), states[i], slot_state_name(i));
    for (unsigned int i = 0; i < FULL_SHOWN; i++) {
        unsigned int slot = (home + i) % DOMHEAP_ENTRIES;

        printk("CPU%u: slot %u mfn 0x%lx refs %u\n", smp_processor_id(), slot,
               mfn_x(pte_mfn(map[slot])), pte_refs(map[slot]));
    }
    trace_print_last(FULL_SHOWN);
    panic("map_domain_page(0x%lx): all %u slots are in use, %lu references", mfn_x(mfn),
          DOMHEAP_ENTRIES, mapcache_refs());
}

mfn_t domain_page_map_to_mfn(const void *ptr)
{
    uint64_t va = (uintptr_t)ptr;
    lpae_t pte;

    if (va - VMAP_VIRT_START < VMAP_VIRT_SIZE)
        return vmap_to_mfn(ptr);
    if (va - DOMHEAP_VIRT_START >= DOMHEAP_VIRT_SIZE)
        return virt_to_mfn(ptr);
    pte = this_cpu(xen_dommap)[(va - DOMHEAP_VIRT_START) >> SLOT_SHIFT];
    CHECK(pte_refs(pte), "%p is not mapped: slot entry 0x%lx", ptr, pte);
    return mfn_add(pte_mfn(pte), (va >> PAGE_SHIFT) & SLOT_MFN_MASK);
}

void *map_domain_page_global(mfn_t mfn)
{
    return vmap_page(mfn);
}

void unmap_domain_page_global(const void *ptr)
{
    vunmap_page((const void *)((uintptr_t)ptr & ~PAGE_MASK));
}
