/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/fault.h"
#include "arch/timer.h"
#include "core/cmdline.h"
#include "core/pace.h"
#include "core/printk.h"
#include "core/trace_all.h"
#include "mm/bootmem.h"
#include "mm/page_alloc.h"
#include "mm/pgtable.h"
#include "work/pattern.h"
#include "work/work.h"
#include <stddef.h>

const char *const fault_names[] = {
    [FAULT_NONE] = "none",
    [FAULT_SKIP_TLBI] = "skip-tlbi",
    [FAULT_FORGET_UNMAP] = "forget-unmap",
    [FAULT_DOUBLE_UNMAP] = "double-unmap",
    [FAULT_STALE_WRITE] = "stale-write",
    [FAULT_CORRUPT_L2] = "corrupt-l2",
    [FAULT_SHARE_L2] = "share-l2",
    NULL,
};

/* Frames that have the same home slot are so far apart. */
#define SAME_HOME (DOMHEAP_VIRT_SIZE >> PAGE_SHIFT)

static bool page_get(mfn_t *mfn)
{
    *mfn = alloc_domheap_page();
    return mfn_x(*mfn) != mfn_x(INVALID_MFN);
}

static bool skip_tlbi(void)
{
    mapcache_skip_tlbi = true;
    return true;
}

static bool forget_unmap(void)
{
    mfn_t mfn;

    return page_get(&mfn) && map_domain_page(mfn);
}

static bool double_unmap(void)
{
    const void *p;
    mfn_t mfn;

    if (!page_get(&mfn))
        return false;
    p = map_domain_page(mfn);
    unmap_domain_page(p);
    unmap_domain_page(p);
    return p;
}

/* Another frame of RAM with the home slot of this one. */
static bool rival_of(mfn_t mfn, mfn_t *rival)
{
    for (unsigned int i = 0; i < nr_ram_banks; i++) {
        uint64_t first = ram_bank[i].base >> PAGE_SHIFT, n = ram_bank[i].size >> PAGE_SHIFT;

        *rival = mfn_add(mfn, SAME_HOME);
        if (mfn_x(*rival) - first < n)
            return true;
        *rival = _mfn(mfn_x(mfn) - SAME_HOME);
        if (mfn_x(*rival) - first < n)
            return true;
    }
    return false;
}

#define STALE_WRITES 64 /* most that are tried */

/*
 * The rival is mapped, not touched: it may be anyone's. The slot is the victim's
 * afterwards, unless somebody holds it, or an interrupt's map took it in between:
 * then nothing was hit, which the victim's pattern shows.
 */
static void stale_write_to(mfn_t victim, mfn_t rival)
{
    volatile uint64_t *stale = map_domain_page(rival);
    uint64_t *page, irq;

    unmap_domain_page((const void *)stale);
    page = short_map(victim, &irq);
    pattern_fill(page, victim, 0);
    short_unmap(page, irq);
    if (stale)
        stale[7] = 0;
    page = short_map(victim, &irq);
    pattern_verify(page, victim, 0);
    short_unmap(page, irq);
}

/* Ends in a panic, sooner or later; another frame each time, which has another slot. */
static bool stale_write(void)
{
    mfn_t victim, rival;

    for (unsigned int i = 0; i < STALE_WRITES; i++) {
        if (!page_get(&victim) || !rival_of(victim, &rival))
            return false;
        stale_write_to(victim, rival);
    }
    return false;
}

/* Held by corrupt_l2(). */
static const void *corrupted;

/* In a slot that stays held, so that it is there whenever a tool looks. NS is ignored here. */
static bool corrupt_l2(void)
{
    lpae_t *entry;
    mfn_t mfn;

    if (!page_get(&mfn))
        return false;
    corrupted = paced_map(mfn);
    work_keep(corrupted);
    if (!domain_page_is_slot(corrupted))
        return false;
    entry = &this_cpu(xen_dommap)[((uintptr_t)corrupted - DOMHEAP_VIRT_START) >> SLOT_SHIFT];
    write_pte(entry, *entry ^ PTE_NS);
    return true;
}

static bool share_l2(void)
{
    unsigned int last = DOMHEAP_SECOND_PAGES - 1;
    const lpae_t *theirs;
    lpae_t *first;

    if (cpus_online() < 2 || !per_cpu(xen_dommap, 1))
        return false;
    trace_slots_shared = true;
    theirs = per_cpu(xen_dommap, 1) + (size_t)last * PT_ENTRIES;
    first = xen_map_table(pte_mfn(this_cpu(xen_pgtable)[DOMHEAP_L0_INDEX]));
    if (!first)
        return false;
    write_pte(&first[pt_index(DOMHEAP_VIRT_START, 1) + last],
              paddr_x(virt_to_paddr(theirs)) | PTE_XEN_TABLE);
    xen_unmap_table(first);
    return true;
}

static bool (*const make[])(void) = {
    [FAULT_SKIP_TLBI] = skip_tlbi,       [FAULT_FORGET_UNMAP] = forget_unmap,
    [FAULT_DOUBLE_UNMAP] = double_unmap, [FAULT_STALE_WRITE] = stale_write,
    [FAULT_CORRUPT_L2] = corrupt_l2,     [FAULT_SHARE_L2] = share_l2,
};

void fault_poll(void)
{
    static uint64_t due;
    static bool done;

    if (options.fault == FAULT_NONE || done)
        return;
    if (!due)
        due = timer_now() + FAULT_DELAY * timer_frequency();
    if (timer_now() < due)
        return;
    done = true;
    printk("fault on purpose: %s\n", fault_names[options.fault]);
    if (!make[options.fault]())
        printk("fault %s: this machine has not what it needs\n", fault_names[options.fault]);
}

void fault_end(void)
{
    work_unkeep(corrupted);
    paced_unmap(corrupted);
    corrupted = NULL;
}
