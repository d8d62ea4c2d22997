/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope find and explain: questions about one frame.
 */
#include "command/context.h"
#include "command/json.h"
#include "model/lookup.h"
#include "model/stage.h"

#include <inttypes.h>

/* A VA is one CPU's own: its walk says which frame it is now. */
static int resolve_va(const struct context *ctx, struct query *q, bool *mapped, struct failure *f)
{
    struct machine_memory memory = machine_memory(ctx->src, &ctx->snap->machine);
    const struct cpu_snapshot *c;
    struct stage_cpu cpu;
    struct stage stage;
    struct walk w;

    if (context_one_cpu(ctx, &c, f))
        return -1;
    cpu = (struct stage_cpu){ctx->src, &ctx->snap->machine, c->cpu, &c->info.root};
    if (stage_open(&cpu, REGIME_EL2, false, &stage, f) ||
        walk_va(&stage.r, &memory.memory, stage.root, q->value, &w, f))
        return -1;
    *mapped = !w.faults;
    q->pa = w.faults ? 0 : w.pa;
    q->mfn = q->pa >> PAGE_SHIFT;
    return 0;
}

static void json_found(FILE *out, unsigned int cpu, const struct slot_info *i, uint64_t pa)
{
    fprintf(out, "{\"cpu\":%u,\"slot\":%u", cpu, i->slot);
    put_hex(out, "va", true, i->va + pa % SLOT_SIZE);
    put_string(out, "state", slot_state_name(i->state));
    put_number(out, "refs", true, i->refs);
    put_number(out, "home", i->has_home, i->home);
    put_number(out, "probe", i->has_home, i->probe);
    fputc('}', out);
}

static void text_found(FILE *out, unsigned int cpu, const struct slot_info *i)
{
    fprintf(out, "  CPU%-3u slot %4u  0x%-14" PRIx64 " %-9s refs %2u", cpu, i->slot, i->va,
            slot_state_name(i->state), i->refs);
    if (i->has_home)
        fprintf(out, "  home %4u  probe %u", i->home, i->probe);
    fputc('\n', out);
}

/* With --cpu and a VA, slots of all CPUs are still of interest: the frame is the question. */
static unsigned int list_slots(const struct context *ctx, FILE *out, const struct query *q,
                               bool any_cpu)
{
    const struct snapshot *snap = ctx->snap;
    unsigned int found = 0;

    for (unsigned int cpu = 0; cpu < snap->ncpu; cpu++) {
        const struct cpu_snapshot *c = &snap->cpu[cpu];

        if (!c->on || (!any_cpu && !context_wants_cpu(ctx, cpu)))
            continue;
        for (unsigned int s = 0; s < snap->machine.beacon.domheap_entries; s++) {
            struct slot_info i;

            if (!slot_maps(c, s, q->mfn))
                continue;
            i = slot_describe(&snap->machine, s, c->pte[s]);
            if (ctx->o->json && found)
                fputc(',', out);
            if (ctx->o->json)
                json_found(out, cpu, &i, q->pa);
            else
                text_found(out, cpu, &i);
            found++;
        }
    }
    return found;
}

int print_find(const struct context *ctx, FILE *out, struct failure *f)
{
    bool json = ctx->o->json, mapped = true, va;
    unsigned int found = 0;
    struct query q;

    if (query_parse(&ctx->snap->machine, ctx->o->operand[0], &q, f))
        return -1;
    va = q.kind == QUERY_VA;
    q.pa = q.kind == QUERY_PA ? q.value : q.mfn << PAGE_SHIFT;
    if (va && resolve_va(ctx, &q, &mapped, f))
        return -1;
    if (json) {
        fputs("{\"schema\":\"hvscope.find/1\"", out);
        put_hex(out, "what", true, q.value);
        put_string(out, "read_as", query_kind_name(q.kind));
        put_hex(out, "mfn", mapped, q.mfn);
        put_hex(out, "pa", mapped, q.pa);
        fputs(",\"slots\":[", out);
    } else {
        fprintf(out, "0x%" PRIx64 " as %s", q.value, query_kind_name(q.kind));
        if (mapped)
            fprintf(out, ": mfn 0x%" PRIx64 ", home slot %u\n", q.mfn,
                    mapcache_home(_mfn(q.mfn), ctx->snap->machine.beacon.domheap_entries));
        else
            fputs(": nothing is mapped there\n", out);
    }
    if (mapped)
        found = list_slots(ctx, out, &q, va);
    if (json)
        fputs("]}\n", out);
    else if (mapped && !found)
        fputs("  no slot maps it\n", out);
    return 0;
}

/* The reason of a step, in the words that GDB's command uses too. */
static void json_step(FILE *out, const struct probe *p)
{
    uint64_t mfn = mfn_x(pte_mfn(p->pte));
    char reason[96];

    switch (p->why) {
    case PROBE_HIT:
        snprintf(reason, sizeof(reason), "this frame, with room in its count");
        break;
    case PROBE_TAKE:
        snprintf(reason, sizeof(reason), "free");
        break;
    case PROBE_COMMANDEER:
        snprintf(reason, sizeof(reason),
                 "count 0: 0x%" PRIx64 " loses it, its translation is still live", mfn);
        break;
    case PROBE_SATURATED:
        snprintf(reason, sizeof(reason), "this frame, but its count is 15");
        break;
    default:
        snprintf(reason, sizeof(reason), "in use by 0x%" PRIx64, mfn);
    }
    fprintf(out, "{\"slot\":%u", p->slot);
    put_hex(out, "pte", true, p->pte);
    put_number(out, "refs", true, pte_refs(p->pte));
    put_string(out, "reason", reason);
    fputc('}', out);
}

/* Slots that map the frame too, the chosen one left out. */
static void json_duplicates(FILE *out, const struct context *ctx, const struct cpu_snapshot *c,
                            const struct explanation *e, bool taken)
{
    unsigned int chosen = taken ? e->probe[e->nr - 1].slot : UINT32_MAX, found = 0;

    fputs(",\"duplicates\":[", out);
    for (unsigned int s = 0; s < ctx->snap->machine.beacon.domheap_entries && !e->bypass; s++) {
        if (s != chosen && slot_maps(c, s, e->mfn))
            fprintf(out, "%s%u", found++ ? "," : "", s);
    }
    fputc(']', out);
}

static void json_explained(FILE *out, const struct context *ctx, const struct cpu_snapshot *c,
                           const struct explanation *e)
{
    bool taken = !e->full && !e->bypass;
    const struct probe *last = taken ? &e->probe[e->nr - 1] : NULL;
    bool hit = taken && last->why == PROBE_HIT;

    fprintf(out, "{\"schema\":\"hvscope.explain/1\",\"cpu\":%u", c->cpu);
    put_string(out, "engine", machine_engine_name(&ctx->snap->machine));
    put_hex(out, "mfn", true, e->mfn);
    put_number(out, "home", !e->bypass, e->home);
    put_string(out, "verdict", explain_verdict(e));
    put_number(out, "slot", taken, taken ? last->slot : 0);
    put_number(out, "refs", taken, hit ? pte_refs(last->pte) + 1 : 1);
    put_number(out, "probe", !e->bypass, taken ? e->nr - 1 : e->nr);
    fputs(",\"steps\":[", out);
    for (unsigned int i = 0; i < e->nr; i++) {
        if (i)
            fputc(',', out);
        json_step(out, &e->probe[i]);
    }
    fputc(']', out);
    json_duplicates(out, ctx, c, e, taken);
    fputs("}\n", out);
}

#define PROBES_LISTED 40

static void text_explained(FILE *out, const struct cpu_snapshot *c, const struct explanation *e)
{
    char text[96];

    fprintf(out, "CPU%u  %s", c->cpu, explain_verdict(e));
    if (e->bypass)
        fputs(": the frame is in the directmap, no slot is looked at", out);
    else if (!e->full)
        fprintf(out, ": slot %u, probe %u", e->probe[e->nr - 1].slot, e->nr - 1);
    fputc('\n', out);
    for (unsigned int i = 0; i < e->nr; i++) {
        if (e->nr > PROBES_LISTED && i == PROBES_LISTED / 2) {
            fprintf(out, "        ... %u more\n", e->nr - PROBES_LISTED);
            i = e->nr - PROBES_LISTED / 2;
        }
        probe_text(&e->probe[i], text, sizeof(text));
        fprintf(out, "  slot %4u  %s\n", e->probe[i].slot, text);
    }
    if (e->further)
        fprintf(out, "  not looked at: %u more %s it, the first is %u: a duplicate\n", e->further,
                e->further == 1 ? "slot maps" : "slots map", e->first_further);
}

static void print_explanations(const struct context *ctx, FILE *out, uint64_t mfn)
{
    static struct explanation e;

    for (unsigned int cpu = 0; cpu < ctx->snap->ncpu; cpu++) {
        const struct cpu_snapshot *c = &ctx->snap->cpu[cpu];

        if (!c->on || !context_wants_cpu(ctx, cpu))
            continue;
        explain_lookup(&ctx->snap->machine, c, mfn, &e);
        if (ctx->o->json)
            json_explained(out, ctx, c, &e);
        else
            text_explained(out, c, &e);
    }
}

int print_explain(const struct context *ctx, FILE *out, struct failure *f)
{
    const struct machine *m = &ctx->snap->machine;
    const char *text = ctx->o->operand[0];
    struct query q;
    uint64_t mfn;

    if (m->beacon.engine == BEACON_ENGINE_CLOCK)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "engine clock looks up by hash chains, which explain does not replay");
    if (parse_number(text, &mfn))
        q.mfn = mfn;
    else if (query_parse(m, text, &q, f))
        return -1;
    else if (q.kind == QUERY_VA)
        return failure_set(f, EXIT_USAGE, "explain needs a frame: mfn:N, pa:N or a frame number");
    if (!ctx->o->json)
        fprintf(out, "mfn 0x%" PRIx64 ": home slot %u = (mfn >> 9) %% %u\n", q.mfn,
                mapcache_home(_mfn(q.mfn), m->beacon.domheap_entries), m->beacon.domheap_entries);
    print_explanations(ctx, out, q.mfn);
    return 0;
}
