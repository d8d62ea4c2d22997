/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The words of events. */
#include "core/bbm_rules.h"
#include "model/events.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char *const names[EVENT_KINDS] = {
    [TRACE_MAP] = "map", [TRACE_UNMAP] = "unmap", [TRACE_BYPASS] = "bypass",
    [TRACE_PTE] = "pte", [TRACE_TLBI] = "tlbi",   [TRACE_TTBR] = "ttbr",
    [TRACE_IRQ] = "irq", [EVENT_DSB] = "dsb",     [EVENT_ISB] = "isb",
};
static const char *const text_names[] = {
    [TRACE_TEXT_BOOT] = "boot",
    [TRACE_TEXT_FINDING] = "finding",
    [TRACE_TEXT_PANIC] = "panic",
};
#define TEXTS (sizeof(text_names) / sizeof(text_names[0]))

const char *event_name(const struct event *e)
{
    if (e->lost)
        return "lost";
    if (e->kind == TRACE_TEXT)
        return text_names[e->op < TEXTS ? e->op : TRACE_TEXT_BOOT];
    return e->kind < EVENT_KINDS && names[e->kind] ? names[e->kind] : "";
}

unsigned int event_kind_of(const char *name)
{
    for (unsigned int kind = 0; kind < EVENT_KINDS; kind++) {
        if (names[kind] && strcmp(names[kind], name) == 0)
            return kind;
    }
    for (unsigned int i = 0; i < TEXTS; i++) {
        if (strcmp(text_names[i], name) == 0)
            return TRACE_TEXT;
    }
    return 0;
}

const char *tlbi_op_name(const struct event *e)
{
    static const char *const op[] = {
        [TRACE_TLBI_ALLE2] = "alle2",     [TRACE_TLBI_VAE2] = "vae2",
        [TRACE_TLBI_VALE2] = "vale2",     [TRACE_TLBI_RVAE2] = "rvae2",
        [TRACE_TLBI_RVALE2] = "rvale2",   [TRACE_TLBI_IPAS2E1] = "ipas2e1",
        [TRACE_TLBI_VMALLE1] = "vmalle1", [TRACE_TLBI_VMALLS12E1] = "vmalls12e1",
        [TRACE_TLBI_ALLE1] = "alle1",     [TRACE_TLBI_OTHER] = "other",
        [TRACE_TLBI_VAE1] = "vae1",       [TRACE_TLBI_VALE1] = "vale1",
        [TRACE_TLBI_VAAE1] = "vaae1",     [TRACE_TLBI_VAALE1] = "vaale1",
        [TRACE_TLBI_ASIDE1] = "aside1",
    };
    _Static_assert(sizeof(op) / sizeof(op[0]) == TRACE_TLBI_OPS, "each has a name");

    return e->op < TRACE_TLBI_OPS ? op[e->op] : "unknown";
}

const char *tlbi_scope_name(const struct event *e)
{
    static const char *const scope[] = {"local", "inner", "outer", "outer"};

    return scope[e->scope & TRACE_TLBI_SCOPE_MASK];
}

bool tlbi_range(const struct event *e, uint64_t *va, uint64_t *bytes)
{
    struct bbm_cover c = bbm_cover((enum trace_tlbi)e->op, e->operand);

    if (e->op == TRACE_TLBI_IPAS2E1) {
        *va = (e->operand << PAGE_SHIFT) & PTE_ADDR_MASK;
        *bytes = PAGE_SIZE;
        return true;
    }
    if (e->op >= TRACE_TLBI_VAE1 && e->op <= TRACE_TLBI_VAALE1)
        c = bbm_cover(TRACE_TLBI_VAE2, e->operand);
    *va = c.first;
    *bytes = c.last - c.first + 1;
    return (e->op >= TRACE_TLBI_VAE2 && e->op <= TRACE_TLBI_RVALE2) ||
           (e->op >= TRACE_TLBI_VAE1 && e->op <= TRACE_TLBI_VAALE1);
}

bool tlbi_asid(const struct event *e, uint64_t *asid)
{
    *asid = e->operand >> TRACE_TLBI_ASID_SHIFT;
    return e->op == TRACE_TLBI_VAE1 || e->op == TRACE_TLBI_VALE1 || e->op == TRACE_TLBI_ASIDE1;
}

/* As CRm of the instruction has them. */
const char *dsb_domain_name(const struct event *e)
{
    static const char *const domain[] = {"osh", "nsh", "ish", "sy"};

    return domain[e->code >> TRACE_DSB_DOMAIN_SHIFT & 3];
}

const char *dsb_type_name(const struct event *e)
{
    static const char *const type[] = {"", "ld", "st", "full"};

    return type[e->code & TRACE_DSB_TYPE_MASK];
}

const char *store_regime_name(const struct event *e)
{
    static const char *const regime[] = {
        [TRACE_REGIME_EL2] = "el2", [TRACE_REGIME_S2] = "s2", [TRACE_REGIME_EL1] = "el1"};

    return e->regime < sizeof(regime) / sizeof(regime[0]) ? regime[e->regime] : "unknown";
}

static void describe_store(const struct event *e, char *buf, size_t size)
{
    char level[8] = "";

    if (e->level != EVENT_NO_LEVEL)
        snprintf(level, sizeof(level), " L%u", e->level);
    snprintf(buf, size, "%s%s[%" PRIu64 "] at 0x%" PRIx64 ": 0x%" PRIx64 " -> 0x%" PRIx64,
             store_regime_name(e), level, (e->pa & PAGE_MASK) / 8, e->pa, e->old, e->new);
}

static void describe_tlbi(const struct event *e, char *buf, size_t size)
{
    static const char *const suffix[] = {"", "is", "os", "os"};
    char space[16] = "", range[48] = "";
    uint64_t asid, va, bytes;

    if (tlbi_asid(e, &asid))
        snprintf(space, sizeof(space), " asid %" PRIu64, asid);
    if (tlbi_range(e, &va, &bytes))
        snprintf(range, sizeof(range), " 0x%" PRIx64 " +0x%" PRIx64, va, bytes);
    snprintf(buf, size, "%s%s%s%s", tlbi_op_name(e), suffix[e->scope & TRACE_TLBI_SCOPE_MASK],
             space, range);
}

void event_describe(const struct event *e, char *buf, size_t size)
{
    if (e->lost)
        snprintf(buf, size, "%" PRIu64 " events", e->lost);
    else if (e->kind == TRACE_PTE)
        describe_store(e, buf, size);
    else if (e->kind == TRACE_TLBI)
        describe_tlbi(e, buf, size);
    else if (e->kind == EVENT_DSB)
        snprintf(buf, size, "%s%s", dsb_domain_name(e),
                 (e->code & TRACE_DSB_TYPE_MASK) == 3 ? "" : dsb_type_name(e));
    else if (e->kind == TRACE_TTBR)
        snprintf(buf, size, "0x%" PRIx64, e->operand);
    else if (e->kind == TRACE_IRQ)
        snprintf(buf, size, "interrupt %" PRIu64, e->operand);
    else if (e->kind == TRACE_TEXT)
        snprintf(buf, size, "%s", e->text);
    else
        snprintf(buf, size, "%s", "");
}
