/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/session.h"

#include "model/profile.h"

#include "command/context.h"
#include "source/gdb.h"
#include "source/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MS            UINT64_C(1000000)
#define QUERY_NS      (250 * MS)
#define QUERY_SURE_NS (RUN_SETTLE_NS + 5 * MS) /* to confirm an answer that was new */
#define QUERY_BUSY_NS (500 * MS)
#define ATTACH_NS     (250 * MS)
#define LOAD_TRIES    25
#define LOAD_TRY_US   20000
#define REFUSALS_GONE 2
#define HEALTH_NS     (100 * MS) /* between two looks whether the target is there still */
#define HISTORY_NS    (100 * MS) /* between two snapshots kept; the events tell what was between */
#define PLAYED_MAX    64 /* frames at once: after a suspend it goes on, and does not catch up */

/* Nothing that was seen so far belongs to the machine that is there now. */
static void forget_machine(struct session *s)
{
    free(s->snap);
    free(s->spare);
    marks_free(s->marks);
    s->snap = s->spare = NULL;
    s->marks = NULL;
    events_free(s->events);
    event_list_free(&s->judged);
    free(s->events);
    s->events = NULL;
    activity_free(s->activity);
    s->activity = NULL;
    s->series = (struct series){0};
    history_clear(&s->history);
    s->kept_at = 0;
    s->unkept = false;
    past_leave(&s->past);
    moment_leave(&s->moment);
    ranges_free(&s->ranges);
    symbols_close(s->symbols);
    s->symbols = NULL;
    s->symbols_tried = false;
    s->published = false;
    s->changed = true;
}

static int make_room(struct session *s, unsigned int ncpu)
{
    if (s->marks && s->marks->ncpu == ncpu)
        return 0;
    forget_machine(s);
    s->spare = snapshot_new(ncpu);
    s->marks = marks_new(ncpu);
    s->events = calloc(1, sizeof(*s->events));
    s->activity = activity_new(ncpu, s->machine.beacon.cntfrq);
    return s->spare && s->marks && s->events && s->activity ? 0 : -1;
}

static void note_reboot(struct session *s, uint64_t now)
{
    forget_machine(s);
    s->run.rebooted_at = now;
}

/*
 * A boot with another number is another machine, whatever else looks the same. A Xen has no number:
 * it had booted, and boots.
 */
static bool is_reboot(const struct session *s, const struct machine *now)
{
    return s->had_boot && (now->beacon.boot_id != s->machine.beacon.boot_id ||
                           (s->machine.xen.booted && !now->xen.booted));
}

static bool read_machine(struct session *s, uint64_t now)
{
    struct machine m;
    enum machine_status status = context_find_machine(&s->target, s->spec, &m, &s->why);

    if (status != MACHINE_OK) {
        if (s->published && target_health(&s->target) == SOURCE_OK)
            forget_machine(s);
        return false;
    }
    if (is_reboot(s, &m)) {
        note_reboot(s, now);
        s->run.other_image =
            memcmp(m.beacon.build_id, s->machine.beacon.build_id, sizeof(m.beacon.build_id)) != 0;
    }
    s->machine = m;
    s->published = s->had_boot = true;
    return true;
}

static void settle_marks(struct session *s, uint64_t now)
{
    bool settled = runstate_is_settled(&s->run, now);

    if (settled && !s->marks->settled) {
        marks_settle(s->marks, s->snap);
        s->changed = true;
    } else if (!settled && s->marks->settled) {
        marks_unsettle(s->marks);
        s->changed = true;
    }
}

static void take_events(struct session *s)
{
    if (events_update(s->events, s->target.src, s->snap))
        activity_take(s->activity, s->events);
}

/* Once a boot: the ELF file may have come with the image. */
static void find_symbols(struct session *s)
{
    if (s->symbols_tried)
        return;
    s->symbols_tried = true;
    s->symbols = context_find_symbols(s->options, &s->machine, &s->symbols_why);
}

/* Not each of them: a copy is dear, and a minute at 30 Hz was all that there is room for. */
static void keep_snapshot(struct session *s)
{
    uint64_t now = s->snap->time;

    if (!s->unkept || (s->kept_at && now - s->kept_at < HISTORY_NS && !s->run.frozen))
        return;
    history_add(&s->history, s->snap);
    s->kept_at = now;
    s->unkept = false;
}

/* The new snapshot is in spare; the one before it becomes the spare. */
static void take_over(struct session *s, uint64_t now)
{
    struct snapshot *before = s->snap;
    bool differs = !before || snapshot_differs(before, s->spare);

    s->spare->time = now;
    marks_sample(s->marks, before, s->spare);
    s->snap = s->spare;
    s->spare = before ? before : snapshot_new(s->snap->ncpu);
    if (differs) {
        s->run.moved_at = now;
        s->changed = true;
    }
    take_events(s);
    s->unkept |= differs;
    keep_snapshot(s);
    series_sample(&s->series, s->snap);
    settle_marks(s, now);
}

/* What is missing may be in a file that was cut short: then the last whole picture stays. */
static bool is_half(const struct session *s)
{
    const struct snapshot *snap = s->spare;
    bool missing = false;

    for (unsigned int cpu = 0; snap->machine.profile->mapcache && cpu < snap->ncpu; cpu++)
        missing |= snap->cpu[cpu].on && (snap->cpu[cpu].state[0] == SLOT_UNREAD ||
                                         snap->cpu[cpu].state[SLOTS_MAX - 1] == SLOT_UNREAD);
    return missing && target_health(&s->target) != SOURCE_OK;
}

static void read_data(struct session *s, uint64_t now)
{
    if (!read_machine(s, now))
        return;
    if (make_room(s, s->machine.beacon.ncpu))
        return;
    s->published = true;
    find_symbols(s);
    if (!s->spare)
        s->spare = snapshot_new(s->machine.beacon.ncpu);
    if (s->spare && snapshot_read(s->target.src, &s->machine, s->spare, &s->why) == 0 &&
        !is_half(s))
        take_over(s, now);
}

/* Keep the picture; look for a new machine from time to time. */
static void lose_target(struct session *s, uint64_t now)
{
    /* Its last words may be there: a panic, a power off. */
    if (!s->run.frozen && s->published && machine_is_same_boot(s->target.src, &s->machine))
        read_data(s, now);
    qmp_close(&s->qmp);
    target_close(&s->target);
    s->run.gone = true;
    s->next_attach = now + ATTACH_NS;
    s->changed = true;
}

static void reset_run(struct session *s)
{
    bool frozen = s->run.frozen;

    s->run = (struct runstate){.has_machine = target_can_ask(&s->target),
                               .halted_here = source_is_gdb(s->target.src),
                               .frozen = frozen};
    if (s->run.halted_here)
        target_places(&s->target, &s->places);
    s->refusals = 0;
    s->registers = 0;
    s->next_query = 0;
}

/* Another machine, or nothing: the old picture stays only in the second case. */
static void attach_again(struct session *s, uint64_t now)
{
    struct failure f;

    if (now < s->next_attach || s->run.frozen)
        return;
    s->next_attach = now + ATTACH_NS;
    if (target_open(&s->target, s->spec, &f))
        return;
    reset_run(s);
    note_reboot(s, now);
}

/* A halted machine whose registers differ was stepped, whether or not memory tells. */
static void note_registers(struct session *s, uint64_t now)
{
    if (s->qmp.registers && s->registers && s->qmp.registers != s->registers)
        s->run.moved_at = now;
    s->registers = s->qmp.registers;
}

static void handle_answer(struct session *s, enum qmp_result result, uint64_t now)
{
    enum qmp_status shown = s->run.shown;
    bool gone = s->run.gone;

    s->refusals = result == QMP_REFUSED ? s->refusals + 1 : 0;
    s->run.gone = s->refusals >= REFUSALS_GONE;
    s->next_query = now + (result == QMP_BUSY ? QUERY_BUSY_NS : QUERY_NS);
    if (result == QMP_DONE) {
        runstate_answer(&s->run, s->qmp.status, s->qmp.word, now);
        note_registers(s, now);
        /* Padding that differs costs a redraw. */
        /* NOLINTNEXTLINE(bugprone-suspicious-memory-comparison,cert-exp42-c,cert-flp37-c) */
        if (memcmp(&s->places, &s->qmp.places, sizeof(s->places)) != 0)
            s->changed = true;
        s->places = s->qmp.places;
        if (runstate_is_unsure(&s->run))
            s->next_query = now + QUERY_SURE_NS;
    }
    if (shown != s->run.shown || gone != s->run.gone)
        s->changed = true;
}

/* Of a shared source, in the turn that it was read in. */
static void ask_in_turn(struct session *s, uint64_t now)
{
    if (now >= s->next_query)
        handle_answer(s, target_ask(&s->target, &s->qmp, now), now);
}

static void play(struct session *s, uint64_t now);

/* False: it is somebody else's turn. Waiting for ours holds up the keys, so it is not tried again
 * at once. */
static bool take_turn(struct session *s, uint64_t now)
{
    bool taken;

    if (now < s->next_turn)
        return false;
    taken = source_take(s->target.src);
    s->next_turn = taken ? 0 : now + QUERY_BUSY_NS;
    s->changed |= s->run.busy == taken;
    s->run.busy = !taken;
    return taken;
}

void session_sample(struct session *s, uint64_t now)
{
    enum source_health health;

    if (!s->target.src)
        attach_again(s, now);
    if (!s->target.src)
        return;
    if (source_is_recording(s->target.src) && s->snap) {
        play(s, now);
        return;
    }
    if (!take_turn(s, now))
        return;
    health = now < s->next_health ? s->run.cut ? SOURCE_CUT : SOURCE_OK : target_health(&s->target);
    if (now >= s->next_health)
        s->next_health = now + HEALTH_NS;
    s->changed |= s->run.cut != (health == SOURCE_CUT);
    s->run.cut = health == SOURCE_CUT;
    if (health == SOURCE_CUT)
        return;
    if (health != SOURCE_OK) {
        lose_target(s, now);
        if (health == SOURCE_REPLACED)
            s->next_attach = now;
        return;
    }
    if (!s->run.frozen)
        read_data(s, now);
    if (source_is_shared(s->target.src))
        ask_in_turn(s, now);
}

bool session_take(struct session *s, struct failure *f)
{
    if (!s->target.src)
        return failure_set(f, EXIT_NO_TARGET, "the machine has gone, and its memory with it") == 0;
    if (s->run.busy || !source_take(s->target.src))
        return failure_set(f, EXIT_NO_TARGET,
                           "another program talks to QEMU: try again in a moment") == 0;
    return true;
}

void session_rest(struct session *s)
{
    source_give(s->target.src);
}

static void name_target(struct session *s)
{
    const struct target_spec *spec = s->spec;

    if (spec->nr_ram > 1)
        snprintf(s->name, sizeof(s->name), "%s and %u more", spec->ram[0].path, spec->nr_ram - 1);
    else
        snprintf(s->name, sizeof(s->name), "%s", target_name(spec));
}

/* QEMU's sockets and RAM file are there a moment before it has loaded the image. */
static bool has_our_image(struct session *s, struct failure *f)
{
    struct machine m;

    for (int tries = s->target.dir_fd >= 0 ? LOAD_TRIES : 1; tries > 0; tries--) {
        if (context_find_machine(&s->target, s->spec, &m, f) != MACHINE_FOREIGN)
            return true;
        if (tries > 1)
            usleep(LOAD_TRY_US);
    }
    return false;
}

int session_open(struct session *s, const struct options *o, uint64_t now, struct failure *f)
{
    *s = (struct session){.options = o, .spec = &o->target, .target = TARGET_NONE};
    qmp_init(&s->qmp);
    name_target(s);
    if (target_open(&s->target, s->spec, f))
        return -1;
    reset_run(s);
    if (!has_our_image(s, f)) {
        target_close(&s->target);
        return -1;
    }
    s->played_at = now;
    session_sample(s, now);
    return 0;
}

void session_close(struct session *s)
{
    forget_machine(s);
    qmp_close(&s->qmp);
    target_close(&s->target);
}

uint64_t session_query(struct session *s, uint64_t now)
{
    enum qmp_result result;

    if (!s->target.src || !target_can_ask(&s->target) || source_is_shared(s->target.src))
        return now + QUERY_BUSY_NS;
    if (qmp_fd(&s->qmp) >= 0) {
        result = qmp_step(&s->qmp, now);
    } else {
        if (now < s->next_query)
            return s->next_query;
        if (!qmp_limit_take(&s->limit, now))
            return now + 20 * MS;
        result = target_ask(&s->target, &s->qmp, now);
    }
    if (result == QMP_PENDING)
        return s->qmp.deadline;
    handle_answer(s, result, now);
    return s->next_query;
}

int session_query_fd(const struct session *s)
{
    return qmp_fd(&s->qmp);
}

void session_freeze(struct session *s, bool frozen)
{
    if (s->run.frozen == frozen)
        return;
    s->changed = true;
    s->run.frozen = frozen;
    past_leave(&s->past);
    moment_leave(&s->moment);
    if (!frozen || !s->snap)
        return;
    keep_snapshot(s);
    moment_freeze(&s->moment, s->target.src, s->snap);
    if (s->target.src)
        ranges_free(&s->ranges);
}

/* The frames before it are gone through first: what they changed shows. */
static bool show_recorded(struct session *s, unsigned int to)
{
    unsigned int from = to > RECORDED_BEFORE ? to - RECORDED_BEFORE : 0;

    if (to == s->recorded + 1 && s->snap)
        from = to;
    else
        forget_machine(s);
    for (unsigned int n = from; n <= to; n++) {
        const struct frame_head *head = recording_frame(s->target.src, n);

        if (recording_seek(s->target.src, n))
            return false;
        runstate_answer(&s->run, (enum qmp_status)head->status, head->word, head->time);
        read_data(s, head->time);
    }
    s->recorded = to;
    s->changed = true;
    if (s->run.frozen && s->snap)
        moment_freeze(&s->moment, s->target.src, s->snap);
    return true;
}

/* When the next frame of a recording is due; UINT64_MAX if there is none. */
static uint64_t next_due(const struct session *s)
{
    const struct source *src = s->target.src;
    uint64_t here = recording_frame(src, s->recorded)->time, next;

    if (s->recorded + 1 >= recording_frames(src))
        return UINT64_MAX;
    next = recording_frame(src, s->recorded + 1)->time;
    return s->played_at + (next > here ? next - here : 0);
}

/* While it plays: the frames whose time has come, each of which adds to what was seen. */
static void play(struct session *s, uint64_t now)
{
    uint64_t due = next_due(s);

    if (s->run.frozen || due == UINT64_MAX)
        s->played_at = now;
    for (unsigned int n = 0; !s->run.frozen && due <= now; n++, due = next_due(s)) {
        s->played_at = n < PLAYED_MAX ? due : now;
        if (n == PLAYED_MAX || !show_recorded(s, s->recorded + 1))
            return;
    }
}

bool session_step(struct session *s, int step, int leap)
{
    int to;

    if (source_is_recording(s->target.src) && leap) {
        to = (int)s->recorded + leap;
        past_leave(&s->past);
        if (to < 0 || to >= (int)recording_frames(s->target.src))
            return false;
        return show_recorded(s, (unsigned int)to);
    }
    s->changed = true;
    return s->snap && past_move(&s->past, &s->history, s->events, step, leap);
}

void session_mark(struct session *s, bool marked)
{
    if (!s->marks || !s->snap || (s->marks->pinned != NULL) == marked)
        return;
    marks_pin(s->marks, marked ? s->snap : NULL);
    s->changed = true;
}
