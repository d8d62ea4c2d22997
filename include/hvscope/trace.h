/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event ring: one a CPU, one producer (that CPU, interrupts masked).
 *
 * A ring is an array of records in physical memory, found through the
 * beacon's block of that CPU, which also holds the head: the number of
 * records ever written. Record i is at index i % entries. The producer fills
 * the record, then stores head + 1 with release semantics, so a reader
 *   1. loads head (acquire), 2. copies records, 3. loads head again;
 * record i is whole if i + entries > second head + 1: the producer may already
 * be writing the record after the one it is about to publish. What a reader
 * cannot have any more is counted as lost.
 */
#ifndef HVSCOPE_TRACE_H
#define HVSCOPE_TRACE_H

#include <hvscope/pte.h>
#include <stdint.h>

#define TRACE_RING_ENTRIES 4096 /* default; the beacon says how many there are */

enum trace_mode {
    TRACE_OFF, /* no records */
    TRACE_API, /* a record a map and an unmap */
};

enum trace_kind {
    TRACE_NONE,
    TRACE_MAP,
    TRACE_UNMAP,
    TRACE_BYPASS, /* map_domain_page() returned a directmap address */
};

/*
 * head:   [47:0] CNTPCT_EL0, [51:48] kind, [63:52] zero
 * what:   [35:0] mfn, [45:36] slot, [49:46] count afterwards, [50] hit,
 *         [60:51] probe (map only)
 * caller: return address of the call
 */
struct trace_record {
    uint64_t head;
    uint64_t what;
    uint64_t caller;
    uint64_t reserved;
};

_Static_assert(sizeof(struct trace_record) == 32, "record size is part of the format");

#define TRACE_TIME_MASK   ((UINT64_C(1) << 48) - 1)
#define TRACE_KIND_SHIFT  48
#define TRACE_KIND_MASK   UINT64_C(15)
#define TRACE_MFN_MASK    ((UINT64_C(1) << 36) - 1)
#define TRACE_SLOT_SHIFT  36
#define TRACE_SLOT_MASK   UINT64_C(1023)
#define TRACE_REFS_SHIFT  46
#define TRACE_REFS_MASK   UINT64_C(15)
#define TRACE_HIT_SHIFT   50
#define TRACE_PROBE_SHIFT 51
#define TRACE_PROBE_MASK  UINT64_C(1023)

#endif /* HVSCOPE_TRACE_H */
