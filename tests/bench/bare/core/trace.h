/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In place of hv/core/trace.h where the benchmark builds an engine alone:
 * nothing is recorded and nothing counted, as in a hypervisor without tools.
 */
#ifndef HV_CORE_TRACE_H
#define HV_CORE_TRACE_H

#include "arch/sysreg.h"
#include "core/beacon.h"

static inline void trace_begin(void)
{
}

static inline void trace_commandeer(unsigned int slot, lpae_t was, mfn_t mfn)
{
    (void)slot, (void)was, (void)mfn;
}

static inline void trace_map(mfn_t mfn, unsigned int slot, unsigned int refs, bool hit,
                             unsigned int probe, const void *caller)
{
    (void)mfn, (void)slot, (void)refs, (void)hit, (void)probe, (void)caller;
}

static inline void trace_done(void)
{
}

static inline void trace_unmap(mfn_t mfn, unsigned int slot, unsigned int refs, const void *caller)
{
    (void)mfn, (void)slot, (void)refs, (void)caller;
}

static inline void trace_bypass(mfn_t mfn, const void *caller)
{
    (void)mfn, (void)caller;
}

#endif /* HV_CORE_TRACE_H */
