/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope find and explain: questions about one frame.
 */
#include "command/context.h"
#include "command/json.h"
#include "model/lookup.h"
#include "model/profile.h"
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

static void text_found(FILE *out, unsigned int cpu, const struct slot_info *i, uint64_t pa)
{
    char va[24], probe[16] = "-";

    snprintf(va, sizeof(va), "0x%" PRIx64, i->va + pa % SLOT_SIZE);
    if (i->has_home)
        snprintf(probe, sizeof(probe), "%u", i->probe);
    fprintf(out, "  %3u  %4u  %-14s  %4u  %-9s  %5s\n", cpu, i->slot, va, i->refs,
            slot_state_name(i->state), probe);
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
            if (!ctx->o->json && !found)
                fputs("  cpu  slot  va              refs  state      probe\n", out);
            if (ctx->o->json)
                json_found(out, cpu, &i, q->pa);
            else
                text_found(out, cpu, &i, q->pa);
            found++;
        }
    }
    return found;
}

/* How the number was read, in the words that GDB's command uses too. */
static void text_read_as(FILE *out, const struct context *ctx, const struct query *q)
{
    static const char *const guessed[] = {"not inside RAM", "inside RAM", "not below the domheap"},
                             *const names[] = {"MFN", "PA", "VA"};
    const struct cpu_snapshot *c;
    struct failure ignored;

    fprintf(out, "0x%" PRIx64 " is read as %s (%s", q->value, names[q->kind],
            q->guessed ? guessed[q->kind] : "as you say");
    if (q->kind == QUERY_VA && context_one_cpu(ctx, &c, &ignored) == 0)
        fprintf(out, ", on CPU%u", c->cpu);
    fputc(')', out);
}

static void json_find(FILE *out, const struct context *ctx, const struct query *q, bool mapped)
{
    fputs("{\"schema\":\"hvscope.find/1\"", out);
    put_hex(out, "what", true, q->value);
    put_string(out, "read_as", query_kind_name(q->kind));
    put_hex(out, "mfn", mapped, q->mfn);
    put_hex(out, "pa", mapped, q->pa);
    fputs(",\"slots\":[", out);
    if (mapped)
        list_slots(ctx, out, q, q->kind == QUERY_VA);
    fputs("]}\n", out);
}

static void text_find(FILE *out, const struct context *ctx, const struct query *q, bool mapped)
{
    text_read_as(out, ctx, q);
    if (!mapped) {
        fputs(": nothing is mapped there\n", out);
        return;
    }
    fprintf(out, "\nmfn 0x%" PRIx64 ", pa 0x%" PRIx64 ", home slot %u\n", q->mfn, q->pa,
            mapcache_home(_mfn(q->mfn), ctx->snap->machine.beacon.domheap_entries));
    if (list_slots(ctx, out, q, q->kind == QUERY_VA) == 0)
        fputs("  no slot of any CPU maps it\n", out);
}

int print_find(const struct context *ctx, FILE *out, struct failure *f)
{
    bool mapped = true;
    struct query q;

    if (query_parse(&ctx->snap->machine, ctx->o->operand[0], &q, f))
        return -1;
    q.pa = q.kind == QUERY_PA ? q.value : q.mfn << PAGE_SHIFT;
    if (q.kind == QUERY_VA && resolve_va(ctx, &q, &mapped, f))
        return -1;
    if (ctx->o->json)
        json_find(out, ctx, &q, mapped);
    else
        text_find(out, ctx, &q, mapped);
    return 0;
}

/* The reason of a step, in the words that GDB's command uses too. */
static void step_reason(const struct probe *p, char *reason, size_t size)
{
    uint64_t mfn = mfn_x(pte_mfn(p->pte));

    switch (p->why) {
    case PROBE_HIT:
        snprintf(reason, size, "this frame, with room in its count");
        break;
    case PROBE_TAKE:
        snprintf(reason, size, "free");
        break;
    case PROBE_COMMANDEER:
        snprintf(reason, size, "count 0: 0x%" PRIx64 " loses it, its translation is still live",
                 mfn);
        break;
    case PROBE_SATURATED:
        snprintf(reason, size, "this frame, but its count is 15");
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

#define STEPS_SHOWN      16
#define DUPLICATES_SHOWN 8

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

static void text_verdict(FILE *out, const struct explanation *e)
{
    const struct probe *last = e->nr ? &e->probe[e->nr - 1] : NULL;

    if (e->bypass || !last)
        fputs("bypass: the frame is in the directmap; no slot is used\n", out);
    else if (e->full)
        fputs("full: every slot is in use; map_domain_page() panics\n", out);
    else if (last->why == PROBE_HIT)
        fprintf(out, "hit: slot %u is shared, its count becomes %u\n", last->slot,
                pte_refs(last->pte) + 1);
    else
        fprintf(out, "%s: slot %u is %s; it gets this frame with count 1\n", probe_word(last->why),
                last->slot, last->why == PROBE_TAKE ? "free" : "overwritten");
}

static void text_duplicates(FILE *out, const struct context *ctx, const struct cpu_snapshot *c,
                            const struct explanation *e)
{
    unsigned int chosen = e->full ? UINT32_MAX : e->probe[e->nr - 1].slot, found = 0;

    for (unsigned int s = 0; s < ctx->snap->machine.beacon.domheap_entries; s++) {
        if (s == chosen || !slot_maps(c, s, e->mfn))
            continue;
        if (found < DUPLICATES_SHOWN)
            fprintf(out, "%s%u", found ? ", " : "its 2 MiB are also in slot ", s);
        found++;
    }
    if (found)
        fputs(found > DUPLICATES_SHOWN ? " and more\n" : "\n", out);
}

static void text_explained(FILE *out, const struct context *ctx, const struct cpu_snapshot *c,
                           const struct explanation *e)
{
    bool counted = ctx->snap->machine.profile->counted;

    fprintf(out, "map_domain_page(0x%" PRIx64 ") on CPU%u, %s%s", e->mfn, c->cpu,
            counted ? "engine " : "", counted ? machine_engine_name(&ctx->snap->machine) : "Xen");
    if (!e->bypass)
        fprintf(out, ", home slot %u", e->home);
    fputc('\n', out);
    text_steps(out, e);
    text_verdict(out, e);
    if (!e->bypass)
        text_duplicates(out, ctx, c, e);
    if (c->info.generation % 2)
        fputs("this CPU is inside a map or unmap: the next call comes after that\n", out);
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
            text_explained(out, ctx, c, &e);
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
    print_explanations(ctx, out, q.mfn);
    return 0;
}
