/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "checker.h"

#include "core/bbm.h"
#include "machine.h"

#include <hvscope/mapcache.h>
#include <stdio.h>
#include <stdlib.h>

#define PAGES   4
#define GHOSTS  (2 * DOMHEAP_ENTRIES)
#define ROOT_PA UINT64_C(0x1000)
#define L1_PA   UINT64_C(0x2000)
#define L2_PA   UINT64_C(0x3000) /* and the page behind it */
#define TABLE   UINT64_C(0xf7f)

static struct bbm *bbm;
static uint64_t time;

void checker_begin(void)
{
    const struct bbm_config config = {
        .ncpu = 1, .known = true, .ordered = true, .pages = PAGES, .ghosts = GHOSTS};
    uint64_t root[PT_ENTRIES] = {[DOMHEAP_L0_INDEX] = L1_PA | TABLE};
    uint64_t first[PT_ENTRIES] = {L2_PA | TABLE, (L2_PA + PAGE_SIZE) | TABLE};
    const uint64_t none[PT_ENTRIES] = {0};

    bbm = bbm_init(malloc(bbm_size(&config)), &config);
    bbm_table(bbm, ROOT_PA, 0, 0, root);
    bbm_table(bbm, L1_PA, 1, DOMHEAP_VIRT_START, first);
    bbm_table(bbm, L2_PA, 2, DOMHEAP_VIRT_START, none);
    bbm_table(bbm, L2_PA + PAGE_SIZE, 2, DOMHEAP_VIRT_START + PT_ENTRIES * SLOT_SIZE, none);
    bbm_root(bbm, 0, ROOT_PA);
}

static void tell(struct bbm_event e)
{
    if (!bbm)
        return;
    e.time = ++time;
    bbm_event(bbm, &e);
}

void checker_store(unsigned int slot, lpae_t old, lpae_t new)
{
    tell((struct bbm_event){
        .kind = BBM_STORE, .pa = L2_PA + slot * sizeof(lpae_t), .old = old, .new = new});
}

void checker_tlbi(enum trace_tlbi op, uint64_t operand)
{
    tell((struct bbm_event){
        .kind = BBM_TLBI, .op = op, .scope = TRACE_SCOPE_LOCAL, .operand = operand});
}

void checker_barrier(enum trace_barrier code)
{
    tell((struct bbm_event){.kind = BBM_BARRIER, .code = code});
}

bool checker_said(char *text, size_t size)
{
    struct bbm_totals t = bbm_totals(bbm);
    const struct bbm_finding *f;

    for (unsigned int i = 0; i < bbm_nr_findings(bbm); i++) {
        f = bbm_finding(bbm, i);
        if (!f->count || f->tier == BBM_NOTE)
            continue;
        snprintf(text, size, "%s %s: %s%s%s", bbm_tier_name(f->tier), bbm_rule_tag(f),
                 bbm_rule_text(f->rule), f->missing ? ": " : "", bbm_missing_text(f->missing));
        return true;
    }
    snprintf(text, size, "%lu events, none", (unsigned long)t.events);
    return t.unjudged || t.events < 1000;
}
