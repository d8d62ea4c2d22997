/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/record.h"

#include "command/context.h"
#include "command/output.h"
#include "model/capture.h"
#include "source/qmp.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND UINT64_C(1000000000)
#define QUERY_NS      (NS_PER_SECOND / 4)

struct recording {
    const struct options *o;
    struct context ctx;
    struct recorder recorder;
    struct page_set pages;
    struct qmp qmp;
    uint64_t next_query;
    struct frame_head about;
    int signal_fd;
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

    if (r->ctx.target.dir_fd < 0)
        return;
    if (qmp_fd(&r->qmp) < 0) {
        if (now < r->next_query)
            return;
        r->next_query = now + QUERY_NS;
        result = qmp_start(&r->qmp, r->ctx.target.dir_fd, "qmp.sock", now);
    } else {
        result = qmp_step(&r->qmp, now);
    }
    if (result != QMP_DONE)
        return;
    r->about.status = r->qmp.status;
    snprintf(r->about.word, sizeof(r->about.word), "%s", r->qmp.word);
}

/* Wait for the next frame's time; the signal that came instead, or 0. */
static int wait_until(struct recording *r, uint64_t until)
{
    uint64_t now;

    while ((now = now_ns()) < until) {
        struct pollfd fds[] = {{.fd = r->signal_fd, .events = POLLIN},
                               {.fd = qmp_fd(&r->qmp), .events = POLLIN}};
        struct signalfd_siginfo info;

        poll(fds, 2, (int)((until - now) / 1000000) + 1);
        if (fds[0].revents && read(r->signal_fd, &info, sizeof(info)) == sizeof(info))
            return (int)info.ssi_signo;
        if (fds[1].revents)
            ask_qemu(r, now_ns());
    }
    ask_qemu(r, now);
    return 0;
}

/* One frame: 0; 1: no more may be written; -1 with f. */
static int add_frame(struct recording *r, struct failure *f)
{
    struct context *ctx = &r->ctx;

    if (target_health(&ctx->target) != SOURCE_OK)
        return failure_set(f, EXIT_NO_TARGET, "the machine has gone; %s holds it up to then",
                           r->o->operand[0]);
    if (snapshot_read(ctx->src, &ctx->snap->machine, ctx->own, f) ||
        capture_pages(ctx->src, ctx->snap, &r->pages, f))
        return -1;
    r->about.time = now_ns();
    return recorder_add(&r->recorder, &r->pages, &r->about, f);
}

static int record(struct recording *r, int *sig, struct failure *f)
{
    uint64_t step = NS_PER_SECOND / r->o->hz, next = now_ns();
    int ret = 0;

    while (ret == 0 && !*sig) {
        ret = add_frame(r, f);
        next += step;
        if (ret == 0)
            *sig = wait_until(r, next);
    }
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
