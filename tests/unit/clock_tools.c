/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "clock_tools.h"

#include "model/clock_lookup.h"

#include <string.h>

void tools_explain(const struct clock_index *c, const lpae_t *pte, uint64_t mfn, struct told *told)
{
    static struct cpu_snapshot cpu;
    static struct explanation e;
    const struct machine m = {
        .beacon = {.engine = BEACON_ENGINE_CLOCK,
                   .slot_attr = PTE_XEN_BLOCK,
                   .xenheap_pa = UINT64_C(0x48000000),
                   .xenheap_size = 0x1000000},
    };

    cpu.index = *c;
    cpu.index_status = INDEX_READ;
    memcpy(cpu.pte, pte, sizeof(cpu.pte));
    e = (struct explanation){.mfn = mfn, .reserve = SLOTS_MAX};
    *told = (struct told){.known = clock_explain(&m, &cpu, &e)};
    told->verdict = verdict_word(e.verdict);
    told->slot = e.slot;
    told->refs = e.refs;
    told->reserve = e.reserve;
    told->nr_flushed = e.nr_flushed;
    told->nr_victims = e.nr_victims;
    memcpy(told->victim, e.victim, sizeof(told->victim));
}

struct counted {
    unsigned int n;
    char *text;
};

static void found(void *context, const struct clock_fault *fault)
{
    struct counted *c = context;
    char text[112] = "";

    clock_fault_text(fault, text, sizeof(text));
    if (c->n++ == 0)
        memcpy(c->text, text, sizeof(text));
    if (!text[0])
        c->text[0] = '\0';
}

unsigned int tools_check(const struct clock_index *c, const lpae_t *pte, char text[112])
{
    struct counted counted = {0, text};

    clock_check(c, pte, found, &counted);
    return counted.n;
}
