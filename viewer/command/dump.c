/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/dump.h"

#include "command/context.h"

bool dump_wants_cpu(const struct options *o, unsigned int cpu)
{
    return !o->some_cpus || (o->cpu_mask >> cpu & 1);
}

bool dump_wants_slot(const struct options *o, const struct cpu_snapshot *c, unsigned int slot)
{
    return c->state[slot] != SLOT_UNREAD && (o->all || c->state[slot] != SLOT_FREE);
}

int print_dump(const struct context *ctx, FILE *out, struct failure *f)
{
    (void)f;
    if (ctx->o->json)
        dump_json(out, ctx->snap, ctx->o);
    else
        dump_text(out, ctx->snap, ctx->o);
    return 0;
}
