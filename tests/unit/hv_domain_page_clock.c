/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Engine "clock" on the fake machine: what it does, step by step, and that its index holds
 * together. */
#include "clock_index.h"
#include "core/beacon.h"
#include "core/cmdline.h"
#include "core/trace.h"
#include "fake.h"
#include "mm/directmap.h"
#include "mm/domain_page.h"
#include "mm/pgtable.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SLOTS       DOMHEAP_ENTRIES
#define ROOM        (SLOTS - CLOCK_RESERVE) /* what is no interrupt may have */
#define BATCH_RANGE 16
#define BATCH_VA    8

/* The first frame of a 2 MiB block. */
#define FRAME(block) _mfn((uint64_t)(block) << SLOT_MFN_SHIFT)

static void start(enum clock_policy policy, bool range)
{
    fake_reset();
    options.mapcache = policy;
    options.zap_limit = 64;
    fake_tlb_has_range = range;
    for (unsigned int cpu = 0; cpu < 2; cpu++)
        fake_cpu_start(cpu);
}

static int setup(void **state)
{
    (void)state;
    start(CLOCK_LAZY, true);
    return 0;
}

static const struct clock_index *index_of(unsigned int cpu)
{
    return (const struct clock_index *)(uintptr_t)per_cpu(beacon_cpu, cpu)->clock_index;
}

static lpae_t slot(unsigned int n)
{
    return this_cpu(xen_dommap)[n];
}

static unsigned int slot_of(const void *p)
{
    return ((uintptr_t)p - DOMHEAP_VIRT_START) >> SLOT_SHIFT;
}

static void index_is_whole(void)
{
    assert_null(clock_index_fault(index_of(fake_cpu), this_cpu(xen_dommap)));
}

/* Map, and check that an access through the pointer reaches this frame. */
static void *map(mfn_t mfn)
{
    void *p = map_domain_page(mfn);

    assert_non_null(p);
    assert_int_equal(fake_translate((uintptr_t)p), mfn_x(mfn));
    return p;
}

/* Map and unmap the first frame of blocks from to from + n - 1. */
static void touch(unsigned int from, unsigned int n)
{
    for (unsigned int i = from; i < from + n; i++)
        unmap_domain_page(map(FRAME(i)));
}

static void test_make_hit_unmap(void **state)
{
    void *p, *q;

    (void)state;
    fake_notes_clear();
    p = map(_mfn(0x84821));
    assert_int_equal((uintptr_t)p, DOMHEAP_VIRT_START + 0x21000);
    assert_int_equal(slot(0), 0x0040000000000f7d | 0x84800000ul | 1ul << 55);
    assert_string_equal(fake_notes, "wI");
    q = map(_mfn(0x84822));
    unmap_domain_page(p);
    unmap_domain_page(q);
    p = map(_mfn(0x84823));
    assert_string_equal(fake_notes, "wI");
    assert_int_equal(pte_refs(slot(0)), 1);
    assert_int_equal(this_cpu(beacon_cpu)->hits, 2);
    unmap_domain_page(p);
    assert_int_equal(slot_state(slot(0), PTE_XEN_BLOCK, true), SLOT_CACHED);
    index_is_whole();
}

static void test_saturation_takes_a_second_slot(void **state)
{
    void *p[40];

    (void)state;
    for (unsigned int i = 0; i < 40; i++)
        p[i] = map(FRAME(5));
    assert_int_equal(pte_refs(slot(0)), 15);
    assert_int_equal(pte_refs(slot(1)), 15);
    assert_int_equal(pte_refs(slot(2)), 10);
    index_is_whole();
    for (unsigned int i = 0; i < 40; i++)
        unmap_domain_page(p[i]);
    assert_int_equal(mapcache_refs(), 0);
    index_is_whole();
}

static void test_reclaim_in_batches(void **state)
{
    (void)state;
    touch(0, ROOM);
    assert_int_equal(index_of(0)->nr_free, CLOCK_RESERVE);
    fake_notes_clear();
    unmap_domain_page(map(FRAME(SLOTS)));
    assert_string_equal(fake_notes, "wRnwI");
    assert_int_equal(index_of(0)->nr_free, CLOCK_RESERVE + BATCH_RANGE - 1);
    assert_int_equal(this_cpu(beacon_cpu)->commandeers, BATCH_RANGE);
    index_is_whole();
    fake_notes_clear();
    touch(SLOTS + 1, BATCH_RANGE - 1);
    assert_null(strchr(fake_notes, 'R'));
    index_is_whole();
}

static void test_reclaim_without_range(void **state)
{
    (void)state;
    start(CLOCK_LAZY, false);
    touch(0, ROOM);
    fake_notes_clear();
    unmap_domain_page(map(FRAME(SLOTS)));
    assert_string_equal(fake_notes, "wTTTTTTTTnwI");
    assert_int_equal(index_of(0)->nr_free, CLOCK_RESERVE + BATCH_VA - 1);
    index_is_whole();
}

/* What was found again since the hand came by stays; the frame mapped last too. */
static void test_second_chance(void **state)
{
    (void)state;
    touch(0, ROOM + 1); /* takes slots 0 to 15 */
    touch(20, 1);
    touch(SLOTS + 1, BATCH_RANGE); /* takes 16 to 39 but for one: whole words of states */
    assert_int_equal(pte_valid(slot(20)), true);
    assert_int_equal(mfn_x(pte_mfn(slot(20))), mfn_x(FRAME(20)));
    assert_int_equal(index_of(0)->reclaims, 2);
    assert_int_equal(index_of(0)->reclaimed, BATCH_RANGE + 3 * CLOCK_STATES_SLOTS - 1);
    assert_int_equal(index_of(0)->hand, BATCH_RANGE + 3 * CLOCK_STATES_SLOTS);
    index_is_whole();
}

/* A range would take more translations of others than it takes victims: one by one then. */
static void test_sparse_victims_are_flushed_one_by_one(void **state)
{
    (void)state;
    touch(0, ROOM);
    for (unsigned int i = 0; i < ROOM; i++) {
        if (i % 8)
            touch(i, 1);
    }
    fake_notes_clear();
    touch(SLOTS, 1);
    assert_string_equal(fake_notes, "wTTTTTTTTTTTTTTTTnwI");
    for (unsigned int i = 0; i < BATCH_RANGE * 8; i++)
        assert_int_equal(pte_valid(slot(i)), i % 8 != 0 || i == 120);
    assert_int_equal(index_of(0)->hand, BATCH_RANGE * 8);
    index_is_whole();
}

/* What is held when the hand comes by is as if found again: it goes last. */
static void test_held_slots_are_passed(void **state)
{
    void *p[16];

    (void)state;
    for (unsigned int i = 0; i < 16; i++)
        p[i] = map(FRAME(i));
    touch(16, ROOM - 16);
    touch(SLOTS, 1); /* takes slots 16 to 31 */
    for (unsigned int i = 0; i < 16; i++) {
        assert_int_equal(pte_refs(slot(i)), 1);
        unmap_domain_page(p[i]);
    }
    touch(SLOTS + 1, ROOM); /* once round, to what was made last */
    for (unsigned int i = 0; i < 16; i++)
        assert_int_equal(mfn_x(pte_mfn(slot(i))), mfn_x(FRAME(i)));
    index_is_whole();
}

/* The hand goes round and past where it began: victims may come before the first one. */
static void test_arc_of_more_than_a_turn(void **state)
{
    void *p[SLOTS];

    (void)state;
    mapcache_urgent_begin(); /* so that the reserve is there to be taken */
    for (unsigned int i = 0; i < SLOTS; i++)
        p[i] = map(FRAME(i));
    unmap_domain_page(p[10]); /* idle: cold */
    unmap_domain_page(p[100]);
    for (unsigned int i = 5; i < 8; i++) {
        unmap_domain_page(p[i]);
        unmap_domain_page(map(FRAME(i))); /* hot */
    }
    map(FRAME(SLOTS)); /* five victims: 10 and 100, and 5, 6, 7 the second time */
    assert_int_equal(index_of(0)->nr_free, 4);
    for (unsigned int i = 0; i < 4; i++)
        map(FRAME(2 * SLOTS + i)); /* checks the translation: nothing old is left */
    mapcache_urgent_end();
    index_is_whole();
}

static void test_full_is_an_error(void **state)
{
    unsigned int n = 0;

    (void)state;
    while (map_domain_page(FRAME(n)))
        n++;
    assert_int_equal(n, SLOTS - CLOCK_RESERVE);
    assert_int_equal(index_of(0)->refused, 1);
    assert_int_equal(this_cpu(beacon_cpu)->generation % 2, 0);
    assert_int_equal(mapcache_refs(), n);
    map(FRAME(3)); /* a frame that is there needs no slot */
    mapcache_urgent_begin();
    for (unsigned int i = 0; i < CLOCK_RESERVE; i++)
        map(FRAME(n + i));
    assert_null(map_domain_page(FRAME(n + CLOCK_RESERVE)));
    mapcache_urgent_end();
    index_is_whole();
}

/* What an interrupt took of the reserve is free again when it ends. */
static void test_reserve_comes_back(void **state)
{
    void *p;

    (void)state;
    for (unsigned int n = 0; map_domain_page(FRAME(n));)
        n++;
    mapcache_urgent_begin();
    p = map(FRAME(2 * SLOTS));
    unmap_domain_page(p);
    assert_int_equal(index_of(0)->nr_free, CLOCK_RESERVE - 1);
    mapcache_urgent_end();
    assert_int_equal(index_of(0)->nr_free, CLOCK_RESERVE);
    assert_null(map_domain_page(FRAME(2 * SLOTS)));
    index_is_whole();
}

static void test_zap(void **state)
{
    void *p, *q;

    (void)state;
    start(CLOCK_ZAP, true);
    p = map(FRAME(5));
    q = map(FRAME(5));
    fake_notes_clear();
    unmap_domain_page(q);
    assert_int_equal(pte_refs(slot(0)), 1);
    unmap_domain_page(p);
    assert_int_equal(slot(0), 0);
    assert_int_equal(index_of(0)->nr_owed, 1);
    assert_string_equal(fake_notes, "");
    index_is_whole();
    p = map(FRAME(5)); /* its own owed slot */
    assert_int_equal(slot_of(p), 0);
    assert_string_equal(fake_notes, "wI");
    assert_int_equal(index_of(0)->nr_owed, 0);
    unmap_domain_page(p);
    touch(6, 62);
    assert_int_equal(index_of(0)->nr_owed, 63);
    fake_notes_clear();
    touch(68, 1);
    assert_string_equal(fake_notes, "wIwRn");
    assert_int_equal(index_of(0)->nr_owed, 0);
    assert_int_equal(index_of(0)->nr_free, SLOTS);
    index_is_whole();
}

static void test_strict(void **state)
{
    (void)state;
    start(CLOCK_STRICT, true);
    fake_notes_clear();
    touch(5, 1);
    assert_string_equal(fake_notes, "wIwTnI");
    assert_int_equal(slot(0), 0);
    assert_int_equal(index_of(0)->nr_free, SLOTS);
    touch(6, 1);
    index_is_whole();
}

static void double_unmap_is_caught(enum clock_policy policy)
{
    void *p;

    start(policy, true);
    p = map(FRAME(5));
    unmap_domain_page(p);
    assert_true(panics(unmap_domain_page(p)));
    assert_non_null(strstr(fake_panic_message, "slot 0 has count 0"));
}

static void test_double_unmap_is_caught(void **state)
{
    (void)state;
    double_unmap_is_caught(CLOCK_LAZY);
    double_unmap_is_caught(CLOCK_ZAP);
    double_unmap_is_caught(CLOCK_STRICT);
}

/* A handler that cannot be masked, in the middle of a map, and maps: caught. */
static void test_map_inside_map_is_caught(void **state)
{
    (void)state;
    trace_begin();
    assert_true(panics(map_domain_page(FRAME(5))));
    assert_non_null(strstr(fake_panic_message, "inside another one"));
}

static void test_directmap_bypass(void **state)
{
    void *p;

    (void)state;
    directmap_init(false, _mfn(0x48200), 0x200);
    p = map_domain_page(_mfn(0x48210));
    assert_int_equal((uintptr_t)p, DIRECTMAP_VIRT_START + 0x48210000);
    assert_int_equal(this_cpu(beacon_cpu)->bypasses, 1);
    assert_int_equal(this_cpu(beacon_cpu)->generation, 0);
    assert_false(fake_irq_masked());
    unmap_domain_page(p);
    assert_int_equal(mapcache_refs(), 0);
}

static void *irq_map;

static void handler_maps(void)
{
    irq_map = map(FRAME(7));
    unmap_domain_page(irq_map);
}

static void test_interrupt_between_break_and_make(void **state)
{
    void *p;

    for (enum clock_policy policy = CLOCK_LAZY; policy <= CLOCK_STRICT; policy++) {
        start(policy, true);
        p = map(FRAME(5));
        fake_irq_handler = handler_maps; /* runs when the unmap is done */
        unmap_domain_page(p);
        assert_null(fake_irq_handler);
        map(FRAME(5));
        index_is_whole();
    }
    (void)state;
}

/* Random maps and unmaps in any order, interrupts among them; beyond what an earlier test put in
 * the directmap. */
static void random_run(enum clock_policy policy, bool range)
{
    struct {
        void *p;
        mfn_t mfn;
    } open[900];
    unsigned int n = 0;

    start(policy, range);
    for (unsigned int i = 0; i < 100000; i++) {
        if (n < 900 && (n == 0 || random() % 100 < 51)) {
            mfn_t mfn = _mfn(((uint64_t)random() % 3000 + 1000) * 512 + (uint64_t)(random() % 512));

            open[n].mfn = mfn;
            open[n++].p = map(mfn);
        } else {
            unsigned int k = (unsigned int)random() % n;

            assert_int_equal(fake_translate((uintptr_t)open[k].p), mfn_x(open[k].mfn));
            fake_irq_handler = handler_maps;
            unmap_domain_page(open[k].p);
            open[k] = open[--n];
        }
        if (i % 1000 == 0) {
            assert_int_equal(mapcache_refs(), n);
            index_is_whole();
        }
    }
}

static void test_random_sequences(void **state)
{
    (void)state;
    srandom(1);
    for (enum clock_policy policy = CLOCK_LAZY; policy <= CLOCK_STRICT; policy++) {
        random_run(policy, true);
        random_run(policy, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_make_hit_unmap, setup),
        cmocka_unit_test_setup(test_saturation_takes_a_second_slot, setup),
        cmocka_unit_test_setup(test_reclaim_in_batches, setup),
        cmocka_unit_test_setup(test_reclaim_without_range, setup),
        cmocka_unit_test_setup(test_second_chance, setup),
        cmocka_unit_test_setup(test_sparse_victims_are_flushed_one_by_one, setup),
        cmocka_unit_test_setup(test_held_slots_are_passed, setup),
        cmocka_unit_test_setup(test_arc_of_more_than_a_turn, setup),
        cmocka_unit_test_setup(test_full_is_an_error, setup),
        cmocka_unit_test_setup(test_reserve_comes_back, setup),
        cmocka_unit_test_setup(test_zap, setup),
        cmocka_unit_test_setup(test_strict, setup),
        cmocka_unit_test_setup(test_double_unmap_is_caught, setup),
        cmocka_unit_test_setup(test_map_inside_map_is_caught, setup),
        cmocka_unit_test_setup(test_directmap_bypass, setup),
        cmocka_unit_test_setup(test_interrupt_between_break_and_make, setup),
        cmocka_unit_test_setup(test_random_sequences, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
