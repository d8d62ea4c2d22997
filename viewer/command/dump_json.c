/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope.mapcache/1. Keys, their order and every byte are shared with GDB's
 * mapcache-dump --json, so it is written by hand, not by a library.
 */
#include "command/context.h"
#include "command/dump.h"
#include "command/json.h"
#include "model/profile.h"

#include <inttypes.h>

static void print_head(FILE *out, const struct machine *m)
{
    const struct beacon *b = &m->beacon;

    fputs("{\"schema\":\"hvscope.mapcache/1\",", out);
    context_json_target(out, m);
    fprintf(out, ",\"domheap\":{\"va\":\"0x%" PRIx64 "\"", b->domheap_va);
    put_hex(out, "size", true, b->domheap_size);
    put_number(out, "entries", true, b->domheap_entries);
    put_number(out, "root_level", true, b->root_level);
    put_number(out, "l0_index", b->root_level == 0, b->l0_index);
    fputc('}', out);
}

static void print_chain(FILE *out, const struct chain *chain)
{
    fputs(",\"tables\":[", out);
    for (unsigned int i = 0; i < chain->nr; i++) {
        const struct chain_entry *e = &chain->entry[i];

        fprintf(out, "%s{\"level\":%u,\"index\":%u", i ? "," : "", e->level, e->index);
        put_hex(out, "pte", true, e->pte);
        put_hex(out, "next", e->end == CHAIN_TABLE, e->next);
        fputc('}', out);
    }
    fputc(']', out);
}

void dump_json_counts(FILE *out, const struct cpu_snapshot *c)
{
    fputs(",\"counts\":{", out);
    for (int state = 0; state < SLOT_STATES; state++)
        fprintf(out, "\"%s\":%u,", slot_state_name(state), c->counts[state]);
    fprintf(out, "\"refs\":%u}", c->refs);
}

static void print_slot(FILE *out, const struct slot_info *i)
{
    bool home = i->block && i->has_home;

    fprintf(out, "{\"slot\":%u", i->slot);
    put_hex(out, "va", true, i->va);
    put_hex(out, "pte", true, i->pte);
    fprintf(out, ",\"state\":\"%s\",\"odd\":%s,\"refs\":%u", slot_state_name(i->state),
            boolean_text(i->odd), i->refs);
    put_hex(out, "mfn", i->block, i->mfn);
    put_hex(out, "pa", i->block, i->pa);
    put_number(out, "home", home, i->home);
    put_number(out, "probe", home, i->probe);
    fputc('}', out);
}

static void print_slots(FILE *out, const struct machine *m, const struct cpu_snapshot *c,
                        const struct options *o)
{
    bool first = true;

    fputs(",\"slots\":[", out);
    for (unsigned int slot = 0; slot < m->beacon.domheap_entries; slot++) {
        struct slot_info info;

        if (!dump_wants_slot(o, c, slot))
            continue;
        info = cpu_slot(m, c, slot);
        if (!first)
            fputc(',', out);
        first = false;
        print_slot(out, &info);
    }
    fputc(']', out);
}

static void print_cpu(FILE *out, const struct machine *m, const struct cpu_snapshot *c,
                      const struct options *o)
{
    bool counted = m->profile->counted;

    fprintf(out, "{\"cpu\":%u,\"state\":\"%s\"", c->cpu, machine_cpu_state_name(c->info.state));
    if (c->on) {
        fprintf(out, ",\"consistent\":%s", counted ? boolean_text(c->consistent) : "null");
        put_hex(out, "root", true, c->info.root);
        print_chain(out, &c->chain);
        dump_json_counts(out, c);
        print_slots(out, m, c, o);
    }
    fputc('}', out);
}

void dump_json(FILE *out, const struct snapshot *snap, const struct options *o)
{
    bool first = true;

    print_head(out, &snap->machine);
    fputs(",\"cpus\":[", out);
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        if (!dump_wants_cpu(o, i))
            continue;
        if (!first)
            fputc(',', out);
        first = false;
        print_cpu(out, &snap->machine, &snap->cpu[i], o);
    }
    fputs("]}\n", out);
}
