/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/wait.h"

#include "command/context.h"
#include "command/json.h"
#include "command/output.h"
#include "model/profile.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#define PAUSE_NS 2000000

struct waiting {
    const struct options *o;
    struct wait_expr expr;
    struct target target;
    struct snapshot *snap;
    uint64_t begun; /* ns */
};

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* 1: it holds; 0: not now, or nothing to look at yet; -1 with f. */
static int look(struct waiting *w, uint64_t *value, struct failure *f)
{
    enum machine_status status;
    struct failure ignored;
    struct machine m;

    if (!source_take(w->target.src))
        return 0;
    if (target_health(&w->target) != SOURCE_OK)
        return failure_set(f, EXIT_NO_TARGET, "the machine has gone");
    status = machine_find(w->target.src, &w->o->target, &m, &ignored);
    if (status == MACHINE_OK && !m.profile->mapcache)
        return machine_require_mapcache(&m, f);
    if (status != MACHINE_OK)
        return 0;
    if (!machine_counts(&m) && wait_is_counter(&w->expr))
        return failure_set(f, EXIT_NO_MAPCACHE,
                           "%s: a Xen does not count that; what its slots say can be waited for",
                           w->o->operand[0]);
    if (w->expr.cpu >= (int)m.beacon.ncpu)
        return failure_set(f, EXIT_USAGE, "no CPU%d: this machine has %u", w->expr.cpu,
                           m.beacon.ncpu);
    if (!w->snap || w->snap->ncpu != m.beacon.ncpu) {
        free(w->snap);
        w->snap = snapshot_new(m.beacon.ncpu);
        if (!w->snap)
            return failure_set(f, EXIT_NO_TARGET, "out of memory");
    }
    if (snapshot_read(w->target.src, &m, w->snap, &ignored))
        return 0;
    return wait_value(&w->expr, w->snap, value) && wait_holds(&w->expr, *value);
}

static int wait_loop(struct waiting *w, uint64_t *value, struct failure *f)
{
    bool shared = source_is_shared(w->target.src);
    const struct timespec pause = {.tv_nsec = shared ? SOURCE_TURN_NS : PAUSE_NS};
    int ret;

    while ((ret = look(w, value, f)) == 0) {
        if (w->o->has_timeout && now_ns() - w->begun >= w->o->timeout_ns)
            return failure_set(f, EXIT_NOT_MET, "%s: not within %.9g s", w->o->operand[0],
                               (double)w->o->timeout_ns / 1e9);
        source_give(w->target.src);
        nanosleep(&pause, NULL);
    }
    return ret < 0 ? -1 : 0;
}

static int print_result(const struct waiting *w, uint64_t value, struct failure *f)
{
    uint64_t waited = now_ns() - w->begun;
    struct output out;

    if (output_begin(&out, f))
        return -1;
    if (w->o->json) {
        fputs("{\"schema\":\"hvscope.wait/1\"", out.file);
        put_string(out.file, "expr", w->o->operand[0]);
        put_number(out.file, "value", true, value);
        put_number(out.file, "waited_ns", true, waited);
        fputs("}\n", out.file);
    } else {
        fprintf(out.file, "%s: it is %" PRIu64 ", after %.3f s\n", w->o->operand[0], value,
                (double)waited / 1e9);
    }
    return output_end(&out, f);
}

int command_wait(const struct options *o)
{
    struct waiting w = {.o = o, .begun = now_ns()};
    struct failure f;
    uint64_t value;
    int ret;

    if (wait_parse(o->operand[0], &w.expr, &f) || target_open(&w.target, &o->target, &f))
        return failure_report(&f);
    ret = wait_loop(&w, &value, &f);
    target_close(&w.target);
    if (ret == 0)
        ret = print_result(&w, value, &f);
    free(w.snap);
    return ret ? failure_report(&f) : EXIT_DONE;
}
