/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Selftest of the engines that have home slots: "xen" and "bbm". */
#include "core/beacon.h"
#include "mm/page_alloc.h"
#include "work/pattern.h"
#include "work/selftest.h"

/* By contents: the first frame's translation is in the TLB when the second one takes the slot. */
static bool commandeer(void)
{
    mfn_t mfn = page_new();
    unsigned int home = mapcache_home(mfn, SLOTS);
    uint64_t *p = map_domain_page(mfn), before = this_cpu(beacon_cpu)->commandeers;
    const void *rival;
    bool ok;

    pattern_fill(p, mfn, 2);
    unmap_domain_page(p);
    rival = map_domain_page(_mfn(mfn_x(mfn) + SLOTS * (SLOT_MFN_MASK + 1)));
    ok = rival == p && this_cpu(beacon_cpu)->commandeers == before + 1;
    unmap_domain_page(rival);
    p = map_domain_page(mfn);
    pattern_verify(p, mfn, 2);
    ok &= slot_of(p) == home;
    unmap_domain_page(p);
    free_domheap_page(mfn);
    return ok;
}

static bool displaced(void)
{
    const void *p = map_domain_page(FRAME(5)), *q = map_domain_page(FRAME(5 + SLOTS));
    bool ok = slot_of(p) == 5 && slot_of(q) == 6;

    unmap_domain_page(p);
    unmap_domain_page(q);
    return ok;
}

static bool duplicate(void)
{
    const void *first = map_domain_page(FRAME(5)), *there = map_domain_page(FRAME(5 + SLOTS));
    const void *again;
    bool ok;

    unmap_domain_page(first);
    again = map_domain_page(FRAME(5 + SLOTS));
    ok = slot_of(there) == 6 && slot_of(again) == 5 &&
         mfn_x(pte_mfn(entry_of(again))) == mfn_x(pte_mfn(entry_of(there)));
    unmap_domain_page(there);
    unmap_domain_page(again);
    return ok;
}

static bool wrap_around(void)
{
    const void *p = map_domain_page(FRAME(SLOTS - 1)), *q = map_domain_page(FRAME(2 * SLOTS - 1));
    bool ok = slot_of(p) == SLOTS - 1 && slot_of(q) == 0;

    unmap_domain_page(p);
    unmap_domain_page(q);
    return ok;
}

static bool last_slot(void)
{
    const void *p;
    bool ok;

    for (unsigned int i = 0; i < SLOTS - 1; i++)
        map_domain_page(FRAME(i));
    p = map_domain_page(FRAME(3 * SLOTS));
    ok = slot_of(p) == SLOTS - 1;
    for (unsigned int i = 0; i < SLOTS - 1; i++)
        unmap_domain_page((char *)DOMHEAP_VIRT_START + i * SLOT_SIZE);
    unmap_domain_page(p);
    return ok && mapcache_refs() == 0;
}

const struct check selftest_probe[] = {
    {"commandeer: the other frame is not seen any more", commandeer},
    {"displaced: the next slot when home is taken", displaced},
    {"duplicate: a search ends at count 0", duplicate},
    {"wrap-around: slot 0 comes after the last", wrap_around},
    {"the last slot is found", last_slot},
    {NULL, NULL},
};
