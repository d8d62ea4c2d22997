/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope walk and map: which regime, of which CPU, from which root.
 */
#include "command/walking.h"

#include "model/lookup.h"

#include <errno.h>
#include <string.h>

/* Whose tables, of which regime; and how they are read. */
struct subject {
    struct stage_cpu cpu;
    enum regime_name name; /* REGIMES: both stages of a guest */
    struct machine_memory memory;
    struct stage below;
    struct guest_memory through;
    struct table_memory *tables;
};

static int choose(const struct context *ctx, struct subject *s, struct failure *f)
{
    const struct target_spec *spec = &ctx->o->target;
    const struct machine *m = &ctx->snap->machine;
    const struct cpu_snapshot *c;
    int below;

    if (context_one_cpu(ctx, &c, f))
        return -1;
    s->cpu = stage_cpu(ctx->src, m, c->cpu, spec->has_root ? &spec->root : NULL);
    s->name = ctx->o->regime ? regime_find(ctx->o->regime) : stage_own(&s->cpu);
    s->memory = machine_memory(ctx->src, m);
    s->tables = &s->memory.memory;
    below = stage_below(&s->cpu, s->name, &s->below, f);
    if (below > 0) {
        s->through = guest_memory(&s->memory.memory, &s->below.r, s->below.root);
        s->tables = &s->through.memory;
    }
    return below < 0 ? -1 : 0;
}

static int print_guest(const struct context *ctx, struct subject *s, uint64_t va, FILE *out,
                       struct failure *f)
{
    struct registers regs = stage_registers(&s->cpu);
    struct guest_walk g;

    if (ctx->o->target.has_root)
        return failure_set(f, EXIT_USAGE,
                           "--root and --regime guest do not go together: two roots are needed");
    if (stage_require_guest(&s->cpu, f) || stage_walk_guest(&regs, s->tables, va, &g, f))
        return -1;
    if (!g.has_stage1 && !g.has_stage2)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           s->cpu.guest_error == -ENOENT
                               ? "no guest is on CPU%u: both stages of translation are off, or no "
                                 "register can be read here; only --gdb knows more of them"
                               : "no guest is on CPU%u: both stages of translation are off",
                           s->cpu.cpu);
    if (ctx->o->json)
        guest_json(out, ctx, s->cpu.cpu, va, &g);
    else
        guest_text(out, ctx, va, &g);
    return 0;
}

int print_walk(const struct context *ctx, FILE *out, struct failure *f)
{
    struct stage stage;
    struct subject s;
    struct walk w;
    uint64_t va;

    if (!parse_number(ctx->o->operand[0], &va))
        return failure_set(f, EXIT_USAGE, "%s is no address: write it as 0x7f8000000000",
                           ctx->o->operand[0]);
    if (choose(ctx, &s, f))
        return -1;
    if (s.name == REGIMES)
        return print_guest(ctx, &s, va, out, f);
    if (stage_open(&s.cpu, s.name, regime_is_high(s.name, va), &stage, f) ||
        walk_va(&stage.r, s.tables, stage.root, va, &w, f))
        return -1;
    if (ctx->o->json)
        walk_json(out, &stage, s.cpu.cpu, &w);
    else
        walk_text(out, &stage, s.cpu.cpu, &w);
    return 0;
}

static int read_half(struct subject *s, bool high, struct stage *stage, struct ranges *list,
                     struct failure *f)
{
    const struct machine *regions = s->name == REGIME_EL2 ? s->cpu.m : NULL;

    if (stage_open(&s->cpu, s->name, high, stage, f))
        return -1;
    return ranges_read(s->tables, stage, regions, list, f);
}

/* JSON is one object: both halves, or nothing. */
static int map_json(struct subject *s, unsigned int halves, FILE *out, struct failure *f)
{
    struct ranges list = {0};
    struct stage first, other;

    if (read_half(s, false, &first, &list, f) ||
        (halves > 1 && read_half(s, true, &other, &list, f)))
        return -1;
    ranges_json(out, &first, s->cpu.cpu, &list);
    ranges_free(&list);
    return 0;
}

/* A half that cannot be decoded is named, as long as the other one can. */
static int map_text(struct subject *s, unsigned int halves, FILE *out, struct failure *f)
{
    char missing[2][FAILURE_TEXT_MAX] = {"", ""};
    unsigned int shown = 0;

    for (unsigned int half = 0; half < halves; half++) {
        struct ranges list = {0};
        struct stage stage;

        if (read_half(s, half, &stage, &list, f)) {
            snprintf(missing[half], sizeof(missing[half]), "%s", f->text);
            continue;
        }
        ranges_text(out, &stage, s->cpu.cpu, &list);
        ranges_free(&list);
        shown++;
    }
    for (unsigned int half = 0; half < halves && shown; half++) {
        if (missing[half][0])
            fprintf(out, "  TTBR%u: %s\n", half, missing[half]);
    }
    return shown ? 0 : -1;
}

int print_map(const struct context *ctx, FILE *out, struct failure *f)
{
    unsigned int halves;
    struct subject s;

    if (choose(ctx, &s, f))
        return -1;
    if (s.name == REGIMES)
        return failure_set(f, EXIT_USAGE, "map shows one stage: --regime el1 or s2");
    halves = regime_has_halves(s.name) && !ctx->o->target.has_root ? 2 : 1;
    return ctx->o->json ? map_json(&s, halves, out, f) : map_text(&s, halves, out, f);
}
