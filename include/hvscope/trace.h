/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The event ring: one a CPU, one producer (that CPU, interrupts masked).
 *
 * A ring is an array of records in physical memory, found through the
 * beacon's block of that CPU, which also holds the head: the number of
 * records ever written. Record i is at index i % entries. The producer fills
 * one record, or a group of at most TRACE_GROUP_MAX, then stores the new head
 * with release semantics, so a reader
 *   1. loads head (acquire), 2. copies records, 3. loads head again;
 * record i is whole if i + entries >= second head + TRACE_GROUP_MAX: the
 * producer may be writing the next group. What a reader cannot have any more
 * is counted as lost.
 *
 * Nothing here depends on whose events they are: the image writes them for
 * itself, a tracer can write them for any hypervisor.
 *
 * Word 0 has the time and the kind; word 3 the barrier word (but not in PTE,
 * whose DETAIL has it); the rest depends on the kind:
 *
 *   kind      more, [63:52] of word 0   word 1              word 2
 *   MAP       0                         what (below)        return address of the call
 *   UNMAP     0                         what                return address
 *   BYPASS    0                         what: mfn only      return address
 *   PTE       place                     PA of the entry     old entry; word 3: new entry
 *     DETAIL  0; [47:0] ticket          PC of the store     sides before it (below)
 *   REFS      place, old count          PA of the entry     new entry
 *   TLBI      operation, scope          register operand    PC
 *   TTBR      0                         TTBR0_EL2           PC
 *   IRQ       0                         interrupt number    interrupted PC
 *   TEXT      enum trace_text           bytes 0-7           bytes 8-15
 *     DETAIL  1; [47:0] 0               the next 16 bytes; as many as it takes
 *   BARRIERS  0                         sides before it     barriers before its word's first
 *
 * place: level of the table, if it is known, and enum trace_regime. REFS is a
 * PTE of which only the software count in [58:55] changes. A ticket is 0, or
 * the place of this store among those to tables that several CPUs can walk.
 *
 * Barriers have no records of their own. The barrier word holds, as 4-bit codes
 * (enum trace_barrier), all barriers since the last BARRIERS record that were
 * complete when this record was made: the newest in [3:0], the first below the
 * mark, which is the topmost nibble that is not 0. Those that the record before
 * did not have came between the two. A word without room is spilled as a
 * BARRIERS record, and begins anew. 0 is a word without barriers, too.
 * Stores and TLBIs are recorded before they are issued, barriers when they are
 * complete.
 *
 * Sequence numbers: events and barriers, in order, from 0, without a gap; a
 * barrier's is below that of the record that carries it. BARRIERS and DETAIL
 * are *sides*: they have none. So the event of record i has the number
 *     i - sides before i + barriers in BARRIERS records before i + codes in its word.
 * Those records say how many there were before, and so does the CPU's block
 * (ring_sides, ring_barriers), stored after the head that includes them. A reader
 * that loads the block's numbers before the head finds each later one in the
 * ring: no number has to be guessed after a loss.
 */
#ifndef HVSCOPE_TRACE_H
#define HVSCOPE_TRACE_H

#include <hvscope/pte.h>
#include <stdint.h>

#define TRACE_RING_ENTRIES 4096 /* default; the beacon says how many there are */
#define TRACE_GROUP_MAX    8    /* records that are published together */

enum trace_mode {
    TRACE_OFF, /* no records */
    TRACE_API, /* a record a map and an unmap */
    TRACE_ALL, /* entry stores, TLBIs, barriers and interrupts too */
};

enum trace_kind {
    TRACE_NONE,
    TRACE_MAP,
    TRACE_UNMAP,
    TRACE_BYPASS, /* map_domain_page() returned a directmap address */
    TRACE_PTE,    /* an entry is stored; a DETAIL follows */
    TRACE_REFS,   /* the same, and only its software count changes */
    TRACE_TLBI,
    TRACE_TTBR, /* TTBR0_EL2 is written */
    TRACE_IRQ,  /* an interrupt is taken in EL2 */
    TRACE_TEXT,
    TRACE_BARRIERS,
    TRACE_DETAIL,
    TRACE_KINDS
};

struct trace_record {
    uint64_t head;
    uint64_t what;
    uint64_t caller;
    uint64_t barriers;
};

_Static_assert(sizeof(struct trace_record) == 32, "record size is part of the format");

/* Word 0: [47:0] CNTPCT_EL0, [51:48] kind, [63:52] by kind. */
#define TRACE_TIME_MASK  ((UINT64_C(1) << 48) - 1)
#define TRACE_KIND_SHIFT 48
#define TRACE_KIND_MASK  UINT64_C(15)
#define TRACE_MORE_SHIFT 52
#define TRACE_MORE_MASK  UINT64_C(0xfff)

/* What MAP, UNMAP and BYPASS say; hit and probe: MAP only. */
#define TRACE_MFN_MASK    ((UINT64_C(1) << 36) - 1)
#define TRACE_SLOT_SHIFT  36
#define TRACE_SLOT_MASK   UINT64_C(1023)
#define TRACE_REFS_SHIFT  46
#define TRACE_REFS_MASK   UINT64_C(15)
#define TRACE_HIT_SHIFT   50
#define TRACE_PROBE_SHIFT 51
#define TRACE_PROBE_MASK  UINT64_C(1023)

/* Bits of "more" in PTE and REFS. */
#define TRACE_LEVEL_MASK     3u
#define TRACE_LEVEL_KNOWN    (1u << 2)
#define TRACE_REGIME_SHIFT   4
#define TRACE_REGIME_MASK    3u
#define TRACE_OLD_REFS_SHIFT 6
#define TRACE_OLD_REFS_MASK  15u

enum trace_regime {
    TRACE_REGIME_EL2, /* stage 1 of EL2 */
    TRACE_REGIME_S2,  /* stage 2 */
    TRACE_REGIME_EL1, /* stage 1 of EL1 */
};

/* Bits of "more" in TLBI: an operation, and how far it goes. */
enum trace_tlbi {
    TRACE_TLBI_ALLE2,
    TRACE_TLBI_VAE2,
    TRACE_TLBI_VALE2,
    TRACE_TLBI_RVAE2,
    TRACE_TLBI_RVALE2,
    TRACE_TLBI_IPAS2E1,
    TRACE_TLBI_VMALLE1,
    TRACE_TLBI_VMALLS12E1,
    TRACE_TLBI_ALLE1,
    TRACE_TLBI_OTHER, /* by range, of EL1 or of IPAs; EL3's */
    TRACE_TLBI_VAE1,
    TRACE_TLBI_VALE1,
    TRACE_TLBI_VAAE1,
    TRACE_TLBI_VAALE1,
    TRACE_TLBI_ASIDE1,
    TRACE_TLBI_OPS
};
#define TRACE_TLBI_OP_MASK     15u
#define TRACE_TLBI_SCOPE_SHIFT 4 /* enum trace_scope */
#define TRACE_TLBI_SCOPE_MASK  3u
#define TRACE_TLBI_ASID_SHIFT  48 /* in the operands of VAE1, VALE1 and ASIDE1 */

enum trace_scope {
    TRACE_SCOPE_LOCAL, /* this PE */
    TRACE_SCOPE_INNER, /* ...IS */
    TRACE_SCOPE_OUTER, /* ...OS */
};

enum trace_text {
    TRACE_TEXT_BOOT,
    TRACE_TEXT_FINDING,
    TRACE_TEXT_PANIC,
};
#define TRACE_TEXT_BYTES  16 /* a record */
#define TRACE_DETAIL_TEXT 1u /* "more" of a DETAIL that goes on with a text */

/*
 * A barrier: ISB, or a DSB as CRm of its encoding has it: [3:2] domain, [1:0]
 * type (Arm ARM C6.2, "DSB"). A DSB of type 0 does not exist, so 4 and 8 are
 * free. The mark has its top bit set: a full word is a negative number.
 */
enum trace_barrier {
    TRACE_DSB_OSHLD = 1,
    TRACE_DSB_OSHST = 2,
    TRACE_DSB_OSH = 3,
    TRACE_ISB = 4,
    TRACE_DSB_NSHLD = 5,
    TRACE_DSB_NSHST = 6,
    TRACE_DSB_NSH = 7,
    TRACE_BARRIER_MARK = 8,
    TRACE_DSB_ISHLD = 9,
    TRACE_DSB_ISHST = 10,
    TRACE_DSB_ISH = 11,
    TRACE_DSB_LD = 13,
    TRACE_DSB_ST = 14,
    TRACE_DSB_SY = 15,
};

#define TRACE_BARRIER_BITS  4
#define TRACE_BARRIERS_MAX  15 /* codes in a full word */
#define TRACE_BARRIERS_NONE ((uint64_t)TRACE_BARRIER_MARK)

#define TRACE_DSB_TYPE_MASK    3u /* of a code: 1 loads, 2 stores, 3 both */
#define TRACE_DSB_TYPE_LD      1u
#define TRACE_DSB_TYPE_ST      2u
#define TRACE_DSB_DOMAIN_SHIFT 2 /* 0 outer, 1 non-, 2 inner shareable, 3 full system */

/* How many codes a barrier word holds; one that has no mark (0) holds none. */
static inline unsigned int trace_barrier_count(uint64_t word)
{
    return word ? (unsigned int)(63 - __builtin_clzll(word)) / TRACE_BARRIER_BITS : 0;
}

/* The n-th code of a word, the first has n = 0. */
static inline enum trace_barrier trace_barrier_at(uint64_t word, unsigned int n)
{
    unsigned int shift = (trace_barrier_count(word) - 1 - n) * TRACE_BARRIER_BITS;

    return (enum trace_barrier)(word >> shift & 15);
}

#endif /* HVSCOPE_TRACE_H */
