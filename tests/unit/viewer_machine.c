/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "viewer_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void put_header(struct fake_source *fake)
{
    struct image_header h = {
        .image_size = 0x100000,
        .beacon_offset = BEACON_PA - HEADER_PA,
        .beacon_magic = BEACON_IMAGE_MAGIC,
        .magic = IMAGE_MAGIC,
    };

    fake_put(fake, HEADER_PA, &h, sizeof(h));
}

static void put_beacon(struct fake_source *fake, unsigned int ncpu)
{
    struct beacon b = {
        .magic = BEACON_MAGIC,
        .version = BEACON_VERSION,
        .size = sizeof(b),
        .boot_id = 0x1234,
        .state = BEACON_MAPCACHE_READY,
        .ncpu = ncpu,
        .image_pa = HEADER_PA,
        .image_size = 0x100000,
        .cntfrq = 62500000,
        .tcr = 0x80843510,
        .domheap_va = 0x7f8000000000,
        .domheap_size = 0x80000000,
        .domheap_entries = 1024,
        .l0_index = 255,
        .slot_attr = 0x0040000000000f7d,
        .trace_mode = TRACE_API,
        .cpu_offset = CPU_OFFSET,
        .cpu_stride = CPU_STRIDE,
        .nr_banks = 1,
        .bank = {{RAM_START, BANK_SIZE}},
    };

    fake_put(fake, BEACON_PA, &b, sizeof(b));
}

static void put_cpu(struct fake_source *fake, unsigned int cpu)
{
    struct beacon_cpu c = {
        .state = BEACON_CPU_ON,
        .mpidr = cpu,
        .root = ROOT_PA(cpu),
        .generation = 100,
        .ring = RINGS_PA + cpu * RING_SIZE * sizeof(struct trace_record),
        .ring_entries = RING_SIZE,
    };

    fake_put(fake, CPU_PA(cpu), &c, sizeof(c));
    fake_put_u64(fake, ROOT_PA(cpu) + 255 * 8, L1_PA(cpu) | 0xf7f);
    fake_put_u64(fake, L1_PA(cpu), L2_PA(cpu) | 0xf7f);
    fake_put_u64(fake, L1_PA(cpu) + 8, (L2_PA(cpu) + 0x1000) | 0xf7f);
}

struct fake_source *machine_make(unsigned int ncpu)
{
    struct fake_source *fake = fake_open(RAM_START, RAM_SIZE);

    assert_non_null(fake);
    put_header(fake);
    put_beacon(fake, ncpu);
    for (unsigned int cpu = 0; cpu < ncpu; cpu++)
        put_cpu(fake, cpu);
    return fake;
}

void machine_put_u32(struct fake_source *fake, uint64_t pa, uint32_t value)
{
    fake_put(fake, pa, &value, sizeof(value));
}

struct snapshot *machine_snapshot(const struct fake_source *fake)
{
    struct machine m;
    struct failure f;
    struct snapshot *snap;

    assert_int_equal(machine_read(&fake->src, NULL, &m, &f), MACHINE_OK);
    snap = snapshot_new(m.beacon.ncpu);
    assert_non_null(snap);
    assert_int_equal(snapshot_read(&fake->src, &m, snap, &f), 0);
    return snap;
}

void machine_populate(struct fake_source *fake, unsigned int ncpu)
{
    for (unsigned int refs = 0; refs < 16; refs++)
        fake_put_u64(fake, SLOT_PA(0, 36 + refs), SLOT_PTE(0x84800000u + refs * 0x200000u, refs));
    fake_put_u64(fake, SLOT_PA(0, 130), UINT64_C(0x0080000000000000));
    fake_put_u64(fake, SLOT_PA(0, 700), SLOT_PTE(UINT64_C(0x10000000), 1));
    fake_put_u64(fake, SLOT_PA(0, 1023), SLOT_PTE(UINT64_C(0x84800000), 2));
    for (unsigned int cpu = 1; cpu < ncpu; cpu++) {
        for (unsigned int i = 0; i < 40; i++)
            fake_put_u64(fake, SLOT_PA(cpu, (i * 37 + cpu * 5) % 1024),
                         SLOT_PTE(0x80000000u + i * 0x200000u, i % 5 ? 0 : i % 7));
    }
}

void machine_add_event(struct fake_source *fake, unsigned int cpu, uint64_t ticks,
                       enum trace_kind kind, uint64_t mfn, unsigned int slot, unsigned int refs)
{
    struct trace_record r = {
        .head = ticks | (uint64_t)kind << 48,
        .what = mfn | (uint64_t)slot << 36 | (uint64_t)refs << 46,
        .caller = 0xa0000206280,
    };
    uint64_t head;
    size_t ring = cpu * RING_SIZE * sizeof(r);

    assert_int_equal(source_read_u64(&fake->src, CPU_FIELD(cpu, ring_head), &head), 0);
    fake_put(fake, RINGS_PA + ring + head % RING_SIZE * sizeof(r), &r, sizeof(r));
    fake_put_u64(fake, CPU_FIELD(cpu, ring_head), head + 1);
}
