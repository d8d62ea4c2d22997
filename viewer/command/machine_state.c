/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope cpus and stats.
 */
#include "command/context.h"
#include "command/dump.h"
#include "command/json.h"
#include "model/profile.h"
#include "model/stats.h"
#include "model/stream.h"
#include "source/gdb.h"

#include <inttypes.h>

#define SCTLR_M 1

static const char *const beacon_states[] = {"booting", "mmu-on", "mapcache-ready", "panicked",
                                            "off"};

/* A CPU, and where it stands if that is known. */
struct cpu_row {
    const struct cpu_snapshot *c;
    const struct symbols *symbols;
    const struct profile *profile;
    struct cpu_place place;
    bool has_thread, has_mmu, mmu;
};

static struct cpu_row cpu_row(const struct context *ctx, const struct places *places,
                              unsigned int cpu)
{
    struct cpu_row row = {
        .c = &ctx->snap->cpu[cpu], .symbols = ctx->symbols, .profile = ctx->snap->machine.profile};
    uint64_t sctlr;

    if (cpu < places->nr)
        row.place = places->cpu[cpu];
    row.has_thread = source_is_gdb(ctx->src);
    row.has_mmu = source_register(ctx->src, cpu, "SCTLR_EL2", &sctlr) == 0;
    row.mmu = row.has_mmu && (sctlr & SCTLR_M);
    return row;
}

/* A PC at EL2 is one of the image's; at EL1 it is a guest's. */
static void row_symbol(const struct cpu_row *row, char *buf, size_t size)
{
    buf[0] = '\0';
    if (row->place.known && row->place.el == 2)
        symbols_at(row->symbols, row->place.pc, buf, size);
}

static void json_cpu(FILE *out, const struct cpu_row *row)
{
    const struct cpu_snapshot *c = row->c;
    uint64_t generation = c->info.generation;
    bool told = row->profile->tells_cpus, counted = row->profile->counted && c->on;
    char symbol[128];

    row_symbol(row, symbol, sizeof(symbol));
    fprintf(out, "{\"cpu\":%u", c->cpu);
    put_string(out, "state", told ? machine_cpu_state_name(c->info.state) : NULL);
    put_hex(out, "root", told && c->on, c->info.root);
    put_number(out, "generation", counted, generation);
    fprintf(out, ",\"inside\":%s", counted ? boolean_text(generation % 2) : "null");
    put_number(out, "thread", row->has_thread, c->cpu + 1);
    put_number(out, "el", row->place.known, row->place.el);
    fprintf(out, ",\"mmu\":%s", row->has_mmu ? boolean_text(row->mmu) : "null");
    put_hex(out, "pc", row->place.known, row->place.pc);
    put_string(out, "symbol", symbol[0] ? symbol : NULL);
    fputc('}', out);
}

static const char *slots_word(const struct cpu_row *row)
{
    if (!row->profile->counted || !row->c->on)
        return "-";
    return row->c->info.generation % 2 ? "busy" : "rest";
}

static void text_cpu(FILE *out, const struct cpu_row *row)
{
    char root[24] = "-", thread[8] = "-", el[8] = "-", at[128];

    if (row->profile->tells_cpus && row->c->on)
        snprintf(root, sizeof(root), "0x%" PRIx64, row->c->info.root);
    if (row->has_thread)
        snprintf(thread, sizeof(thread), "%u", row->c->cpu + 1);
    if (row->place.known)
        snprintf(el, sizeof(el), "%u", row->place.el);
    row_symbol(row, at, sizeof(at));
    if (!at[0] && row->place.known)
        snprintf(at, sizeof(at), "0x%" PRIx64, row->place.pc);
    fprintf(out, "   %3u  %-7s  %-14s  %-5s  %3s  %2s  %-3s  %.22s\n", row->c->cpu,
            row->profile->tells_cpus ? machine_cpu_state_name(row->c->info.state) : "-", root,
            slots_word(row), thread, el,
            !row->has_mmu ? "-"
            : row->mmu    ? "on"
                          : "off",
            at[0] ? at : "-");
}

int print_cpus(const struct context *ctx, FILE *out, struct failure *f)
{
    const struct machine *m = &ctx->snap->machine;
    struct places places = {0};
    bool first = true;

    (void)f;
    if (ctx->places)
        places = *ctx->places;
    else if (!target_places(&ctx->target, &places))
        places.nr = 0;
    if (ctx->o->json) {
        fputs("{\"schema\":\"hvscope.cpus/1\",", out);
        context_json_target(out, m);
        put_string(out, "state", m->profile->counted ? beacon_states[m->beacon.state] : NULL);
        fputs(",\"cpus\":[", out);
    } else {
        context_text_head(out, m);
        fputs("   cpu  state    root            slots  thr  EL  MMU  at\n", out);
    }
    for (unsigned int cpu = 0; cpu < ctx->snap->ncpu; cpu++) {
        struct cpu_row row = cpu_row(ctx, &places, cpu);

        if (!context_wants_cpu(ctx, cpu))
            continue;
        if (ctx->o->json && !first)
            fputc(',', out);
        first = false;
        if (ctx->o->json)
            json_cpu(out, &row);
        else
            text_cpu(out, &row);
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
                       const struct machine *m)
{
    const struct beacon_cpu *b = &c->info;
    bool counted = machine_counts(m), own = m->profile->counted;

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
    put_number(out, "work", own, b->work);
    put_number(out, "verified", own, b->verified);
    json_list(out, "refs", s->refs, SPREAD_REFS);
    json_list(out, "probe", s->probe, SPREAD_PROBES);
    fputc('}', out);
}

#define BAR 40 /* columns of the longest */

/* A bar for each row that is not 0. */
static void histogram(FILE *out, const char *title, const unsigned int *n, unsigned int nr,
                      bool is_probe)
{
    unsigned int most = 1;
    char name[16];

    for (unsigned int i = 0; i < nr; i++)
        most = n[i] > most ? n[i] : most;
    for (unsigned int i = 0; i < nr; i++) {
        unsigned int bar = n[i] * BAR / most;

        if (!n[i])
            continue;
        snprintf(name, sizeof(name), "%u", i);
        fprintf(out, "  %s %8s  %4u  ", title, is_probe ? spread_probe_name(i) : name, n[i]);
        for (unsigned int k = 0; k < (bar ? bar : 1); k++)
            fputc('#', out);
        fputc('\n', out);
    }
}

/* A share with one digit, "-" of nothing. */
static void percent(uint64_t part, uint64_t whole, char *buf, size_t size)
{
    if (whole)
        snprintf(buf, size, "%.1f %%", 100.0 * (double)part / (double)whole);
    else
        snprintf(buf, size, "-");
}

static void text_counters(FILE *out, const struct beacon_cpu *b, bool own)
{
    char hits[16], commandeered[16];

    percent(b->hits, b->maps, hits, sizeof(hits));
    percent(b->commandeers, b->maps, commandeered, sizeof(commandeered));
    fprintf(out, "  %" PRIu64 " maps, %" PRIu64 " unmaps, %" PRIu64 " bypasses\n", b->maps,
            b->unmaps, b->bypasses);
    fprintf(out, "  %s hits, %s commandeered, %.2f probes a map\n", hits, commandeered,
            b->maps ? (double)b->probes / (double)b->maps : 0.0);
    if (own)
        fprintf(out, "  %" PRIu64 " operations of the workload, %" PRIu64 " pages verified\n",
                b->work, b->verified);
}

/* GDB's mapcache-stats prints the same bytes. */
static void text_stats(FILE *out, const struct cpu_snapshot *c, const struct slot_spread *s,
                       const struct machine *m)
{
    if (!c->on) {
        fprintf(out, "CPU%u  %s\n", c->cpu, machine_cpu_state_name(c->info.state));
        return;
    }
    fprintf(out, "CPU%u  ", c->cpu);
    for (int state = 0; state < SLOT_STATES; state++)
        fprintf(out, "%s%u %s", state ? ", " : "", c->counts[state], slot_state_name(state));
    fprintf(out, "; %u refs\n", c->refs);
    if (machine_counts(m))
        text_counters(out, &c->info, m->profile->counted);
    else
        fputs("  a Xen does not count its maps\n", out);
    histogram(out, "count", s->refs, SPREAD_REFS, false);
    histogram(out, "probe", s->probe, SPREAD_PROBES, true);
}

/* What was seen from outside, and what was not. */
static void text_tracer(FILE *out, const struct context *ctx)
{
    uint64_t records = 0, gone = 0;
    struct trace_totals t;

    if (!stream_totals(ctx->src, &ctx->snap->machine, &t))
        return;
    for (unsigned int cpu = 0; cpu < ctx->snap->ncpu; cpu++) {
        const struct beacon_cpu *b = &ctx->snap->cpu[cpu].info;

        records += b->ring_head;
        gone += b->ring_head > b->ring_entries ? b->ring_head - b->ring_entries : 0;
    }
    fprintf(out,
            "tracer: %" PRIu64 " records, the oldest %" PRIu64 " gone; %" PRIu64
            " tables followed\n  not seen: %" PRIu64 " tables refused, %" PRIu64
            " roots of another kind, %" PRIu64 " calls unmatched, %" PRIu64 " left open\n",
            records, gone, t.tables, t.refused, t.foreign, t.unmatched, t.open_calls);
}

int print_stats(const struct context *ctx, FILE *out, struct failure *f)
{
    const struct machine *m = &ctx->snap->machine;
    struct slot_spread spread;
    bool first = true;

    (void)f;
    if (ctx->o->json)
        fputs("{\"schema\":\"hvscope.stats/1\",\"cpus\":[", out);
    for (unsigned int cpu = 0; cpu < ctx->snap->ncpu; cpu++) {
        if (!context_wants_cpu(ctx, cpu))
            continue;
        spread_slots(m, &ctx->snap->cpu[cpu], &spread);
        if (ctx->o->json && !first)
            fputc(',', out);
        first = false;
        if (ctx->o->json)
            json_stats(out, &ctx->snap->cpu[cpu], &spread, m);
        else
            text_stats(out, &ctx->snap->cpu[cpu], &spread, m);
    }
    if (ctx->o->json)
        fputs("]}\n", out);
    else
        text_tracer(out, ctx);
    return 0;
}
