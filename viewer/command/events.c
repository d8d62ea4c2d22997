/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/events.h"

#include "command/context.h"
#include "command/json.h"
#include "command/output.h"
#include "model/profile.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define BATCH      4096 /* records a CPU and step */
#define WHERE_MAX  128
#define PAUSE_NS   2000000 /* a ring of 4096 is full after 7 ms at full rate */
#define HEALTH_NTH 64      /* steps between looks at the target's health */

static void json_call(FILE *out, const struct symbols *symbols, const struct event *e)
{
    bool map = e->kind == TRACE_MAP, slot = e->kind != TRACE_BYPASS;
    char where[WHERE_MAX];

    symbols_where(symbols, e->caller, where, sizeof(where));
    if (slot)
        put_number(out, "slot", true, e->slot);
    put_hex(out, "mfn", true, e->mfn);
    if (slot) {
        put_number(out, "refs", true, e->refs);
        fprintf(out, ",\"hit\":%s", map ? boolean_text(e->hit) : "null");
        put_number(out, "probe", map, e->probe);
    }
    put_hex(out, "caller", true, e->caller);
    put_string(out, "where", where[0] ? where : NULL);
}

static void json_store(FILE *out, const struct event *e)
{
    put_string(out, "regime", store_regime_name(e));
    put_hex(out, "pa", true, e->pa);
    put_hex(out, "old", true, e->old);
    put_hex(out, "new", true, e->new);
    put_number(out, "level", e->level != EVENT_NO_LEVEL, e->level);
    put_number(out, "ticket", e->ticket, e->ticket);
}

static void json_tlbi(FILE *out, const struct event *e)
{
    uint64_t va, bytes, asid;
    bool range = tlbi_range(e, &va, &bytes), of_asid = tlbi_asid(e, &asid);

    put_string(out, "op", tlbi_op_name(e));
    put_hex(out, "va", range, va);
    put_hex(out, "size", range, bytes);
    put_string(out, "scope", tlbi_scope_name(e));
    put_number(out, "asid", of_asid, asid);
}

static void json_other(FILE *out, const struct event *e)
{
    char words[EVENT_TEXT_MAX + 1];

    if (e->lost) {
        put_number(out, "count", true, e->lost);
    } else if (e->kind == TRACE_PTE) {
        json_store(out, e);
    } else if (e->kind == TRACE_TLBI) {
        json_tlbi(out, e);
    } else if (e->kind == EVENT_DSB || e->kind == EVENT_ISB) {
        put_string(out, "domain", e->kind == EVENT_DSB ? dsb_domain_name(e) : NULL);
        put_string(out, "type", e->kind == EVENT_DSB ? dsb_type_name(e) : NULL);
    } else if (e->kind == TRACE_TTBR) {
        put_hex(out, "value", true, e->operand);
    } else {
        event_describe(e, words, sizeof(words));
        put_string(out, "message", words);
    }
}

void event_json(FILE *out, const struct machine *m, const struct symbols *symbols,
                const struct event *e)
{
    fprintf(out,
            "{\"schema\":\"hvscope.event/1\",\"seq\":%" PRIu64 ",\"t\":%" PRIu64
            ",\"cpu\":%u,\"event\":\"%s\"",
            e->seq, event_ns(m, e->ticks), e->cpu, event_name(e));
    if (event_is_call(e))
        json_call(out, symbols, e);
    else
        json_other(out, e);
    fputs("}\n", out);
}

static void text_call(FILE *out, const struct event *e)
{
    if (e->kind != TRACE_BYPASS)
        fprintf(out, "slot %4u  refs %2u  ", e->slot, e->refs);
    fprintf(out, "mfn 0x%-7" PRIx64, e->mfn);
    if (e->kind == TRACE_MAP)
        fprintf(out, "  %s +%-3u", e->hit ? "hit " : "take", e->probe);
    else if (e->kind == TRACE_UNMAP)
        fprintf(out, "  %9s", "");
}

/* Where it is, and the line; of a call, where the call is. */
static void text_where(FILE *out, const struct symbols *symbols, const struct event *e)
{
    char where[WHERE_MAX], line[WHERE_MAX];

    symbols_where(symbols, e->caller, where, sizeof(where));
    symbols_line(symbols, e->caller, line, sizeof(line));
    if (where[0])
        fprintf(out, "  %s", where);
    else
        fprintf(out, "  0x%" PRIx64, e->caller);
    fprintf(out, "%s%s", line[0] ? "  " : "", line);
}

void event_text(FILE *out, const struct machine *m, const struct symbols *symbols,
                const struct event *e)
{
    char words[WHERE_MAX];

    fprintf(out, "%14.6f  CPU%-2u  %-6s  ", (double)event_ns(m, e->ticks) / 1e9, e->cpu,
            event_name(e));
    if (event_is_call(e)) {
        text_call(out, e);
    } else {
        event_describe(e, words, sizeof(words));
        fputs(words, out);
    }
    if (!e->lost && e->caller)
        text_where(out, symbols, e);
    fputc('\n', out);
}

int event_stream_open(struct event_stream *s, const struct options *o, const struct source *src,
                      const struct symbols *symbols, struct failure *f)
{
    *s = (struct event_stream){.o = o, .src = src, .symbols = symbols, .batch = BATCH};
    s->records = malloc(BATCH * sizeof(*s->records));
    if (s->records)
        return 0;
    return failure_set(f, EXIT_NO_TARGET, "out of memory");
}

void event_stream_close(struct event_stream *s)
{
    free(s->records);
    event_list_free(&s->events);
    s->records = NULL;
}

static bool read_cpu(struct event_stream *s, const struct snapshot *snap, unsigned int cpu)
{
    struct ring_batch b = {.record = s->records, .max = s->batch};

    if (!ring_read(s->src, &snap->machine, cpu, &snap->cpu[cpu].info, &s->cursor[cpu], &b))
        return false;
    s->lost += b.lost;
    s->seen += b.nr;
    return ring_events(&s->cursor[cpu], &b, snap, cpu, &s->events) && b.more;
}

/* The next batch of every CPU, behind what is in s->events. */
static bool read_more(struct event_stream *s, const struct snapshot *snap)
{
    bool more = false;

    for (unsigned int cpu = 0; cpu < snap->ncpu; cpu++) {
        if (!s->o->some_cpus || (s->o->cpu_mask >> cpu & 1))
            more |= read_cpu(s, snap, cpu);
    }
    return more;
}

static void sort(struct event_stream *s)
{
    if (s->events.nr)
        qsort(s->events.event, s->events.nr, sizeof(*s->events.event), event_compare);
}

bool event_stream_read(struct event_stream *s, const struct snapshot *snap)
{
    bool more;

    s->events.nr = 0;
    more = read_more(s, snap);
    sort(s);
    return more;
}

/* Steps that the largest ring takes: of one that is being written there is always more. */
static unsigned int steps_of(const struct snapshot *snap)
{
    uint64_t most = 0;

    for (unsigned int cpu = 0; cpu < snap->ncpu; cpu++) {
        if (snap->cpu[cpu].info.ring_entries > most)
            most = snap->cpu[cpu].info.ring_entries;
    }
    return 1 + (most < UINT32_MAX ? (unsigned int)most : 0) / BATCH;
}

void event_stream_read_all(struct event_stream *s, const struct context *ctx)
{
    unsigned int frame = 0;

    s->events.nr = 0;
    do {
        for (unsigned int i = steps_of(ctx->snap); i > 0 && read_more(s, ctx->snap); i--)
            ;
    } while (context_frame(ctx, ++frame));
    sort(s);
}

bool event_stream_step(struct event_stream *s, const struct snapshot *snap, FILE *out)
{
    bool more = event_stream_read(s, snap);

    for (size_t i = 0; i < s->events.nr; i++) {
        if (s->o->json)
            event_json(out, &snap->machine, s->symbols, &s->events.event[i]);
        else
            event_text(out, &snap->machine, s->symbols, &s->events.event[i]);
    }
    return more;
}

static int require_ring(const struct machine *m, struct failure *f)
{
    if (m->beacon.trace_mode != TRACE_OFF)
        return 0;
    return failure_set(f, EXIT_NO_MAPCACHE, "%s",
                       m->profile->counted
                           ? "the image records no events: boot it with trace=api"
                           : "a Xen records no events: start it with TRACE=1, or log "
                             "its calls in GDB with mapcache-trace");
}

static bool write_out(const char *text, size_t size)
{
    while (size) {
        ssize_t n = write(STDOUT_FILENO, text, size);

        if (n < 0 && errno != EINTR)
            return false;
        if (n > 0) {
            text += n;
            size -= (size_t)n;
        }
    }
    return true;
}

/* One step's lines, written; while a slow reader holds us up the rings go on. */
static int follow_step(struct event_stream *s, const struct snapshot *snap, bool *more,
                       struct failure *f)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    bool ok;

    if (!out)
        return failure_set(f, EXIT_NO_TARGET, "out of memory");
    *more = event_stream_step(s, snap, out);
    ok = fclose(out) == 0 && write_out(text, size);
    free(text);
    return ok ? 0
              : failure_set(f, EXIT_USAGE, "cannot write to the standard output: %s",
                            strerror(errno));
}

/* All that there is. Streams have gigabytes of it: a piece at a time, nothing can fail now. */
static int print_all(const struct context *ctx, struct event_stream *s, struct failure *f)
{
    unsigned int frame = 0;
    bool more;
    int ret = 0;

    do {
        more = true;
        for (unsigned int i = steps_of(ctx->snap); ret == 0 && i > 0 && more; i--)
            ret = follow_step(s, ctx->snap, &more, f);
    } while (ret == 0 && context_frame(ctx, ++frame));
    return ret;
}

int print_events(const struct context *ctx, FILE *out, struct failure *f)
{
    struct event_stream s;

    if (require_ring(&ctx->snap->machine, f) ||
        event_stream_open(&s, ctx->o, ctx->src, ctx->symbols, f))
        return -1;
    for (unsigned int i = steps_of(ctx->snap); i > 0 && event_stream_step(&s, ctx->snap, out); i--)
        ;
    event_stream_close(&s);
    return 0;
}

static int check_target(const struct context *ctx, struct failure *f)
{
    if (target_health(&ctx->target) != SOURCE_OK)
        return failure_set(f, EXIT_NO_TARGET, "the machine has gone");
    if (!machine_is_same_boot(ctx->src, &ctx->snap->machine))
        return failure_set(f, EXIT_NO_TARGET, "the machine was reset");
    return 0;
}

static int follow(const struct context *ctx, struct event_stream *s, struct failure *f)
{
    bool shared = source_is_shared(ctx->src);
    const struct timespec pause = {.tv_nsec = shared ? SOURCE_TURN_NS : PAUSE_NS};
    bool more = false, over = source_is_recording(ctx->src);
    int ret = 0;

    for (unsigned int step = 0; ret == 0; step++) {
        if (!source_take(ctx->target.src))
            continue;
        ret = follow_step(s, ctx->snap, &more, f);
        if (over)
            break;
        if (ret == 0 && (shared || step % HEALTH_NTH == HEALTH_NTH - 1))
            ret = check_target(ctx, f);
        source_give(ctx->target.src);
        if (ret == 0 && !more)
            nanosleep(&pause, NULL);
    }
    return ret;
}

int command_events(const struct options *o)
{
    struct failure f;
    struct context ctx;
    struct event_stream s;
    int ret;

    if (context_open(&ctx, o, &f))
        return failure_report(&f);
    ret = require_ring(&ctx.snap->machine, &f);
    if (ret == 0)
        ret = event_stream_open(&s, o, ctx.src, ctx.symbols, &f);
    if (ret == 0) {
        ret = (o->follow ? follow : print_all)(&ctx, &s, &f);
        event_stream_close(&s);
    }
    context_close(&ctx);
    return ret ? failure_report(&f) : EXIT_DONE;
}
