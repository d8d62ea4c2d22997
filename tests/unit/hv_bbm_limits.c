/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checker: what it cannot know, has no room for, or does not judge. */
#include "bbm_world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* After a loss nothing is known of what that CPU can write; of the rest it is. */
static void test_loss(void **state)
{
    struct world w;

    (void)state;
    world_make(&w, 0, true, false);
    world_do(&w, "S0 Dst");
    bbm_lost(w.bbm, 0, 7);
    world_do(&w, "Sb");
    assert_int_equal(bbm_totals(w.bbm).hazards, 0);
    assert_int_equal(bbm_totals(w.bbm).unjudged, 1);
    assert_int_equal(bbm_totals(w.bbm).lost, 7);
    world_free(&w);
    world_make(&w, 0, true, false);
    world_do(&w, "S0 Dst");
    bbm_lost(w.bbm, 1, 7);
    world_do(&w, "Sb");
    assert_int_equal(bbm_totals(w.bbm).hazards, 1);
    assert_int_equal(bbm_totals(w.bbm).unjudged, 0);
    world_free(&w);
}

static void test_stage_2_is_not_judged(void **state)
{
    struct world w;

    (void)state;
    world_make(&w, 0, true, false);
    world_event(&w, (struct bbm_event){.kind = BBM_STORE,
                                       .foreign = true,
                                       .pa = w.table + WORLD_INDEX * 8,
                                       .new = BLOCK_B});
    world_event(&w, (struct bbm_event){.kind = BBM_TLBI, .op = TRACE_TLBI_VMALLS12E1});
    assert_int_equal(bbm_totals(w.bbm).events, 2);
    assert_int_equal(bbm_nr_findings(w.bbm), 0);
    world_free(&w);
}

/* Another CPU's event less than a microsecond away, and no ticket: the order is not certain. */
static void test_certainty(void **state)
{
    (void)state;
    for (unsigned int far = 0; far < 2; far++) {
        struct bbm_config config = {.ncpu = 2, .known = true, .pages = 4, .ghosts = 4};
        uint64_t root[PT_ENTRIES] = {[255] = 0x2000 | PTE_XEN_TABLE};
        uint64_t l1[PT_ENTRIES] = {[0] = BLOCK_A};
        struct world w = {.memory = malloc(bbm_size(&config))};

        w.bbm = bbm_init(w.memory, &config);
        bbm_table(w.bbm, 0x1000, 0, 0, root);
        bbm_table(w.bbm, 0x2000, 1, PRIVATE_VA, l1);
        bbm_root(w.bbm, 0, 0x1000);
        bbm_root(w.bbm, 1, 0x1000);
        bbm_event(w.bbm, &(struct bbm_event){
                             .kind = BBM_BARRIER, .cpu = 1, .code = TRACE_DSB_ISH, .time = 5000});
        bbm_event(w.bbm, &(struct bbm_event){.kind = BBM_STORE,
                                             .pa = 0x2000,
                                             .old = BLOCK_A,
                                             .new = UINT64_C(0xc0000000) | PTE_XEN_BLOCK,
                                             .time = far ? 6500 : 5500});
        assert_int_equal(bbm_totals(w.bbm).violations, 1);
        assert_int_equal(bbm_finding(w.bbm, 0)->certain, far);
        world_free(&w);
    }
}

/* Of what a TLB may hold there is room for four: no fifth; flushed, there is room again. */
static void test_room(void **state)
{
    struct bbm_config config = {.ncpu = 1, .known = true, .pages = 4, .ghosts = 4};
    uint64_t root[PT_ENTRIES] = {[255] = 0x2000 | PTE_XEN_TABLE}, l1[PT_ENTRIES], before, *after;
    struct world w = {.memory = malloc(bbm_size(&config) + sizeof(*after))};

    (void)state;
    for (unsigned int i = 0; i < PT_ENTRIES; i++)
        l1[i] = BLOCK_A;
    after = (uint64_t *)((char *)w.memory + bbm_size(&config));
    *after = before = UINT64_C(0x5a5a5a5a5a5a5a5a);
    w.bbm = bbm_init(w.memory, &config);
    bbm_table(w.bbm, 0x1000, 0, 0, root);
    bbm_table(w.bbm, 0x2000, 1, PRIVATE_VA, l1);
    bbm_root(w.bbm, 0, 0x1000);
    for (unsigned int round = 1; round <= 3; round++) {
        for (unsigned int i = 0; i < 6; i++)
            bbm_event(w.bbm, &(struct bbm_event){.kind = BBM_STORE,
                                                 .pa = 0x2000 + (round * 8 + i) * 8,
                                                 .old = BLOCK_A});
        assert_int_equal(bbm_totals(w.bbm).unjudged, 2 * round);
        bbm_event(w.bbm, &(struct bbm_event){.kind = BBM_BARRIER, .code = TRACE_DSB_ISH});
        bbm_event(w.bbm, &(struct bbm_event){.kind = BBM_TLBI, .op = TRACE_TLBI_ALLE2});
        bbm_event(w.bbm, &(struct bbm_event){.kind = BBM_BARRIER, .code = TRACE_DSB_ISH});
    }
    assert_int_equal(*after, before);
    world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_stage_2_is_not_judged),
        cmocka_unit_test(test_certainty),
        cmocka_unit_test(test_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
