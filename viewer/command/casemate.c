/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/casemate.h"

#include "command/context.h"
#include "command/events.h"
#include "command/output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define PAGES_MAX  0x2000 /* that casemate can follow */
#define SRC_MAX    128
#define BLOCK_SIZE (UINT64_C(1) << 21)

/* A table as it was before the first event. */
struct table {
    uint64_t pa;
    uint64_t entry[PT_ENTRIES];
};

struct export
{
    const struct context *ctx;
    struct event_stream stream;
    size_t from; /* the first event of the stream that is exported: behind the last loss */
    unsigned int cpu;
    bool af0; /* AF cleared: versions 3.0.0 to 3.0.2 miss changes of entries that have it */
    FILE *out;
    uint64_t id;
    struct table *table;
    size_t nr_tables;
};

static struct table *find(const struct export *x, uint64_t pa)
{
    for (size_t i = 0; i < x->nr_tables; i++) {
        if (x->table[i].pa == (pa & ~PAGE_MASK))
            return &x->table[i];
    }
    return NULL;
}

/* The table of pa, read if it is not there yet; NULL: it is no memory, or they are too many. */
static struct table *add(struct export *x, uint64_t pa, bool *is_new)
{
    struct table *t = find(x, pa);

    *is_new = !t;
    pa &= ~PAGE_MASK;
    if (t || x->nr_tables == PAGES_MAX ||
        !machine_has_memory(&x->ctx->snap->machine, pa, PAGE_SIZE))
        return t;
    t = &x->table[x->nr_tables];
    t->pa = pa;
    if (source_read_phys(x->ctx->src, pa, t->entry, PAGE_SIZE))
        return NULL;
    x->nr_tables++;
    return t;
}

static void walk(struct export *x, uint64_t pa, unsigned int level)
{
    bool is_new;
    const struct table *t = add(x, pa, &is_new);

    for (unsigned int i = 0; t && is_new && i < PT_ENTRIES; i++) {
        if (pte_is_table(t->entry[i], level))
            walk(x, paddr_x(pte_paddr(t->entry[i])), level + 1);
    }
}

static bool is_store(const struct event *e)
{
    return !e->lost && e->kind == TRACE_PTE && e->regime == TRACE_REGIME_EL2;
}

/*
 * The tables that are walked now and those that were written; what the events
 * changed is as it was before the first of them.
 */
static void collect(struct export *x)
{
    walk(x, x->ctx->snap->cpu[x->cpu].info.root, 0);
    for (size_t i = x->stream.events.nr; i-- > x->from;) {
        const struct event *e = &x->stream.events.event[i];
        struct table *t;
        bool is_new;

        if (!is_store(e))
            continue;
        t = e->cpu == x->cpu ? add(x, e->pa, &is_new) : find(x, e->pa);
        if (t)
            t->entry[(e->pa & PAGE_MASK) / sizeof(lpae_t)] = e->old;
    }
}

/* Where it was done, or which event it is; one colon. */
static void put_src(const struct export *x, const struct event *e)
{
    char line[SRC_MAX] = "";

    if (e && e->caller)
        symbols_line(x->ctx->symbols, e->caller, line, sizeof(line));
    if (line[0])
        fprintf(x->out, " (src \"%s\"))\n", line);
    else if (e)
        fprintf(x->out, " (src \"event:%" PRIu64 "\"))\n", e->seq);
    else
        fputs(" (src \"start:0\"))\n", x->out);
}

static void put_head(struct export *x, const char *what)
{
    fprintf(x->out, "(%s (id %" PRIu64 ") (tid 0)", what, x->id++);
}

static void put_write(struct export *x, uint64_t pa, uint64_t value, const struct event *e)
{
    put_head(x, "mem-write");
    fprintf(x->out, " (mem-order release) (address 0x%" PRIx64 ") (value 0x%" PRIx64 ")", pa,
            x->af0 ? value & ~PTE_AF : value);
    put_src(x, e);
}

static void put_start(struct export *x)
{
    for (size_t i = 0; i < x->nr_tables; i++) {
        put_head(x, "mem-init");
        fprintf(x->out, " (address 0x%" PRIx64 ") (size 0x1000)", x->table[i].pa);
        put_src(x, NULL);
    }
    for (size_t i = 0; i < x->nr_tables; i++) {
        for (unsigned int n = 0; n < PT_ENTRIES; n++) {
            if (x->table[i].entry[n])
                put_write(x, x->table[i].pa + n * sizeof(lpae_t), x->table[i].entry[n], NULL);
        }
    }
}

static void put_root(struct export *x, uint64_t root, const struct event *e)
{
    put_head(x, "sysreg-write");
    fprintf(x->out, " (sysreg ttbr0_el2) (value 0x%" PRIx64 ")", root);
    put_src(x, e);
}

static void put_tlbi(struct export *x, const struct event *e)
{
    uint64_t va, bytes, last;

    if (e->op > TRACE_TLBI_RVALE2)
        return;
    if (!tlbi_range(e, &va, &bytes)) {
        put_head(x, "tlbi");
        fputs(" alle2is", x->out);
        put_src(x, e);
        return;
    }
    last = va + bytes - 1;
    for (; va <= last; va = (va | (BLOCK_SIZE - 1)) + 1) {
        put_head(x, "tlbi");
        fprintf(x->out, " vae2is (value 0x%" PRIx64 ")", va >> PAGE_SHIFT);
        put_src(x, e);
    }
}

static void put_barrier(struct export *x, const struct event *e)
{
    unsigned int type = e->code & TRACE_DSB_TYPE_MASK;

    if (e->kind == EVENT_DSB && type == TRACE_DSB_TYPE_LD)
        return;
    put_head(x, "barrier");
    if (e->kind == EVENT_ISB)
        fputs(" isb", x->out);
    else
        fprintf(x->out, " dsb (kind %s)", type == TRACE_DSB_TYPE_ST ? "ishst" : "ish");
    put_src(x, e);
}

static void put_event(struct export *x, const struct event *e)
{
    if (is_store(e))
        put_write(x, e->pa, e->new, e);
    else if (e->kind == TRACE_TLBI)
        put_tlbi(x, e);
    else if (e->kind == EVENT_DSB || e->kind == EVENT_ISB)
        put_barrier(x, e);
    else if (e->kind == TRACE_TTBR)
        put_root(x, e->operand, e);
}

static void put_all(struct export *x)
{
    collect(x);
    put_start(x);
    put_root(x, x->ctx->snap->cpu[x->cpu].info.root, NULL);
    for (size_t i = x->from; i < x->stream.events.nr; i++) {
        const struct event *e = &x->stream.events.event[i];

        if (e->cpu == x->cpu)
            put_event(x, e);
    }
}

static int export_cpu(struct export *x, const char *prefix, struct failure *f)
{
    char path[4096];
    int n = snprintf(path, sizeof(path), "%s.cpu%u", prefix, x->cpu);

    if (n < 0 || (size_t)n >= sizeof(path))
        return failure_set(f, EXIT_USAGE, "--output: the name is too long");
    x->out = fopen(path, "w");
    if (!x->out)
        return failure_set(f, EXIT_USAGE, "cannot write to %s: %s", path, strerror(errno));
    x->id = x->nr_tables = 0;
    put_all(x);
    if (ferror(x->out) | fclose(x->out))
        return failure_set(f, EXIT_USAGE, "cannot write to %s: %s", path, strerror(errno));
    if (x->nr_tables == PAGES_MAX)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "CPU%u has more than %d tables: casemate cannot "
                           "follow them",
                           x->cpu, PAGES_MAX);
    printf("%s: %" PRIu64 " records, %zu tables\n", path, x->id, x->nr_tables);
    return 0;
}

/* Behind the last place where a CPU's events were lost: what was stored there is not known. */
static size_t behind_losses(const struct event_list *events)
{
    size_t i = events->nr;

    while (i > 0 && !events->event[i - 1].lost)
        i--;
    return i;
}

static int export_cpus(struct export *x, struct failure *f)
{
    int ret = 0;

    x->table = malloc(PAGES_MAX * sizeof(*x->table));
    if (!x->table)
        return failure_set(f, EXIT_NO_TARGET, "out of memory");
    event_stream_read_all(&x->stream, x->ctx);
    x->from = behind_losses(&x->stream.events);
    if (x->from)
        printf("%zu events left out: of those up to the last loss the start is not known\n",
               x->from);
    for (x->cpu = 0; ret == 0 && x->cpu < x->ctx->snap->ncpu; x->cpu++) {
        if (x->ctx->snap->cpu[x->cpu].on && context_wants_cpu(x->ctx, x->cpu))
            ret = export_cpu(x, x->ctx->o->output, f);
    }
    free(x->table);
    return ret;
}

static int export_all(const struct context *ctx, struct failure *f)
{
    struct export x = {.ctx = ctx, .af0 = ctx->o->af0};
    struct options all = *ctx->o;
    int ret;

    all.some_cpus = false;
    if (ctx->snap->machine.beacon.trace_mode != TRACE_ALL)
        return failure_set(f, EXIT_NO_MAPCACHE,
                           "the image records no stores: boot it with trace=all");
    if (event_stream_open(&x.stream, &all, ctx->src, ctx->symbols, f))
        return -1;
    ret = export_cpus(&x, f);
    event_stream_close(&x.stream);
    return ret;
}

int command_casemate(const struct options *o)
{
    struct failure f;
    struct context ctx;
    int ret;

    if (!o->output) {
        failure_set(&f, EXIT_USAGE, "--format casemate needs --output PREFIX: a file a CPU");
        return failure_report(&f);
    }
    if (context_open(&ctx, o, &f))
        return failure_report(&f);
    ret = export_all(&ctx, &f);
    context_close(&ctx);
    return ret ? failure_report(&f) : EXIT_DONE;
}
