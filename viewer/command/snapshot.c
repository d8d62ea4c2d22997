/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/snapshot.h"

#include "command/context.h"
#include "command/json.h"
#include "command/output.h"
#include "model/capture.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static struct frame_head frame_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (struct frame_head){
        .time = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec,
    };
}

static int write_snapshot(const struct context *ctx, const char *path, struct failure *f)
{
    struct recording_header header = capture_header(ctx->src, ctx->snap);
    struct frame_head about = frame_now();
    struct page_set pages = {0};
    struct recorder r;
    int ret = capture_pages(ctx->src, ctx->snap, &pages, f);

    if (ret == 0)
        ret = recorder_open(&r, path, 0, &header, f);
    if (ret == 0) {
        ret = recorder_add(&r, &pages, true, &about, f);
        if (recorder_close(&r, f) || ret) {
            unlink(path);
            ret = -1;
        }
    }
    page_set_free(&pages);
    return ret;
}

int command_snapshot(const struct options *o)
{
    struct failure f;
    struct context ctx;
    int ret;

    if (context_open(&ctx, o, &f))
        return failure_report(&f);
    ret = write_snapshot(&ctx, o->operand[0], &f);
    context_close(&ctx);
    return ret ? failure_report(&f) : EXIT_DONE;
}

/* "-" is the target; anything else a snapshot's file. */
static int open_side(struct context *ctx, struct options *side, const struct options *o,
                     const char *operand, struct failure *f)
{
    *side = *o;
    if (strcmp(operand, "-") != 0) {
        side->target.qmp = side->target.gdb = side->target.core = NULL;
        side->target.nr_ram = 0;
        side->target.recording = operand;
    }
    return context_open(ctx, side, f);
}

static bool differs(const struct cpu_snapshot *a, const struct cpu_snapshot *b, unsigned int slot)
{
    return a->pte[slot] != b->pte[slot] ||
           (a->state[slot] == SLOT_UNREAD) != (b->state[slot] == SLOT_UNREAD);
}

static void describe(const struct machine *m, const struct cpu_snapshot *c, unsigned int slot,
                     char *buf, size_t size)
{
    struct slot_info i = slot_describe(m, slot, c->pte[slot]);

    if (c->state[slot] == SLOT_UNREAD)
        snprintf(buf, size, "not there");
    else if (i.block)
        snprintf(buf, size, "%s %u mfn 0x%" PRIx64, slot_state_name(i.state), i.refs, i.mfn);
    else
        snprintf(buf, size, "%s", slot_state_name(i.state));
}

static void diff_slot(FILE *out, const struct context *a, const struct context *b, unsigned int cpu,
                      unsigned int slot, bool first)
{
    const struct cpu_snapshot *x = &a->snap->cpu[cpu], *y = &b->snap->cpu[cpu];
    char was[64], is[64];

    if (a->o->json) {
        fprintf(out, "%s{\"slot\":%u", first ? "" : ",", slot);
        put_hex(out, "a", x->state[slot] != SLOT_UNREAD, x->pte[slot]);
        put_hex(out, "b", y->state[slot] != SLOT_UNREAD, y->pte[slot]);
        fputc('}', out);
        return;
    }
    describe(&a->snap->machine, x, slot, was, sizeof(was));
    describe(&b->snap->machine, y, slot, is, sizeof(is));
    fprintf(out, "  CPU%-3u slot %4u  %-26s -> %s\n", cpu, slot, was, is);
}

static unsigned int diff_cpu(FILE *out, const struct context *a, const struct context *b,
                             unsigned int cpu)
{
    unsigned int n = 0;

    for (unsigned int slot = 0; slot < SLOTS_MAX; slot++) {
        if (differs(&a->snap->cpu[cpu], &b->snap->cpu[cpu], slot))
            diff_slot(out, a, b, cpu, slot, n++ == 0);
    }
    return n;
}

static int print_diff(const struct context *a, const struct context *b, struct failure *f)
{
    const struct machine *x = &a->snap->machine, *y = &b->snap->machine;
    struct output out;
    unsigned int n = 0;

    if (x->beacon.boot_id != y->beacon.boot_id)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "%s and %s are of different boots: their slots cannot be compared",
                           a->o->operand[0], a->o->operand[1]);
    if (output_begin(&out, f))
        return -1;
    if (a->o->json) {
        fputs("{\"schema\":\"hvscope.diff/1\"", out.file);
        put_string(out.file, "a", a->o->operand[0]);
        put_string(out.file, "b", a->o->operand[1]);
        fputs(",\"cpus\":[", out.file);
    }
    for (unsigned int cpu = 0, listed = 0; cpu < a->snap->ncpu && cpu < b->snap->ncpu; cpu++) {
        if (!context_wants_cpu(a, cpu))
            continue;
        if (a->o->json)
            fprintf(out.file, "%s{\"cpu\":%u,\"slots\":[", listed++ ? "," : "", cpu);
        n += diff_cpu(out.file, a, b, cpu);
        if (a->o->json)
            fputs("]}", out.file);
    }
    if (a->o->json)
        fputs("]}\n", out.file);
    else
        fprintf(out.file, "%u %s\n", n, n == 1 ? "slot differs" : "slots differ");
    return output_end(&out, f);
}

int command_diff(const struct options *o)
{
    struct options left, right;
    struct context a, b;
    struct failure f;
    int ret;

    if (open_side(&a, &left, o, o->operand[0], &f))
        return failure_report(&f);
    if (open_side(&b, &right, o, o->operand[1], &f)) {
        context_close(&a);
        return failure_report(&f);
    }
    ret = print_diff(&a, &b, &f);
    context_close(&a);
    context_close(&b);
    return ret ? failure_report(&f) : EXIT_DONE;
}
