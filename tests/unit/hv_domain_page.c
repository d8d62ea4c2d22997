/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Engines "xen" and "bbm", and what all engines share, on the fake machine. */
#include "core/beacon.h"
#include "core/trace.h"
#include "fake.h"
#include "mm/bootmem.h"
#include "mm/directmap.h"
#include "mm/domain_page.h"
#include "mm/pgtable.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SLOTS DOMHEAP_ENTRIES

/* The first frame of a 2 MiB block; blocks b and b + SLOTS have the same home. */
#define FRAME(block) _mfn((uint64_t)(block) << SLOT_MFN_SHIFT)

/* What each engine does beside the stores; the letters are fake.h's. */
static const struct {
    const char *make, *commandeer, *hit;
} does[] = {
    /* write_pte, then the flush that Xen does on every map. */
    [BEACON_ENGINE_XEN] = {.make = "sswTnI", .commandeer = "sswTnI", .hit = "wTnI"},
    /* A break is store, DSB, TLBI, DSB; a make is store, DSB, ISB. */
    [BEACON_ENGINE_BBM] = {.make = "wI", .commandeer = "wTnwI", .hit = ""},
};

static int setup(void **state)
{
    (void)state;
    fake_reset();
    for (unsigned int cpu = 0; cpu < 2; cpu++)
        fake_cpu_start(cpu);
    return 0;
}

static lpae_t slot(unsigned int n)
{
    return this_cpu(xen_dommap)[n];
}

static unsigned int slot_of(const void *p)
{
    return ((uintptr_t)p - DOMHEAP_VIRT_START) >> SLOT_SHIFT;
}

/* Map, and check that an access through the pointer reaches this frame. */
static void *map(mfn_t mfn)
{
    void *p = map_domain_page(mfn);

    assert_int_equal(fake_translate((uintptr_t)p), mfn_x(mfn));
    return p;
}

static void test_init_chain(void **state)
{
    lpae_t *root = this_cpu(xen_pgtable), *first;

    (void)state;
    for (unsigned int i = 0; i < PT_ENTRIES; i++)
        assert_int_equal(pte_is_table(root[i], 0), i == 255);
    assert_int_equal(root[255] & ~PTE_ADDR_MASK, 0xf7f);
    first = xen_map_table(pte_mfn(root[255]));
    for (unsigned int i = 0; i < PT_ENTRIES; i++) {
        if (i < 2)
            assert_int_equal(first[i], ((uintptr_t)this_cpu(xen_dommap) + i * PAGE_SIZE) | 0xf7f);
        else
            assert_int_equal(first[i], 0);
    }
    for (unsigned int i = 0; i < SLOTS; i++)
        assert_int_equal(slot(i), 0);
    assert_ptr_not_equal(per_cpu(xen_dommap, 0), per_cpu(xen_dommap, 1));
}

static void test_miss_writes_xens_entry(void **state)
{
    void *p;

    (void)state;
    fake_notes_clear();
    p = map(_mfn(0x84821));
    /* 0x84821 >> 9 = 0x424 = 1060: home 36, page 0x21 of the block. */
    assert_int_equal((uintptr_t)p, 0x7f8000000000 + 36 * 0x200000ul + 0x21000);
    assert_int_equal(slot(36), 0x0040000000000f7d | 0x84800000ul | 1ul << 55);
    assert_string_equal(fake_notes, does[mapcache_engine].make);
}

static void test_hit_counts(void **state)
{
    void *p = map(FRAME(5)), *q;

    (void)state;
    fake_notes_clear();
    q = map(mfn_add(FRAME(5), 7));
    assert_int_equal((uintptr_t)q - (uintptr_t)p, 7 * PAGE_SIZE);
    assert_int_equal(pte_refs(slot(5)), 2);
    assert_string_equal(fake_notes, does[mapcache_engine].hit);
    assert_int_equal(this_cpu(beacon_cpu)->hits, 1);
}

static void test_unmap_keeps_the_translation(void **state)
{
    void *p = map(FRAME(5));
    lpae_t pte = slot(5);

    (void)state;
    fake_notes_clear();
    unmap_domain_page(p);
    assert_int_equal(slot(5), pte_with_refs(pte, 0));
    assert_int_equal(slot_state(slot(5), PTE_XEN_BLOCK, true), SLOT_CACHED);
    assert_string_equal(fake_notes, "");
    /* Cached: the next map of it is a hit. */
    map(FRAME(5));
    assert_int_equal(this_cpu(beacon_cpu)->hits, 1);
}

static void test_commandeer(void **state)
{
    void *p = map(FRAME(5)), *q;

    (void)state;
    unmap_domain_page(p);
    fake_notes_clear();
    q = map(FRAME(5 + SLOTS)); /* the TLB holds the old frame: map() checks the flush */
    assert_ptr_equal(p, q);
    assert_int_equal(mfn_x(pte_mfn(slot(5))), mfn_x(FRAME(5 + SLOTS)));
    assert_int_equal(pte_refs(slot(5)), 1);
    assert_string_equal(fake_notes, does[mapcache_engine].commandeer);
    assert_int_equal(this_cpu(beacon_cpu)->commandeers, 1);
    assert_int_equal(this_cpu(beacon_cpu)->hits, 0);
}

static void test_displaced_by_a_busy_home(void **state)
{
    void *p = map(FRAME(5)), *q = map(FRAME(5 + SLOTS));

    (void)state;
    assert_int_equal(slot_of(p), 5);
    assert_int_equal(slot_of(q), 6);
    assert_int_equal(mapcache_probe(FRAME(5 + SLOTS), 6, SLOTS), 1);
}

static void test_saturation_takes_a_second_slot(void **state)
{
    void *p[40];

    (void)state;
    for (unsigned int i = 0; i < 40; i++)
        p[i] = map(FRAME(5));
    assert_int_equal(pte_refs(slot(5)), 15);
    assert_int_equal(pte_refs(slot(6)), 15);
    assert_int_equal(pte_refs(slot(7)), 10);
    assert_int_equal(slot_state(slot(5), PTE_XEN_BLOCK, true), SLOT_SATURATED);
    for (unsigned int i = 0; i < 40; i++)
        unmap_domain_page(p[i]);
    assert_int_equal(mapcache_refs(), 0);
}

/* The search ends at the first count-0 slot, even with a match behind it. */
static void test_duplicate_behind_a_free_slot(void **state)
{
    void *first = map(FRAME(5)), *displaced = map(FRAME(5 + SLOTS)), *again;

    (void)state;
    unmap_domain_page(first);
    again = map(FRAME(5 + SLOTS));
    assert_int_equal(slot_of(displaced), 6);
    assert_int_equal(slot_of(again), 5);
    assert_int_equal(mfn_x(pte_mfn(slot(5))), mfn_x(pte_mfn(slot(6))));
}

static void test_probe_wraps_around(void **state)
{
    void *p;

    (void)state;
    map(FRAME(SLOTS - 1));
    p = map(FRAME(2 * SLOTS - 1));
    assert_int_equal(slot_of(p), 0);
    assert_int_equal(mapcache_probe(FRAME(2 * SLOTS - 1), 0, SLOTS), 1);
}

static void test_full_table(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < SLOTS; i++)
        map(FRAME(i));
    assert_int_equal(mapcache_refs(), SLOTS);
    map(FRAME(3)); /* a frame that is there needs no slot */
    assert_true(panics(map_domain_page(FRAME(SLOTS + 3))));
    assert_non_null(strstr(fake_panic_message, "all 1024 slots are in use, 1025 references"));
    assert_non_null(strstr(fake_console, "1024 slots in-use"));
    assert_non_null(strstr(fake_console, "slot 3 mfn 0x600 refs 2"));
}

static void test_last_slot_is_found(void **state)
{
    void *p = NULL;

    (void)state;
    for (unsigned int i = 0; i < SLOTS; i++) {
        void *q = map(FRAME(i));

        if (i == 2)
            p = q;
    }
    unmap_domain_page(p);
    assert_int_equal(slot_of(map(FRAME(SLOTS + 3))), 2);
    assert_int_equal(this_cpu(beacon_cpu)->probes, SLOTS - 1);
}

static void test_unmap_ignores_other_addresses(void **state)
{
    (void)state;
    map(FRAME(0));
    map(FRAME(SLOTS - 1));
    unmap_domain_page(NULL);
    unmap_domain_page((void *)DIRECTMAP_VIRT_START);
    unmap_domain_page((void *)(DOMHEAP_VIRT_START - 1));
    unmap_domain_page((void *)(DOMHEAP_VIRT_START + DOMHEAP_VIRT_SIZE));
    unmap_domain_page((void *)UINT64_MAX);
    assert_int_equal(mapcache_refs(), 2);
    assert_int_equal(this_cpu(beacon_cpu)->unmaps, 0);
}

static void test_double_unmap_is_caught(void **state)
{
    void *p = map(FRAME(5));

    (void)state;
    unmap_domain_page(p);
    assert_true(panics(unmap_domain_page(p)));
    assert_non_null(strstr(fake_panic_message, "slot 5 has count 0"));
}

static void test_directmap_bypass(void **state)
{
    void *p;

    (void)state;
    directmap_init(false, _mfn(0x48200), 0x200);
    p = map_domain_page(_mfn(0x48210));
    assert_int_equal((uintptr_t)p, DIRECTMAP_VIRT_START + 0x48210000);
    assert_int_equal(mapcache_refs(), 0);
    assert_int_equal(this_cpu(beacon_cpu)->bypasses, 1);
    unmap_domain_page(p);
    assert_int_equal(slot_of(map(_mfn(0x48400))), (0x48400 >> 9) % SLOTS);
    assert_false(arch_mfns_in_directmap(0x483ff, 2));
    assert_true(arch_mfns_in_directmap(0x483ff, 1));
}

static void test_map_to_mfn(void **state)
{
    void *global;

    (void)state;
    assert_int_equal(mfn_x(domain_page_map_to_mfn(map(_mfn(0x84821)))), 0x84821);
    assert_int_equal(
        mfn_x(domain_page_map_to_mfn((char *)DIRECTMAP_VIRT_START + 0x48210000 + 0x123)), 0x48210);
    global = map_domain_page_global(_mfn(0x99999));
    assert_in_range((uintptr_t)global, VMAP_VIRT_START, VMAP_VIRT_START + VMAP_VIRT_SIZE - 1);
    assert_int_equal(mfn_x(domain_page_map_to_mfn(global)), 0x99999);
    unmap_domain_page_global(global);
    assert_true(panics(domain_page_map_to_mfn(global)));
}

static void test_release_in_any_order(void **state)
{
    void *p[6];

    (void)state;
    for (unsigned int i = 0; i < 6; i++)
        p[i] = map(FRAME(5 + i % 3 * SLOTS)); /* three frames, one home, two maps of each */
    for (unsigned int i = 0; i < 6; i += 2)
        unmap_domain_page(p[i]); /* the oldest first */
    for (unsigned int i = 1; i < 6; i += 2) {
        assert_int_equal(fake_translate((uintptr_t)p[i]), mfn_x(FRAME(5 + i % 3 * SLOTS)));
        unmap_domain_page(p[i]);
    }
    assert_int_equal(mapcache_refs(), 0);
}

static void *irq_map;

/* Runs as soon as the outer map has interrupts on: in Xen before the flush. */
static void handler_maps(void)
{
    irq_map = map(FRAME(5 + SLOTS));
    assert_true(fake_irq_masked());
    unmap_domain_page(irq_map);
}

static void handler_keeps(void)
{
    irq_map = map(FRAME(5));
}

static void test_interrupt_inside_map(void **state)
{
    void *p;

    (void)state;
    fake_irq_handler = handler_maps;
    p = map(FRAME(5));
    assert_int_equal(slot_of(p), 5);
    assert_int_equal(slot_of(irq_map), 6);
    assert_int_equal(mapcache_refs(), 1);

    fake_irq_handler = handler_keeps;
    unmap_domain_page(p);
    assert_int_equal(mapcache_refs(), 1);
    assert_int_equal(fake_translate((uintptr_t)irq_map), mfn_x(FRAME(5)));
    assert_false(fake_irq_masked());
}

static void test_cpus_do_not_share_slots(void **state)
{
    void *p = map(FRAME(5));

    (void)state;
    fake_cpu = 1;
    assert_int_equal(slot(5), 0);
    assert_ptr_equal(map(FRAME(5 + SLOTS)), p); /* the same VA, another frame */
    fake_cpu = 0;
    assert_int_equal(fake_translate((uintptr_t)p), mfn_x(FRAME(5)));
}

static void test_generation_is_even_outside(void **state)
{
    void *p = map(FRAME(5));

    (void)state;
    assert_int_equal(this_cpu(beacon_cpu)->generation, 2);
    unmap_domain_page(p);
    assert_int_equal(this_cpu(beacon_cpu)->generation, 4);
}

static const struct trace_record *record(uint64_t n)
{
    const struct trace_record *ring =
        (const struct trace_record *)(uintptr_t)this_cpu(beacon_cpu)->ring;

    return &ring[n % TRACE_RING_ENTRIES];
}

static void test_ring_records(void **state)
{
    void *p;

    (void)state;
    assert_true(trace_init_cpu(0));
    map(FRAME(5));
    p = map(_mfn(0x84821 - 31 * 512)); /* home 5 of another block: one slot further */
    unmap_domain_page(p);
    assert_int_equal(this_cpu(beacon_cpu)->ring_head, 3);
    assert_int_equal(record(1)->head >> TRACE_KIND_SHIFT, TRACE_MAP);
    assert_int_equal(record(1)->what, (0x84821 - 31 * 512) | 6ul << 36 | 1ul << 46 | 1ul << 51);
    assert_int_not_equal(record(1)->caller, 0);
    assert_int_equal(record(2)->head >> TRACE_KIND_SHIFT, TRACE_UNMAP);
    assert_int_equal(record(2)->what, (0x84821 - 31 * 512) | 6ul << 36);
    for (unsigned int i = 0; i < TRACE_RING_ENTRIES; i++)
        unmap_domain_page(map(FRAME(9)));
    assert_int_equal(this_cpu(beacon_cpu)->ring_head, 3 + 2 * TRACE_RING_ENTRIES);
}

/* Random maps and unmaps, in any order, against counts that the test keeps. */
static void test_random_sequences(void **state)
{
    struct {
        void *p;
        mfn_t mfn;
    } open[200];
    unsigned int n = 0;

    (void)state;
    srandom(1);
    for (unsigned int i = 0; i < 200000; i++) {
        if (n < 200 && (n == 0 || random() % 2)) {
            mfn_t mfn = _mfn((uint64_t)(random() % 40) * 512 * 512 + (uint64_t)(random() % 3));

            open[n].mfn = mfn;
            open[n++].p = map(mfn);
        } else {
            unsigned int k = (unsigned int)random() % n;

            assert_int_equal(fake_translate((uintptr_t)open[k].p), mfn_x(open[k].mfn));
            unmap_domain_page(open[k].p);
            open[k] = open[--n];
        }
        if (i % 1000 == 0)
            assert_int_equal(mapcache_refs(), n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_init_chain, setup),
        cmocka_unit_test_setup(test_miss_writes_xens_entry, setup),
        cmocka_unit_test_setup(test_hit_counts, setup),
        cmocka_unit_test_setup(test_unmap_keeps_the_translation, setup),
        cmocka_unit_test_setup(test_commandeer, setup),
        cmocka_unit_test_setup(test_displaced_by_a_busy_home, setup),
        cmocka_unit_test_setup(test_saturation_takes_a_second_slot, setup),
        cmocka_unit_test_setup(test_duplicate_behind_a_free_slot, setup),
        cmocka_unit_test_setup(test_probe_wraps_around, setup),
        cmocka_unit_test_setup(test_full_table, setup),
        cmocka_unit_test_setup(test_last_slot_is_found, setup),
        cmocka_unit_test_setup(test_unmap_ignores_other_addresses, setup),
        cmocka_unit_test_setup(test_double_unmap_is_caught, setup),
        cmocka_unit_test_setup(test_directmap_bypass, setup),
        cmocka_unit_test_setup(test_map_to_mfn, setup),
        cmocka_unit_test_setup(test_release_in_any_order, setup),
        cmocka_unit_test_setup(test_interrupt_inside_map, setup),
        cmocka_unit_test_setup(test_cpus_do_not_share_slots, setup),
        cmocka_unit_test_setup(test_generation_is_even_outside, setup),
        cmocka_unit_test_setup(test_ring_records, setup),
        cmocka_unit_test_setup(test_random_sequences, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
