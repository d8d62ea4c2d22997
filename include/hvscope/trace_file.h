/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file that the tracer leaves in a run directory: a memory image of its own,
 * with a beacon, a block a CPU, and rings, as an image has them. A reader of our
 * image's rings reads it as memory that begins at TRACE_FILE_PA:
 *
 *   + 0                   struct trace_file: the beacon first
 *   + beacon.cpu_offset   a struct beacon_cpu for each CPU
 *   + beacon_cpu.ring - TRACE_FILE_PA   the records of that CPU
 *
 * Times are nanoseconds since QEMU started (cntfrq is 10^9), and stop for
 * nobody: a machine that is halted has a gap. The beacon's magic is written last.
 * Of the beacon these have a meaning: magic, version, size, boot_id, state, ncpu,
 * image_pa and image_size (the file itself), cntfrq, tcr, domheap_*, bbm_level,
 * trace_mode, bank[0] (the file); of a block: state, root, ring*, maps, unmaps,
 * hits, commandeers, probes, bypasses.
 */
#ifndef HVSCOPE_TRACE_FILE_H
#define HVSCOPE_TRACE_FILE_H

#include <hvscope/beacon.h>

#define TRACE_FILE_NAME "trace"             /* in the run directory */
#define TRACE_FILE_PA   (UINT64_C(1) << 47) /* beyond the RAM of any machine */

#define TRACE_FILE_ENTRIES       (UINT64_C(1) << 20) /* records a CPU, unless told otherwise */
#define TRACE_FILE_ENTRIES_LEAST (UINT64_C(1) << 12)

/* What was seen, and what could not be recorded. All only grow, but tables. */
struct trace_totals {
    uint64_t aarch32;   /* 1: the guest is AArch32 */
    uint64_t calls;     /* 1: map_domain_page() and unmap_domain_page() are known */
    uint64_t entries;   /* records a ring was to have; ring_entries is what the disk had room for */
    uint64_t tables;    /* pages that are tables now, in every regime that is followed */
    uint64_t refused;   /* tables of EL2 and stage 2 outside RAM or beyond memory: not followed */
    uint64_t foreign;   /* root registers written under E2H, with another granule or with LPA2 */
    uint64_t unmatched; /* maps and unmaps whose slot's store was not seen inside the call */
    uint64_t open_calls; /* calls that did not return before their CPU's room for open ones ended */
};

struct trace_file {
    struct beacon beacon;
    struct trace_totals totals;
};

#endif /* HVSCOPE_TRACE_FILE_H */
