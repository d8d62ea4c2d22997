/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope check: what must hold of the tables, and the order of stores, TLBIs
 * and barriers. Exit status: clean 0, findings 1, incomplete 6.
 */
#include "command/check.h"

#include "command/context.h"
#include "command/events.h"
#include "command/json.h"
#include "command/output.h"
#include "model/check.h"
#include "model/judge.h"
#include "model/profile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define WHERE_MAX   128
#define MESSAGE_MAX 240
#define TEXT_INDENT 11

struct checked {
    struct findings *tables;
    struct judgement order;
    unsigned int entries; /* that were looked at */
};

static const char *verdict_name(const struct checked *c)
{
    if (findings_wrong(c->tables) || judgement_wrong(&c->order))
        return "findings";
    return judgement_incomplete(&c->order) ? "incomplete" : "clean";
}

static enum exit_status verdict_status(const struct checked *c)
{
    if (findings_wrong(c->tables) || judgement_wrong(&c->order))
        return EXIT_NOT_MET;
    return judgement_incomplete(&c->order) ? EXIT_INCOMPLETE : EXIT_DONE;
}

static void message_of(const struct bbm_finding *f, char *text, size_t size)
{
    int n = snprintf(text, size, "%s", bbm_rule_text(f->rule));

    if (f->missing == BBM_NOT_COVERED)
        n += snprintf(text + n, size - (size_t)n, ": CPU%u is not covered", f->missing_cpu);
    else if (f->missing)
        n += snprintf(text + n, size - (size_t)n, ": %s", bbm_missing_text(f->missing));
    if (f->rule == BBM_OPERAND || f->rule == BBM_CNP)
        snprintf(text + n, size - (size_t)n, ": 0x%" PRIx64, f->va);
    else
        snprintf(text + n, size - (size_t)n,
                 "; va 0x%" PRIx64 ", entry at 0x%" PRIx64 ": 0x%" PRIx64 " -> 0x%" PRIx64, f->va,
                 f->pa, f->old, f->new);
}

/* One object of "findings"; window: NULL where none came to an end. */
static void json_finding(FILE *out, bool *first, const char *rule, const char *severity, int tier,
                         bool certain, unsigned int cpu, int slot, uint64_t count,
                         const struct bbm_finding *window, const char *where, const char *message)
{
    bool closed = window && window->closed;

    fprintf(out, "%s{\"rule\":", *first ? "" : ",");
    *first = false;
    put_text(out, rule);
    put_string(out, "severity", severity);
    put_number(out, "tier", tier, (uint64_t)tier);
    fprintf(out, ",\"certain\":%s", boolean_text(certain));
    put_number(out, "cpu", true, cpu);
    put_number(out, "slot", slot >= 0, (uint64_t)slot);
    put_number(out, "count", true, count);
    put_number(out, "window_events", closed, closed ? window->window_events : 0);
    put_number(out, "window_ns", closed, closed ? window->window_ns : 0);
    put_number(out, "window_irqs", closed, closed ? window->window_irqs : 0);
    put_string(out, "where", where && where[0] ? where : NULL);
    put_string(out, "message", message);
    fputc('}', out);
}

static void json_order(FILE *out, bool *first, const struct context *ctx, const struct judgement *j)
{
    for (unsigned int i = 0; i < BBM_FINDINGS; i++) {
        const struct bbm_finding *f = judgement_row(j, i);
        char where[WHERE_MAX], message[MESSAGE_MAX];

        if (!f)
            continue;
        symbols_where(ctx->symbols, f->where, where, sizeof(where));
        message_of(f, message, sizeof(message));
        json_finding(out, first, bbm_rule_tag(f), bbm_tier_name(f->tier), (int)f->tier, f->certain,
                     f->cpu, judge_slot(&ctx->snap->machine, f->va), f->count, f, where, message);
    }
}

#define OTHERS "in other places, more than the image has rows for"

/* What the image counts of itself and has no row for: a line a CPU and tier. */
static void json_others(FILE *out, bool *first, const struct context *ctx,
                        const struct judgement *j)
{
    for (unsigned int i = 0; i < ctx->snap->ncpu; i++) {
        for (enum bbm_tier tier = BBM_VIOLATION; tier <= BBM_NOTE; tier++) {
            uint64_t count = judgement_others(j, ctx->snap, i, tier);

            if (count)
                json_finding(out, first, "others", bbm_tier_name(tier), (int)tier, true, i, -1,
                             count, NULL, NULL, OTHERS);
        }
    }
}

static void text_others(FILE *out, const struct context *ctx, const struct judgement *j)
{
    for (unsigned int i = 0; i < ctx->snap->ncpu; i++) {
        for (enum bbm_tier tier = BBM_VIOLATION; tier <= BBM_NOTE; tier++) {
            uint64_t count = judgement_others(j, ctx->snap, i, tier);

            if (count)
                fprintf(out, "%-9s  others  CPU%u  %" PRIu64 "x  %s\n", bbm_tier_name(tier), i,
                        count, OTHERS);
        }
    }
}

static void print_json(FILE *out, const struct context *ctx, const struct checked *c)
{
    const struct bbm_totals *t = &c->order.totals;
    bool first = true;

    fprintf(out,
            "{\"schema\":\"hvscope.check/1\",\"verdict\":\"%s\",\"read\":{\"entries\":%u,"
            "\"events\":%" PRIu64 ",\"lost\":%" PRIu64 ",\"unjudged\":%" PRIu64 "},\"findings\":[",
            verdict_name(c), c->entries, c->order.events, t->lost, t->unjudged);
    for (unsigned int i = 0; i < c->tables->nr; i++) {
        const struct finding *f = &c->tables->finding[i];

        json_finding(out, &first, rule_name(f->rule), rule_is_note(f->rule) ? "note" : "error", 0,
                     true, f->cpu, f->slot, 1, NULL, NULL, f->text);
    }
    json_order(out, &first, ctx, &c->order);
    json_others(out, &first, ctx, &c->order);
    fputs("]}\n", out);
}

static void text_tables(FILE *out, const struct machine *m, const struct findings *f)
{
    /* Of leaks nothing is known in a moment; the order of events has lines of its own. */
    for (int rule = 0; rule < RULE_LEAK; rule++) {
        unsigned int n = f->count[rule];
        bool note = rule_is_note((enum rule)rule);

        if (!rule_applies((enum rule)rule, m))
            continue;
        fprintf(out, "%-5s  %s",
                !n     ? "ok"
                : note ? "note"
                       : "WRONG",
                rule_text((enum rule)rule, n));
        fprintf(out, n ? ": %u\n" : "\n", n);
    }
    for (unsigned int i = 0; i < f->nr; i++) {
        if (!rule_is_note(f->finding[i].rule))
            fprintf(out, "       %s CPU%u %s\n", rule_name(f->finding[i].rule), f->finding[i].cpu,
                    f->finding[i].text);
    }
}

/* A message, at most 79 columns wide: it goes on behind ";", "," or ":". */
static void put_wrapped(FILE *out, const char *text)
{
    const size_t room = 79 - TEXT_INDENT;
    size_t used = 0;

    fprintf(out, "%*s", TEXT_INDENT, "");
    while (*text) {
        size_t n = strcspn(text, ";,:");

        n += text[n] != '\0';
        if (used && used + n > room) {
            fprintf(out, "\n%*s", TEXT_INDENT, "");
            used = 0;
            if (*text == ' ') {
                text++;
                n--;
            }
        }
        fwrite(text, 1, n, out);
        used += n;
        text += n;
    }
    fputc('\n', out);
}

static void text_finding(FILE *out, const struct context *ctx, const struct bbm_finding *f)
{
    char where[WHERE_MAX], message[MESSAGE_MAX];

    symbols_where(ctx->symbols, f->where, where, sizeof(where));
    message_of(f, message, sizeof(message));
    fprintf(out, "%-9s  %s  CPU%u  %" PRIu64 "x  %s\n", bbm_tier_name(f->tier), bbm_rule_tag(f),
            f->cpu, f->count, f->where ? where[0] ? where : "" : "place not recorded");
    put_wrapped(out, message);
    if (!f->certain)
        put_wrapped(out, "possible: the order of two CPUs is not certain");
    if (f->closed)
        fprintf(out,
                "           longest window: %" PRIu64 " events, %" PRIu64 " ns, %" PRIu64
                " interrupts inside\n",
                f->window_events, f->window_ns, f->window_irqs);
    else if (f->tier != BBM_NOTE && f->rule < BBM_OPERAND)
        fputs("           the window was never closed by a completed TLBI\n", out);
}

static void text_order(FILE *out, const struct context *ctx, const struct checked *c)
{
    const struct bbm_totals *t = &c->order.totals;

    if (c->order.from == JUDGE_NOTHING)
        return;
    for (unsigned int i = 0; i < BBM_FINDINGS; i++) {
        if (judgement_row(&c->order, i))
            text_finding(out, ctx, judgement_row(&c->order, i));
    }
    text_others(out, ctx, &c->order);
    fprintf(out,
            "break-before-make%s: %" PRIu64 " events, %" PRIu64 " hazards, %" PRIu64
            " violations, %" PRIu64 " notes\n",
            c->order.from == JUDGE_IMAGE ? ", by the image itself" : "", c->order.events,
            t->hazards, t->violations, t->notes);
}

static void print_text(FILE *out, const struct context *ctx, const struct checked *c)
{
    if (ctx->snap->machine.profile->mapcache)
        text_tables(out, &ctx->snap->machine, c->tables);
    text_order(out, ctx, c);
    if (strcmp(verdict_name(c), "incomplete") != 0)
        fprintf(out, "verdict: %s\n", verdict_name(c));
    else if (c->order.from == JUDGE_NOTHING)
        fprintf(out, "verdict: incomplete: %s\n",
                ctx->snap->machine.profile->counted
                    ? "boot with trace=all or check=on"
                    : "the order of stores and TLBIs is known only under the tracer (TRACE=1)");
    else
        fprintf(out, "verdict: incomplete (%" PRIu64 " unjudged, %" PRIu64 " lost)\n",
                c->order.totals.unjudged, c->order.totals.lost);
}

/* All CPUs' events, whatever --cpu says: what one does matters to the others. */
static int check(const struct context *ctx, struct checked *c, struct failure *f)
{
    struct options all = *ctx->o;
    struct event_stream s;
    bool ok;

    all.some_cpus = false;
    if (event_stream_open(&s, &all, ctx->src, ctx->symbols, f))
        return -1;
    if (ctx->snap->machine.beacon.trace_mode != TRACE_OFF)
        event_stream_read_all(&s, ctx);
    ok = judge(&c->order, ctx->src, ctx->snap, &s.events);
    event_stream_close(&s);
    if (!ok)
        return failure_set(f, EXIT_NO_TARGET, "out of memory");
    check_snapshot(ctx->snap, NULL, c->tables);
    c->entries = c->tables->entries;
    return 0;
}

static int print_check(const struct context *ctx, struct checked *c, struct failure *f)
{
    struct output out;

    if (check(ctx, c, f) || output_begin(&out, f))
        return -1;
    if (ctx->o->json)
        print_json(out.file, ctx, c);
    else
        print_text(out.file, ctx, c);
    return output_end(&out, f);
}

int command_check(const struct options *o)
{
    struct findings *tables = calloc(1, sizeof(*tables));
    struct checked c = {.tables = tables};
    struct failure f;
    struct context ctx;
    int ret;

    if (!tables) {
        failure_set(&f, EXIT_NO_TARGET, "out of memory");
        return failure_report(&f);
    }
    ret = context_open(&ctx, o, &f);
    if (ret == 0) {
        ret = print_check(&ctx, &c, &f);
        context_close(&ctx);
    }
    if (ret == 0)
        ret = (int)verdict_status(&c);
    else
        ret = failure_report(&f);
    judgement_free(&c.order);
    free(tables);
    return ret;
}
