/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a session has for the picture, and what only one view needs: it is read
 * when that view is open.
 */
#include "view/session.h"

#include "model/judge.h"
#include "source/recording.h"

#include <stdio.h>

#define RANGES_NS UINT64_C(1000000000)

static const char *waiting_text(const struct session *s)
{
    if (s->run.gone)
        return "the machine has gone; waiting for a new one";
    if (s->run.shown == QMP_STATUS_PRELAUNCH)
        return "the machine has not been started: continue it in GDB or over QMP";
    return s->why.text;
}

static void show_past(const struct session *s, struct frame *f)
{
    f->snap = s->past.snap;
    f->marks = s->past.marks;
    f->events = s->past.events;
    f->activity = s->past.activity;
    f->position = s->past.position;
    f->positions = s->events->nr;
    snprintf(f->note, sizeof(f->note), "#%u of %u", f->position, f->positions);
}

const struct snapshot *session_shown(const struct session *s)
{
    return s->past.position ? s->past.snap : s->snap;
}

const struct source *session_memory(struct session *s, struct failure *f)
{
    if (!s->moment.whole && !session_take(s, f))
        return NULL;
    return moment_memory(&s->moment, s->target.src, session_shown(s));
}

/* How the tables that were picked are read: those of EL1 lie at addresses that stage 2 translates.
 */
struct reading {
    const struct source *src;
    struct stage_cpu cpu;
    enum regime_name name;
    struct stage stage, below;
    struct machine_memory memory;
    struct guest_memory through;
    struct table_memory *tables;
};

/* EL2's own is with E2H the half of the kernel: the other one changes with every process. */
static bool open_stage(struct session *s, const struct session_wants *wants, struct reading *r)
{
    const struct cpu_snapshot *c = &s->snap->cpu[wants->cpu];
    bool own = wants->stage == SHOWN_EL2, high = wants->stage == SHOWN_EL1_HIGH;

    s->stage_why.text[0] = '\0';
    if (!c->on)
        return failure_set(&s->stage_why, EXIT_NO_MAPCACHE, "no tables to look at") == 0;
    r->src = session_memory(s, &s->stage_why);
    if (!r->src)
        return false;
    r->cpu = stage_cpu(r->src, &s->machine, wants->cpu, own && c->info.root ? &c->info.root : NULL);
    r->name = own ? stage_own(&r->cpu) : shown_regime(wants->stage);
    return stage_open(&r->cpu, r->name, own ? regime_has_halves(r->name) : high, &r->stage,
                      &s->stage_why) == 0;
}

static bool open_reading(struct session *s, const struct session_wants *wants, struct reading *r)
{
    int below;

    if (!open_stage(s, wants, r))
        return false;
    r->memory = machine_memory(r->src, &s->machine);
    r->tables = &r->memory.memory;
    below = stage_below(&r->cpu, r->name, &r->below, &s->stage_why);
    if (below > 0) {
        r->through = guest_memory(&r->memory.memory, &r->below.r, r->below.root);
        r->tables = &r->through.memory;
    }
    return below >= 0;
}

/* Ranges take a walk through all tables: at most once a second, and anew for other tables. */
static const struct ranges *read_ranges(struct session *s, const struct session_wants *wants)
{
    bool same = s->ranges_cpu == wants->cpu && s->ranges_stage == wants->stage &&
                s->ranges_position == s->past.position;
    const struct machine *regions = wants->stage == SHOWN_EL2 ? &s->machine : NULL;
    struct reading r;

    if (s->ranges.nr && same && (!s->target.src || s->snap->time - s->ranges_at < RANGES_NS))
        return &s->ranges;
    ranges_free(&s->ranges);
    s->ranges_cpu = wants->cpu;
    s->ranges_stage = wants->stage;
    s->ranges_position = s->past.position;
    s->ranges_at = s->snap->time;
    if (!open_reading(s, wants, &r) ||
        ranges_read(r.tables, &r.stage, regions, &s->ranges, &s->stage_why))
        return NULL;
    s->ranges_live = moment_is_live(&s->moment);
    return &s->ranges;
}

static const struct table_page *read_table(struct session *s, const struct session_wants *wants)
{
    struct reading r;

    if (!open_reading(s, wants, &r))
        return NULL;
    table_read(r.tables, &r.stage, &wants->path, &s->table);
    return &s->table;
}

/* The verdict on what is kept of the events; what came before is not known. */
static void add_order(struct session *s, const struct frame *f)
{
    struct judgement j;
    const struct source *src;
    struct failure why;
    bool ok = true;

    s->order_known = false;
    s->judged.nr = 0;
    src = session_memory(s, &why);
    if (!src) {
        snprintf(s->order, sizeof(s->order), "order: %.80s", why.text);
        return;
    }
    for (unsigned int i = 0; ok && f->events && i < f->events->nr; i++)
        ok = event_list_add(&s->judged, event_at(f->events, i));
    snprintf(s->order, sizeof(s->order), "order: out of memory");
    if (!ok || !judge(&j, src, s->snap, &s->judged))
        return;
    judgement_list(&j, s->snap, &s->findings);
    judgement_text(&j, s->order, sizeof(s->order));
    s->order_known = !judgement_incomplete(&j);
    judgement_free(&j);
}

static void add_wanted(struct session *s, const struct session_wants *wants, struct frame *f)
{
    if (!s->snap || wants->cpu >= s->snap->ncpu)
        return;
    if (wants->ranges)
        f->ranges = read_ranges(s, wants);
    f->live_ranges = f->ranges && s->run.frozen && s->ranges_live;
    if (wants->findings) {
        check_snapshot(f->snap, f->activity, &s->findings);
        add_order(s, f);
        f->findings = &s->findings;
        f->order = s->order;
        f->order_known = s->order_known;
    }
    if (wants->table)
        f->table = read_table(s, wants);
    f->live_table = f->table && moment_is_live(&s->moment);
    f->shown = wants->stage;
    f->stage_why = s->stage_why.text;
}

void session_frame(struct session *s, unsigned int hz, uint64_t now,
                   const struct session_wants *wants, struct frame *f)
{
    const struct machine *m = s->published ? &s->machine : NULL;

    *f = (struct frame){
        .snap = s->snap,
        .marks = s->snap ? s->marks : NULL,
        .events = s->snap ? s->events : NULL,
        .activity = s->snap ? s->activity : NULL,
        .series = s->snap ? &s->series : NULL,
        .symbols = s->symbols,
        .target = s->name,
        .waiting = s->snap ? NULL : waiting_text(s),
        .word = runstate_word(&s->run, m, now),
        .hz = hz,
    };
    runstate_note(&s->run, m, f->word, f->note, sizeof(f->note));
    if (s->past.position)
        show_past(s, f);
    else if (source_is_recording(s->target.src))
        snprintf(f->note, sizeof(f->note), "frame %u of %u", s->recorded + 1,
                 recording_frames(s->target.src));
    if (f->word == RUN_STOPPED && s->places.nr && !runstate_is_unsure(&s->run))
        f->places = &s->places;
    add_wanted(s, wants, f);
    s->changed = false;
}
