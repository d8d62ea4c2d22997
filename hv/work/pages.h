/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A set of scattered pages that one CPU's work owns, each with its pattern. */
#ifndef HV_WORK_PAGES_H
#define HV_WORK_PAGES_H

#include "core/pace.h"
#include "work/pattern.h"

#define PAGES_MAX 512

struct pages {
    mfn_t *mfn; /* NULL: the set is empty */
    unsigned int nr;
};

/* The seed of every page of every set: their frames tell them apart. */
#define PAGES_SEED UINT64_C(0x5041474553)

/*
 * Allocate and fill up to n pages (PAGES_MAX at most). With less memory the
 * set is smaller, which `who` says on the console, once.
 */
void pages_make(struct pages *set, unsigned int n, const char *who);

/* Scrub them and give them back. */
void pages_free(struct pages *set);

/* A random one of a set that is not empty. */
mfn_t pages_pick(const struct pages *set);

/* Map, verify, unmap. */
void pages_verify_one(mfn_t mfn);

#endif /* HV_WORK_PAGES_H */
