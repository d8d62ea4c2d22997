/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the workload "selftest" share. */
#ifndef HV_WORK_SELFTEST_H
#define HV_WORK_SELFTEST_H

#include "mm/domain_page.h"

#define SLOTS DOMHEAP_ENTRIES

/*
 * A frame that nothing touches and no directmap has, its home slot b; so has
 * block b + SLOTS. From 512 GiB on.
 */
#define FRAME(block) _mfn((uint64_t)((block) + (1 << 18)) << SLOT_MFN_SHIFT)

/* Is what must be so? Runs with all slots free and interrupts masked; gives back what it maps. */
struct check {
    const char *name;
    bool (*run)(void);
};

/* Checks of one kind of engine; a NULL name ends each list. */
extern const struct check selftest_probe[]; /* xen, bbm: home slots and a search from there */
extern const struct check selftest_clock[];

/* A page of the domheap; without one the test is over. */
mfn_t page_new(void);

static inline unsigned int slot_of(const void *p)
{
    return (unsigned int)(((uintptr_t)p - DOMHEAP_VIRT_START) >> SLOT_SHIFT);
}

/* The entry of the slot that p lies in. */
static inline lpae_t entry_of(const void *p)
{
    return this_cpu(xen_dommap)[slot_of(p)];
}

#endif /* HV_WORK_SELFTEST_H */
