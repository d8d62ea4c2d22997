/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope cpus and stats.
 */
#include "command/context.h"
#include "command/dump.h"
#include "command/json.h"
#include "model/profile.h"
#include "model/stats.h"

#include <inttypes.h>

static const char *const beacon_states[] = {"booting", "mmu-on", "mapcache-ready", "panicked",
                                            "off"};

static void json_cpu(FILE *out, const struct cpu_snapshot *c, const struct profile *p)
{
    static const char *const unknown[] = {"thread", "el", "mmu", "pc", "symbol"};
    uint64_t generation = c->info.generation;

    fprintf(out, "{\"cpu\":%u", c->cpu);
    put_string(out, "state", p->tells_cpus ? machine_cpu_state_name(c->info.state) : NULL);
    put_hex(out, "root", p->tells_cpus && c->on, c->info.root);
    put_number(out, "generation", p->counted && c->on, generation);
    fprintf(out, ",\"inside\":%s", p->counted && c->on ? boolean_text(generation % 2) : "null");
    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
        put_string(out, unknown[i], NULL);
    fputc('}', out);
}

static void text_cpu(FILE *out, const struct cpu_snapshot *c, const struct profile *p)
{
    char root[24] = "-";

    if (c->on)
        snprintf(root, sizeof(root), "0x%" PRIx64, c->info.root);
    if (!p->counted) {
        fprintf(out, "   %3u  %-7s  %-14s  -               -           -\n", c->cpu,
                machine_cpu_state_name(c->info.state), root);
        return;
    }
    fprintf(out, "   %3u  %-7s  %-14s  %-5s  %10" PRIu64 "  %10" PRIu64 "\n", c->cpu,
            machine_cpu_state_name(c->info.state), root,
            !c->on                   ? "-"
            : c->info.generation % 2 ? "busy"
                                     : "rest",
            c->info.maps, c->info.unmaps);
}

int print_cpus(const struct context *ctx, FILE *out, struct failure *f)
{
    const struct machine *m = &ctx->snap->machine;
    bool first = true;

    (void)f;
    if (ctx->o->json) {
        fputs("{\"schema\":\"hvscope.cpus/1\",", out);
        context_json_target(out, m);
        put_string(out, "state", m->profile->counted ? beacon_states[m->beacon.state] : NULL);
        fputs(",\"cpus\":[", out);
    } else {
        context_text_head(out, m);
        fputs("   cpu  state    root            slots        maps      unmaps\n", out);
    }
    for (unsigned int cpu = 0; cpu < ctx->snap->ncpu; cpu++) {
        if (!context_wants_cpu(ctx, cpu))
            continue;
        if (ctx->o->json && !first)
            fputc(',', out);
        first = false;
        if (ctx->o->json)
            json_cpu(out, &ctx->snap->cpu[cpu], m->profile);
        else
            text_cpu(out, &ctx->snap->cpu[cpu], m->profile);
    }
    if (ctx->o->json)
        fputs("]}\n", out);
    return 0;
}

static void json_list(FILE *out, const char *key, const unsigned int *n, unsigned int nr)
{
    fprintf(out, ",\"%s\":[", key);
    for (unsigned int i = 0; i < nr; i++)
        fprintf(out, "%s%u", i ? "," : "", n[i]);
    fputc(']', out);
}

static void json_stats(FILE *out, const struct cpu_snapshot *c, const struct slot_spread *s,
                       bool counted)
{
    const struct beacon_cpu *b = &c->info;

    fprintf(out, "{\"cpu\":%u", c->cpu);
    put_string(out, "state", machine_cpu_state_name(b->state));
    if (!c->on) {
        fputc('}', out);
        return;
    }
    dump_json_counts(out, c);
    put_number(out, "maps", counted, b->maps);
    put_number(out, "unmaps", counted, b->unmaps);
    put_number(out, "hits", counted, b->hits);
    put_number(out, "commandeers", counted, b->commandeers);
    put_number(out, "probes", counted, b->probes);
    put_number(out, "bypasses", counted, b->bypasses);
    put_number(out, "work", counted, b->work);
    put_number(out, "verified", counted, b->verified);
    json_list(out, "refs", s->refs, SPREAD_REFS);
    json_list(out, "probe", s->probe, SPREAD_PROBES);
    fputc('}', out);
}

static void text_counters(FILE *out, const struct cpu_snapshot *c, bool counted)
{
    const struct beacon_cpu *b = &c->info;
    double maps = b->maps ? (double)b->maps : 1;

    if (!counted) {
        fprintf(out, "CPU%u  a Xen does not count its maps\n", c->cpu);
        return;
    }
    fprintf(out, "CPU%u  %" PRIu64 " maps, %" PRIu64 " unmaps, %" PRIu64 " bypasses\n", c->cpu,
            b->maps, b->unmaps, b->bypasses);
    fprintf(out, "  hits %.1f %%, commandeered %.1f %%, %.2f slots passed over a map\n",
            100.0 * (double)b->hits / maps, 100.0 * (double)b->commandeers / maps,
            (double)b->probes / maps);
    fprintf(out, "  %" PRIu64 " operations, %" PRIu64 " pages verified\n", b->work, b->verified);
}

static void text_stats(FILE *out, const struct cpu_snapshot *c, const struct slot_spread *s,
                       bool counted)
{
    if (!c->on) {
        fprintf(out, "CPU%u  %s\n", c->cpu, machine_cpu_state_name(c->info.state));
        return;
    }
    text_counters(out, c, counted);
    fputs("  slots by count    ", out);
    for (unsigned int i = 0; i < SPREAD_REFS; i++) {
        if (s->refs[i])
            fprintf(out, "  %u: %u", i, s->refs[i]);
    }
    fputs("\n  slots by distance ", out);
    for (unsigned int i = 0; i < SPREAD_PROBES; i++) {
        if (s->probe[i])
            fprintf(out, "  %s: %u", spread_probe_name(i), s->probe[i]);
    }
    fputc('\n', out);
}

int print_stats(const struct context *ctx, FILE *out, struct failure *f)
{
    const struct machine *m = &ctx->snap->machine;
    struct slot_spread spread;
    bool first = true;

    (void)f;
    if (ctx->o->json) {
        fputs("{\"schema\":\"hvscope.stats/1\",\"cpus\":[", out);
    } else {
        context_text_head(out, m);
    }
    for (unsigned int cpu = 0; cpu < ctx->snap->ncpu; cpu++) {
        if (!context_wants_cpu(ctx, cpu))
            continue;
        spread_slots(m, &ctx->snap->cpu[cpu], &spread);
        if (ctx->o->json && !first)
            fputc(',', out);
        first = false;
        if (ctx->o->json)
            json_stats(out, &ctx->snap->cpu[cpu], &spread, m->profile->counted);
        else
            text_stats(out, &ctx->snap->cpu[cpu], &spread, m->profile->counted);
    }
    if (ctx->o->json)
        fputs("]}\n", out);
    return 0;
}
