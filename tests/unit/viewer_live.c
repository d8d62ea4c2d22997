/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a live snapshot promises: a CPU that is said to be consistent was in
 * that state. A CPU that never rests for long writes a known sequence: update n
 * sets every slot to frame n, one after the other.
 */
#include "viewer_machine.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define SLOTS      1024u
#define EACH       200u /* whole readings and torn ones that must have been seen */
#define DEADLINE_S 60
#define REST_SPINS 3000u

struct writer {
    struct fake_source *fake;
    volatile bool stop;
};

static void put(struct fake_source *fake, uint64_t pa, uint64_t value)
{
    __atomic_store_n((uint64_t *)(void *)(fake->mem + (pa - fake->base)), value, __ATOMIC_RELAXED);
}

/* As map_domain_page() does it: the generation is odd while entries change. */
static void *write_updates(void *of)
{
    struct writer *w = of;

    for (uint64_t n = 1; !w->stop; n++) {
        put(w->fake, CPU_FIELD(0, generation), 100 + 2 * n - 1);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        for (unsigned int slot = 0; slot < SLOTS; slot++)
            put(w->fake, SLOT_PA(0, slot), SLOT_PTE(0x80000000u + n % 1024 * 0x200000u, n % 15));
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        put(w->fake, CPU_FIELD(0, generation), 100 + 2 * n);
        for (volatile unsigned int i = 0; i < REST_SPINS * (n % 4); i++)
            ;
    }
    return NULL;
}

static bool is_whole(const struct cpu_snapshot *c)
{
    for (unsigned int slot = 1; slot < SLOTS; slot++) {
        if (c->pte[slot] != c->pte[0])
            return false;
    }
    return true;
}

/*
 * Torn readings must have come up, each of them said to be inconsistent: a
 * reader that does not look at the generation would have called them whole.
 */
static void test_no_consistent_cpu_is_torn(void **state)
{
    struct writer w = {.fake = machine_make(1)};
    unsigned int whole = 0, torn = 0;
    time_t end = time(NULL) + DEADLINE_S;
    pthread_t thread;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, write_updates, &w), 0);
    while ((whole < EACH || torn < EACH) && time(NULL) < end) {
        struct snapshot *snap = machine_snapshot(w.fake);
        const struct cpu_snapshot *c = &snap->cpu[0];

        if (c->consistent && !is_whole(c))
            w.stop = true;
        assert_true(!c->consistent || is_whole(c));
        whole += c->consistent;
        torn += !is_whole(c);
        free(snap);
    }
    w.stop = true;
    pthread_join(thread, NULL);
    assert_true(whole >= EACH && torn >= EACH);
    source_close(&w.fake->src);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_consistent_cpu_is_torn)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
