/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In place of hv/arch/trace_site.h where an engine is measured alone: there are no sites. */
#ifndef HV_ARCH_TRACE_SITE_H
#define HV_ARCH_TRACE_SITE_H

#include <hvscope/beacon.h>
#include <hvscope/trace.h>
#include <stdbool.h>

#define ALWAYS_INLINE inline __attribute__((always_inline))

#define TRACE_SITE_ALL               1
#define TRACE_BARRIER(barrier, code) asm volatile(barrier : : : "memory")
#define trace_site(class)            ((void)(class), false)

#endif /* HV_ARCH_TRACE_SITE_H */
