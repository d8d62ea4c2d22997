/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers of C that trace_spill.S has; trace_all.c says that they are right. */
#ifndef HV_ARCH_TRACE_SPILL_H
#define HV_ARCH_TRACE_SPILL_H

/* Offsets in struct beacon_cpu. */
#define CPU_RING_HEAD     72
#define CPU_RING_VA       160
#define CPU_RING_SIDES    168
#define CPU_RING_BARRIERS 176

#define TRACE_SITE_CHECK_CLASS 2
#define RING_ENTRIES_SHIFT     12
#define KIND_BARRIERS          10 /* of a record: shifted to [51:48] */
#define WORD_BARRIERS          15 /* codes in a word that is full */
#define WORD_EMPTY             8

#endif /* HV_ARCH_TRACE_SPILL_H */
