/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope explain: what map_domain_page() would do with a frame now, and why.
 */
#include "command/context.h"
#include "command/json.h"
#include "model/lookup.h"
#include "model/profile.h"

#include <inttypes.h>

/* The reason of a step, in the words that GDB's command uses too. */
static void step_reason(const struct probe *p, char *reason, size_t size)
{
    uint64_t mfn = mfn_x(pte_mfn(p->pte));
    const char *last = p->last ? "mapped last: " : "";

    switch (p->why) {
    case PROBE_HIT:
        snprintf(reason, size, "%sthis frame, with room in its count", last);
        break;
    case PROBE_TAKE:
        snprintf(reason, size, "free");
        break;
    case PROBE_COMMANDEER:
        snprintf(reason, size, "count 0: 0x%" PRIx64 " loses it, its translation is live", mfn);
        break;
    case PROBE_SATURATED:
        snprintf(reason, size, "%sthis frame, but its count is 15", last);
        break;
    case PROBE_OTHER:
        snprintf(reason, size, "%sanother frame, 0x%" PRIx64, last, mfn);
        break;
    case PROBE_INVALID:
        snprintf(reason, size, "%snothing is mapped in it", last);
        break;
    case PROBE_REMAKE:
        snprintf(reason, size, "this frame, broken: its TLBI is owed");
        break;
    default:
        snprintf(reason, size, "in use by 0x%" PRIx64, mfn);
    }
}

static void json_step(FILE *out, const struct probe *p)
{
    char reason[96];

    step_reason(p, reason, sizeof(reason));
    fprintf(out, "{\"slot\":%u", p->slot);
    put_hex(out, "pte", true, p->pte);
    put_number(out, "refs", true, pte_refs(p->pte));
    put_string(out, "reason", reason);
    fputc('}', out);
}

static void json_list(FILE *out, const char *key, const uint16_t *slot, unsigned int nr)
{
    fprintf(out, ",\"%s\":[", key);
    for (unsigned int i = 0; i < nr; i++)
        fprintf(out, "%s%u", i ? "," : "", slot[i]);
    fputc(']', out);
}

/* Slots that map the frame too, the chosen one left out. */
static unsigned int duplicates(const struct context *ctx, const struct cpu_snapshot *c,
                               const struct explanation *e, uint16_t *slot)
{
    unsigned int chosen = explain_chosen(e) ? e->slot : UINT32_MAX, nr = 0;

    for (unsigned int s = 0; s < ctx->snap->machine.beacon.domheap_entries; s++) {
        if (s != chosen && e->verdict != VERDICT_BYPASS && slot_maps(c, s, e->mfn))
            slot[nr++] = (uint16_t)s;
    }
    return nr;
}

static void json_explained(FILE *out, const struct context *ctx, const struct cpu_snapshot *c,
                           const struct explanation *e)
{
    bool chosen = explain_chosen(e), homed = e->has_home && e->verdict != VERDICT_BYPASS;
    uint16_t slot[SLOTS_MAX];

    fprintf(out, "{\"schema\":\"hvscope.explain/1\",\"cpu\":%u", c->cpu);
    put_string(out, "engine", machine_engine_name(&ctx->snap->machine));
    put_hex(out, "mfn", true, e->mfn);
    put_number(out, "home", homed, e->home);
    put_string(out, "verdict", verdict_word(e->verdict));
    put_number(out, "slot", chosen, e->slot);
    put_number(out, "refs", chosen, e->refs);
    put_number(out, "probe", homed, chosen ? e->nr - 1 : e->nr);
    fputs(",\"steps\":[", out);
    for (unsigned int i = 0; i < e->nr; i++) {
        if (i)
            fputc(',', out);
        json_step(out, &e->probe[i]);
    }
    fputc(']', out);
    json_list(out, "duplicates", slot, duplicates(ctx, c, e, slot));
    put_number(out, "chain", !e->has_home, e->chain);
    json_list(out, "flushed", e->flushed, e->nr_flushed);
    json_list(out, "victims", e->victim, e->nr_victims);
    fputs("}\n", out);
}

#define STEPS_SHOWN 16
#define SLOTS_SHOWN 8

static void text_steps(FILE *out, const struct explanation *e)
{
    char reason[96];

    for (unsigned int i = 0; i < e->nr; i++) {
        const struct probe *p = &e->probe[i];

        if (i < STEPS_SHOWN - 1 || i + 1 == e->nr) {
            step_reason(p, reason, sizeof(reason));
            fprintf(out, "  slot %4u  count %2u  %s\n", p->slot, pte_refs(p->pte), reason);
        } else if (i == STEPS_SHOWN - 1) {
            fprintf(out, "  ... %u more\n", e->nr - STEPS_SHOWN);
        }
    }
}

static void text_slots(FILE *out, const char *words, const uint16_t *slot, unsigned int nr)
{
    if (!nr)
        return;
    for (unsigned int i = 0; i < nr && i < SLOTS_SHOWN; i++)
        fprintf(out, "%s%u", i ? ", " : words, slot[i]);
    fputs(nr > SLOTS_SHOWN ? " and more\n" : "\n", out);
}

/* What engine clock does first. */
static void text_freed(FILE *out, const struct explanation *e)
{
    text_slots(out, "the owed TLBI comes first, of slot ", e->flushed, e->nr_flushed);
    text_slots(out, "idle slots are broken, with a TLBI, and lose their frames: slot ", e->victim,
               e->nr_victims);
}

static void text_full(FILE *out, const struct explanation *e)
{
    if (e->has_home)
        fputs("full: every slot is in use; map_domain_page() panics\n", out);
    else if (e->reserve == SLOTS_MAX)
        fputs("full: every slot is in use; map_domain_page() returns NULL\n", out);
    else
        fprintf(out,
                "full: map_domain_page() returns NULL; an interrupt would get slot %u of the "
                "reserve\n",
                e->reserve);
}

static void text_verdict(FILE *out, const struct explanation *e, bool breaks)
{
    static const char *const how[] = {
        [VERDICT_TAKE] = "is free",         [VERDICT_COMMANDEER] = "is overwritten",
        [VERDICT_REMAKE] = "is made again", [VERDICT_FLUSH] = "is free then",
        [VERDICT_RECLAIM] = "is free then",
    };
    bool broken = breaks && e->verdict == VERDICT_COMMANDEER;

    if (e->verdict == VERDICT_BYPASS)
        fputs("bypass: the frame is in the directmap; no slot is used\n", out);
    else if (e->verdict == VERDICT_FULL)
        text_full(out, e);
    else if (e->verdict == VERDICT_HIT)
        fprintf(out, "hit: slot %u is shared, its count becomes %u\n", e->slot, e->refs);
    else
        fprintf(out, "%s: slot %u %s; it gets this frame with count 1\n", verdict_word(e->verdict),
                e->slot, broken ? "is broken, with a TLBI, and made" : how[e->verdict]);
}

static void text_explained(FILE *out, const struct context *ctx, const struct cpu_snapshot *c,
                           const struct explanation *e)
{
    bool counted = ctx->snap->machine.profile->counted;
    uint16_t slot[SLOTS_MAX];

    fprintf(out, "map_domain_page(0x%" PRIx64 ") on CPU%u, %s%s", e->mfn, c->cpu,
            counted ? "engine " : "", counted ? machine_engine_name(&ctx->snap->machine) : "Xen");
    if (!e->has_home)
        fprintf(out, ", chain %u", e->chain);
    else if (e->verdict != VERDICT_BYPASS)
        fprintf(out, ", home slot %u", e->home);
    fputc('\n', out);
    text_steps(out, e);
    text_freed(out, e);
    text_verdict(out, e, ctx->snap->machine.beacon.engine == BEACON_ENGINE_BBM);
    text_slots(out, "its 2 MiB are also in slot ", slot, duplicates(ctx, c, e, slot));
    if (c->info.generation % 2)
        fputs("this CPU is inside a map or unmap: the next call comes after that\n", out);
}

static int print_explanations(const struct context *ctx, FILE *out, uint64_t mfn, struct failure *f)
{
    static struct explanation e;

    for (unsigned int cpu = 0; cpu < ctx->snap->ncpu; cpu++) {
        const struct cpu_snapshot *c = &ctx->snap->cpu[cpu];

        if (!c->on || !context_wants_cpu(ctx, cpu))
            continue;
        if (!explain_lookup(&ctx->snap->machine, c, mfn, &e))
            return failure_set(f, EXIT_NOT_UNDERSTOOD,
                               "CPU%u: the engine's index of its slots leads astray: see hvscope "
                               "check",
                               cpu);
        if (ctx->o->json)
            json_explained(out, ctx, c, &e);
        else
            text_explained(out, ctx, c, &e);
    }
    return 0;
}

int print_explain(const struct context *ctx, FILE *out, struct failure *f)
{
    const struct machine *m = &ctx->snap->machine;
    const char *text = ctx->o->operand[0];
    struct query q;
    uint64_t mfn;

    if (parse_number(text, &mfn))
        q.mfn = mfn;
    else if (query_parse(m, text, &q, f))
        return -1;
    else if (q.kind == QUERY_VA)
        return failure_set(f, EXIT_USAGE, "explain needs a frame: mfn:N, pa:N or a frame number");
    return print_explanations(ctx, out, q.mfn, f);
}
