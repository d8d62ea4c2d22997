/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/record.h"

#include "command/context.h"
#include "command/output.h"
#include "model/capture.h"
#include "model/profile.h"
#include "source/qmp.h"

#include <hvscope/trace.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define QUERY_NS      (NS_PER_SECOND / 4)
#define RINGS_NS      (NS_PER_SECOND / 500) /* a ring of 4096 is full after 7 ms at full rate */
#define RINGS_PART    4                     /* of a ring that may have been filled before a frame */

struct recording {
    const struct options *o;
    struct context ctx;
    struct recorder recorder;
    struct page_set pages;
    struct qmp qmp;
    uint64_t next_query;
    struct frame_head about;
    int signal_fd;
    uint64_t head[BEACON_CPUS_MAX]; /* of each ring, in the last frame */
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

/* Whether the machine runs belongs to the picture; what QEMU says last is kept. */
static void ask_qemu(struct recording *r, uint64_t now)
{
    enum qmp_result result;

    if (!target_can_ask(&r->ctx.target))
        return;
    if (qmp_fd(&r->qmp) < 0) {
        if (now < r->next_query)
            return;
        r->next_query = now + QUERY_NS;
        result = target_ask(&r->ctx.target, &r->qmp, now);
    } else {
        result = qmp_step(&r->qmp, now);
    }
    if (result != QMP_DONE)
        return;
    r->about.status = r->qmp.status;
    snprintf(r->about.word, sizeof(r->about.word), "%s", r->qmp.word);
}

/* Wait for the next frame's time, which may have come; the signal that came instead, or 0. */
static int wait_until(struct recording *r, uint64_t until)
{
    source_give(r->ctx.target.src);
    do {
        uint64_t now = now_ns(), rest = now < until ? until - now : 0;
        struct pollfd fds[] = {{.fd = r->signal_fd, .events = POLLIN},
                               {.fd = qmp_fd(&r->qmp), .events = POLLIN}};
        struct timespec left = {.tv_sec = (time_t)(rest / NS_PER_SECOND),
                                .tv_nsec = (long)(rest % NS_PER_SECOND)};
        struct signalfd_siginfo info;

        ppoll(fds, 2, &left, NULL);
        if (fds[0].revents && read(r->signal_fd, &info, sizeof(info)) == sizeof(info))
            return (int)info.ssi_signo;
        if (fds[1].revents)
            ask_qemu(r, now_ns());
    } while (now_ns() < until);
    ask_qemu(r, now_ns());
    return 0;
}

/* One frame: 0; 1: no more may be written; -1 with f. whole: tables too. */
static int add_frame(struct recording *r, bool whole, struct failure *f)
{
    struct context *ctx = &r->ctx;

    if (!source_take(ctx->target.src))
        return 0;
    if (target_health(&ctx->target) != SOURCE_OK)
        return failure_set(f, EXIT_NO_TARGET, "the machine has gone; %s holds it up to then",
                           r->o->operand[0]);
    if (snapshot_read(ctx->src, &ctx->snap->machine, ctx->own, f) ||
        (whole ? capture_pages : capture_rings)(ctx->src, ctx->snap, &r->pages, f))
        return -1;
    for (unsigned int i = 0; i < ctx->snap->ncpu; i++)
        r->head[i] = ctx->snap->cpu[i].info.ring_head;
    r->about.time = now_ns();
    return recorder_add(&r->recorder, &r->pages, whole, &r->about, f);
}

/* Is a good part of a ring new since the last frame? */
static bool rings_are_due(struct recording *r)
{
    const struct context *ctx = &r->ctx;
    struct beacon_cpu info;

    if (!source_take(ctx->target.src))
        return false;
    for (unsigned int i = 0; i < ctx->snap->ncpu; i++) {
        if (machine_read_cpu(ctx->src, &ctx->snap->machine, i, &info) == 0 && info.ring_entries &&
            info.ring_head - r->head[i] >=
                capture_ring_entries(&ctx->snap->machine, info.ring_entries) / RINGS_PART)
            return true;
    }
    return false;
}

/* With --events: until the next whole frame, frames of what was written since. */
static int add_rings(struct recording *r, uint64_t until, int *sig, struct failure *f)
{
    uint64_t step = source_is_shared(r->ctx.src) ? SOURCE_TURN_NS : RINGS_NS;
    uint64_t next = now_ns() + step;
    int ret = 0;

    while (r->o->events && ret == 0 && !*sig && next < until) {
        *sig = wait_until(r, next);
        if (rings_are_due(r))
            ret = add_frame(r, false, f);
        next += step;
    }
    return ret;
}

static int record(struct recording *r, int *sig, struct failure *f)
{
    uint64_t step = NS_PER_SECOND / r->o->hz, next = now_ns();
    int ret = 0;

    while (ret == 0 && !*sig) {
        ret = add_frame(r, true, f);
        next += step;
        if (ret == 0)
            ret = add_rings(r, next, sig, f);
        if (ret == 0 && !*sig)
            *sig = wait_until(r, next);
    }
    if (ret == 0 && r->o->events)
        ret = add_frame(r, true, f);
    return ret < 0 ? -1 : 0;
}

static int take_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    return signalfd(-1, &set, SFD_CLOEXEC);
}

int command_record(const struct options *o)
{
    struct recording r = {.o = o};
    struct recording_header header;
    struct failure f, ignored;
    int ret, sig = 0;

    if (context_open(&r.ctx, o, &f))
        return failure_report(&f);
    if (o->events && r.ctx.snap->machine.beacon.trace_mode == TRACE_OFF) {
        context_close(&r.ctx);
        failure_set(&f, EXIT_NO_MAPCACHE, "nothing records events: boot the image with trace=api");
        return failure_report(&f);
    }
    qmp_init(&r.qmp);
    header = capture_header(r.ctx.src, r.ctx.snap);
    ret = recorder_open(&r.recorder, o->operand[0], o->max_size, &header, &f);
    if (ret == 0) {
        r.signal_fd = take_signals();
        ret = record(&r, &sig, &f);
        if (recorder_close(&r.recorder, ret ? &ignored : &f))
            ret = -1;
    }
    qmp_close(&r.qmp);
    page_set_free(&r.pages);
    context_close(&r.ctx);
    if (ret)
        return failure_report(&f);
    return sig ? EXIT_SIGNAL + sig : EXIT_DONE;
}
