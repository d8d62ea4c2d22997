/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stage-2 tables: 4 KiB granule, 39-bit IPA, so the walk starts at level 1
 * with one root page (Arm ARM D8.2.8). Tables are pages of the domheap,
 * reached by map_domain_page() only. The domain's lock is held.
 */
#ifndef HV_GUEST_STAGE2_H
#define HV_GUEST_STAGE2_H

#include "guest/guest.h"
#include <hvscope/pte.h>

/* VTCR_EL2 and VTTBR_EL2 of a domain. */
uint64_t stage2_vtcr(void);
uint64_t stage2_vttbr(const struct domain *d);

/* Map a frame at ipa, which must not be mapped. -1 without memory for a table. */
int stage2_map(struct domain *d, uint64_t ipa, mfn_t mfn);

/* Take the page at ipa out, out of every TLB too. INVALID_MFN if there was none. */
mfn_t stage2_unmap(struct domain *d, uint64_t ipa);

/* The frame at ipa, INVALID_MFN if there is none. */
mfn_t stage2_lookup(struct domain *d, uint64_t ipa);

/* Free every frame and every table, the root included. */
void stage2_free(struct domain *d);

#endif /* HV_GUEST_STAGE2_H */
