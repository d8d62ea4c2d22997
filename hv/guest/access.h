/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A guest's memory, by its own virtual addresses, a page at a time. */
#ifndef HV_GUEST_ACCESS_H
#define HV_GUEST_ACCESS_H

#include "guest/guest.h"

/*
 * IPA behind a virtual address of the vCPU that is current here, by the CPU's
 * own walk of the guest's stage 1. False if the guest does not map it so.
 */
bool guest_va_to_ipa(uint64_t va, bool write, uint64_t *ipa);

/* What is done with n bytes of a guest's page that are mapped at p. */
typedef void guest_action(void *p, uint64_t n, void *context);

/*
 * Run an action on [va, va + bytes), page by page: translate, walk stage 2,
 * map. False if part of it is not mapped; what came before it is done then.
 */
bool guest_memory(struct vcpu *v, uint64_t va, uint64_t bytes, bool write, guest_action *action,
                  void *context);

/*
 * paced_map() for a hypercall. NULL if there is no slot; then guest_map_refused()
 * is true until the next hypercall begins, and the call is to be made again.
 */
void *guest_map(mfn_t mfn);
bool guest_map_refused(void);
void guest_map_begin(void);

#endif /* HV_GUEST_ACCESS_H */
