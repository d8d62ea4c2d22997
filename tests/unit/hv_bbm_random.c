/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random sequences of events: the checker and the reference model agree, after each event. */
#include "bbm_reference.h"
#include "bbm_world.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SEQUENCES 120000
#define LENGTH    24

static uint64_t seed;

/* xorshift64*: the same sequence everywhere. */
static unsigned int pick(unsigned int n)
{
    seed ^= seed >> 12;
    seed ^= seed << 25;
    seed ^= seed >> 27;
    return (unsigned int)((seed * UINT64_C(2685821657736338717)) >> 33) % n;
}

static struct bbm_event random_store(const struct world *w, unsigned int cpu)
{
    static const uint64_t values[] = {0,
                                      0,
                                      0,
                                      BLOCK_A,
                                      BLOCK_A,
                                      BLOCK_B,
                                      BLOCK_A | PTE_RO,
                                      BLOCK_A & ~PTE_AF,
                                      BLOCK_B | PTE_CONT,
                                      (BLOCK_A & ~PTE_SH_MASK) | PTE_SH_OUTER,
                                      BLOCK_A | UINT64_C(3) << PTE_REFS_SHIFT,
                                      (BLOCK_B & ~PTE_ATTR_MASK) | PTE_ATTR(MAIR_NORMAL_WT)};

    return (struct bbm_event){.kind = BBM_STORE,
                              .cpu = cpu,
                              .where = 0x1000,
                              .pa = w->table + (WORLD_INDEX + pick(3)) * 8,
                              .new = values[pick(sizeof(values) / sizeof(values[0]))]};
}

static struct bbm_event random_tlbi(const struct world *w, unsigned int cpu)
{
    struct bbm_event e = {.kind = BBM_TLBI, .cpu = cpu, .scope = pick(2), .op = pick(5)};
    uint64_t va = w->va + pick(4) * UINT64_C(0x200000) + pick(512) * PAGE_SIZE;

    e.operand = va >> 12;
    if (e.op == TRACE_TLBI_RVAE2 || e.op == TRACE_TLBI_RVALE2)
        e.operand |= UINT64_C(1) << 46 | (uint64_t)pick(3) << 44 | (uint64_t)pick(32) << 39;
    return e;
}

static struct bbm_event random_event(const struct world *w, unsigned int cpus)
{
    static const unsigned int codes[] = {
        TRACE_DSB_NSH, TRACE_DSB_NSH, TRACE_DSB_NSHST, TRACE_DSB_NSHST, TRACE_DSB_NSHLD,
        TRACE_DSB_ISH, TRACE_DSB_ISH, TRACE_DSB_ISHST, TRACE_DSB_ISHST, TRACE_DSB_ISHLD,
        TRACE_DSB_SY,  TRACE_DSB_ST,  TRACE_DSB_OSH,   TRACE_ISB};
    unsigned int cpu = pick(4) ? 0 : pick(cpus);

    switch (pick(5)) {
    case 0:
    case 1:
        return random_store(w, cpu);
    case 2:
        return random_tlbi(w, cpu);
    default:
        return (struct bbm_event){
            .kind = BBM_BARRIER, .cpu = cpu, .code = codes[pick(sizeof(codes) / sizeof(codes[0]))]};
    }
}

static void print_event(const struct bbm_event *e)
{
    printf("  kind %d cpu %u pa 0x%lx 0x%lx -> 0x%lx op %d scope %d operand 0x%lx code %d\n",
           e->kind, e->cpu, e->pa, e->old, e->new, e->op, e->scope, e->operand, e->code);
}

static bool agree(const struct world *w, const struct reference *r)
{
    struct bbm_totals t = bbm_totals(w->bbm);

    return t.hazards + t.violations == r->findings && t.unjudged == r->unjudged;
}

/* The tables are of the same kind each time: only what a sequence changed is put back. */
static void run(unsigned int n, bool shared, bool known)
{
    struct reference r;
    struct world w;

    world_make(&w, 0, known, shared);
    if (pick(2))
        *world_entry(&w, 0) = 0;
    reference_start(&r, w.va, w.table + WORLD_INDEX * 8, shared ? 2 : 1, known);
    for (unsigned int i = 0; i < LENGTH; i++) {
        if (!known && pick(16) == 0) {
            bbm_lost(w.bbm, 0, 1);
            reference_lost(&r);
            r.lost_at = r.nr;
        }
        world_event(&w, random_event(&w, shared ? 2 : 1));
        reference_event(&r, &w.last);
        if (agree(&w, &r))
            continue;
        for (int k = 0; k < r.nr; k++)
            print_event(&r.event[k]);
        fail_msg("sequence %u, lost at %d: %lu+%lu findings, %lu unjudged; the reference: %u, %u",
                 n, r.lost_at, bbm_totals(w.bbm).hazards, bbm_totals(w.bbm).violations,
                 bbm_totals(w.bbm).unjudged, r.findings, r.unjudged);
    }
    world_free(&w);
}

static void test_random(void **state)
{
    (void)state;
    seed = UINT64_C(0x9e3779b97f4a7c15);
    for (unsigned int n = 0; n < SEQUENCES; n++)
        run(n, n % 2, n / 2 % 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_random)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
