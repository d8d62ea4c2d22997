/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope find: where a frame is mapped.
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
    cpu = stage_cpu(ctx->src, &ctx->snap->machine, c->cpu, &c->info.root);
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
            i = cpu_slot(&snap->machine, c, s);
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
    fprintf(out, "\nmfn 0x%" PRIx64 ", pa 0x%" PRIx64, q->mfn, q->pa);
    if (ctx->snap->machine.beacon.engine != BEACON_ENGINE_CLOCK)
        fprintf(out, ", home slot %u",
                mapcache_home(_mfn(q->mfn), ctx->snap->machine.beacon.domheap_entries));
    fputc('\n', out);
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
