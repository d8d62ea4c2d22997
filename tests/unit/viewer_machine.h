/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hand-made machine on the fake source: image header, beacon, CPUs, tables.
 * What is expected of it is written in the tests, by hand.
 */
#ifndef TESTS_VIEWER_MACHINE_H
#define TESTS_VIEWER_MACHINE_H

#include "model/mapcache.h"
#include "source/fake.h"

#include <hvscope/trace.h>

#define RAM_START  UINT64_C(0x40000000)
#define RAM_SIZE   UINT64_C(0x1000000) /* 16 MiB of it can be read */
#define BANK_SIZE  UINT64_C(0x100000000)
#define HEADER_PA  (RAM_START + 0x200000)
#define BEACON_PA  (HEADER_PA + 0x10000)
#define CPU_OFFSET 0x1000u
#define CPU_STRIDE 320u
#define TABLES_PA  UINT64_C(0x40300000) /* four pages a CPU: root, L1, L2, L2 */
#define RINGS_PA   UINT64_C(0x40800000)
#define RING_SIZE  16u

#define ROOT_PA(cpu)    (TABLES_PA + (cpu)*0x4000u)
#define L1_PA(cpu)      (ROOT_PA(cpu) + 0x1000)
#define L2_PA(cpu)      (ROOT_PA(cpu) + 0x2000)
#define SLOT_PA(cpu, s) (L2_PA(cpu) + (s)*8u)
#define CPU_PA(cpu)     (BEACON_PA + CPU_OFFSET + (cpu)*CPU_STRIDE)
#define BEACON_FIELD(f) (BEACON_PA + offsetof(struct beacon, f))
#define CPU_FIELD(c, f) (CPU_PA(c) + offsetof(struct beacon_cpu, f))

/* A usual slot entry: the block at pa, count refs. */
#define SLOT_PTE(pa, refs) (UINT64_C(0x0040000000000f7d) | (pa) | (uint64_t)(refs) << 55)

/* ncpu CPUs, all on, all slots free, mapcache ready. */
struct fake_source *machine_make(unsigned int ncpu);

/* Change one 32-bit field of the beacon or of a CPU's block. */
void machine_put_u32(struct fake_source *fake, uint64_t pa, uint32_t value);

/* Read it all; both must succeed. free() the result. */
struct snapshot *machine_snapshot(const struct fake_source *fake);

/* Some slots in every state on CPU0, a few on the others: what screens show. */
void machine_populate(struct fake_source *fake, unsigned int ncpu);

/* A record at the head of the CPU's ring. */
void machine_add_event(struct fake_source *fake, unsigned int cpu, uint64_t ticks,
                       enum trace_kind kind, uint64_t mfn, unsigned int slot, unsigned int refs);

#endif /* TESTS_VIEWER_MACHINE_H */
