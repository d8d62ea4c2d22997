/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tools' answers on engine clock, held against the engine itself: what a map will do is said
 * before it is made, and an index that was spoilt is found out. */
#include "clock_index.h"
#include "clock_tools.h"
#include "core/beacon.h"
#include "core/cmdline.h"
#include "core/trace.h"
#include "fake.h"
#include "mm/domain_page.h"
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SLOTS  DOMHEAP_ENTRIES
#define HELD   1060 /* maps open at most: more than there is room for */
#define MAPS   3000
#define SPOILT 6000

/* The fake machine never gives its tables back. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static struct clock_index *index_now(void)
{
    return (struct clock_index *)(uintptr_t)this_cpu(beacon_cpu)->clock_index;
}

static void start(enum clock_policy policy, bool range, unsigned int zap_limit)
{
    fake_reset();
    options.mapcache = policy;
    options.zap_limit = zap_limit;
    fake_tlb_has_range = range;
    fake_cpu_start(0);
}

static unsigned int seen[8];

static void count_verdict(const char *verdict)
{
    static const char *const words[] = {"hit",    "take",   "commandeer", "full",
                                        "bypass", "remake", "flush",      "reclaim"};

    for (unsigned int i = 0; i < 8; i++)
        seen[i] += strcmp(verdict, words[i]) == 0;
}

static void victims_lost(const struct told *told, const lpae_t *before)
{
    for (unsigned int i = 0; i < told->nr_victims; i++) {
        unsigned int slot = told->victim[i];

        assert_true(pte_valid(before[slot]) && !pte_refs(before[slot]));
        if (slot != told->slot || strcmp(told->verdict, "full") == 0)
            assert_int_equal(this_cpu(xen_dommap)[slot], 0);
    }
}

/* Ask, map, compare: the slot, its count, what was freed first and in which order. */
static void *map_as_told(mfn_t mfn)
{
    static lpae_t before[SLOTS];
    static struct told told;
    uint64_t reclaimed = index_now()->reclaimed, gone = this_cpu(beacon_cpu)->commandeers;
    unsigned int slot;
    void *p;

    memcpy(before, this_cpu(xen_dommap), sizeof(before));
    tools_explain(index_now(), before, mfn_x(mfn), &told);
    assert_true(told.known);
    count_verdict(told.verdict);
    p = map_domain_page(mfn);
    assert_int_equal(p == NULL, strcmp(told.verdict, "full") == 0);
    assert_int_equal(index_now()->reclaimed - reclaimed, told.nr_flushed + told.nr_victims);
    assert_int_equal(this_cpu(beacon_cpu)->commandeers - gone, told.nr_victims);
    victims_lost(&told, before);
    if (!p)
        return NULL;
    slot = ((uintptr_t)p - DOMHEAP_VIRT_START) >> SLOT_SHIFT;
    assert_int_equal(slot, told.slot);
    assert_int_equal(pte_refs(this_cpu(xen_dommap)[slot]), told.refs);
    return p;
}

/* One in the reserve, as an interrupt would, when the table is full. */
static void take_reserve(mfn_t mfn)
{
    static struct told told;
    unsigned int slot;
    void *p;

    tools_explain(index_now(), this_cpu(xen_dommap), mfn_x(mfn), &told);
    if (strcmp(told.verdict, "full") != 0)
        return;
    mapcache_urgent_begin();
    p = map_domain_page(mfn);
    assert_int_equal(p == NULL, told.reserve == SLOTS);
    if (p) {
        slot = ((uintptr_t)p - DOMHEAP_VIRT_START) >> SLOT_SHIFT;
        assert_int_equal(slot, told.reserve);
        unmap_domain_page(p);
    }
    mapcache_urgent_end();
}

/* grow: of 100 calls, those that map. */
static void run(unsigned int grow, unsigned int frames)
{
    void *open[HELD];
    unsigned int n = 0;

    for (unsigned int i = 0; i < MAPS; i++) {
        mfn_t mfn = _mfn(((uint64_t)random() % frames + 1000) * 512 + (uint64_t)(random() % 512));

        if (n < HELD && (n == 0 || (unsigned int)random() % 100 < grow)) {
            open[n] = map_as_told(mfn);
            if (open[n])
                n++;
            else
                take_reserve(mfn);
        } else {
            unsigned int k = (unsigned int)random() % n;

            unmap_domain_page(open[k]);
            open[k] = open[--n];
        }
    }
    while (n)
        unmap_domain_page(open[--n]);
}

static void test_maps_are_foretold(void **state)
{
    (void)state;
    srandom(3);
    for (enum clock_policy policy = CLOCK_LAZY; policy <= CLOCK_STRICT; policy++) {
        for (unsigned int range = 0; range < 2; range++) {
            start(policy, range, range ? 64 : 900);
            run(51, 3000);
            run(50, 40);
            run(70, 100000);
        }
    }
    for (unsigned int i = 0; i < 8; i++)
        assert_true(seen[i] > 0 || i == 2 || i == 4); /* commandeer: no such thing; bypass: below */
}

static void test_bypass_is_foretold(void **state)
{
    struct told told;

    (void)state;
    start(CLOCK_LAZY, true, 64);
    tools_explain(index_now(), this_cpu(xen_dommap), 0x48210, &told);
    assert_true(told.known);
    assert_string_equal(told.verdict, "bypass");
}

static unsigned int number(void)
{
    return (unsigned int)random() % (SLOTS + 40);
}

/* One thing becomes another, now and then one that is right too. */
static void spoil(struct clock_index *c, lpae_t *map)
{
    unsigned int at = (unsigned int)random() % SLOTS;

    switch (random() % 10) {
    case 0:
        c->head[(unsigned int)random() % CLOCK_HEADS] = (uint16_t)number();
        break;
    case 1:
        c->next[at] = (uint16_t)number();
        break;
    case 2:
        c->block[at] ^= 1u << random() % 32;
        break;
    case 3:
        c->state[at] = (uint8_t)(random() % 5);
        break;
    case 4:
        c->free[at] = (uint16_t)number();
        break;
    case 5:
        c->nr_free = (uint16_t)number();
        break;
    case 6:
        c->nr_owed = (uint16_t)(random() % 70);
        break;
    case 7:
        *(random() % 2 ? &c->hand : &c->last) = (uint16_t)number();
        break;
    case 8:
        map[at] ^= PTE_VALID;
        break;
    default:
        map[at] = random() % 2 ? 0 : map[at] ^ PTE_BIT(21 + random() % 20);
    }
}

static void test_what_is_spoilt_is_found(void **state)
{
    static struct clock_index whole, c;
    static lpae_t entries[SLOTS], map[SLOTS];
    static struct told told;
    unsigned int faults = 0;
    void *p[700];
    char text[112];

    (void)state;
    srandom(4);
    start(CLOCK_ZAP, true, 64);
    run(55, 3000);
    for (unsigned int i = 0; i < 700; i++)
        p[i] = map_domain_page(_mfn((2000 + i) * 512));
    for (unsigned int i = 0; i < 40; i++)
        unmap_domain_page(p[i * 17]);
    whole = *index_now();
    memcpy(entries, this_cpu(xen_dommap), sizeof(entries));
    assert_true(whole.nr_owed > 5 && whole.nr_free > 200);
    assert_int_equal(tools_check(&whole, entries, text), 0);
    for (unsigned int i = 0; i < SPOILT; i++) {
        const char *fault;

        c = whole;
        memcpy(map, entries, sizeof(map));
        spoil(&c, map);
        fault = clock_index_fault(&c, map);
        text[0] = '-';
        if ((tools_check(&c, map, text) == 0) != (fault == NULL) || !text[0])
            fail_msg("%s; the tools: %s", fault ? fault : "whole", text);
        faults += fault != NULL;
        tools_explain(&c, map, (uint64_t)random() % 4000 * 512, &told); /* comes to an end */
    }
    assert_true(faults > SPOILT / 2 && faults < SPOILT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_maps_are_foretold),
        cmocka_unit_test(test_bypass_is_foretold),
        cmocka_unit_test(test_what_is_spoilt_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
