/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recording is the same screen as the machine was: a session looks at a RAM
 * file that changes, what it saw is recorded, and another session plays that.
 * After each frame all views are compared, cell by cell.
 */
#include "model/capture.h"
#include "view/draw.h"
#include "view/session.h"
#include "view/view.h"
#include "viewer_machine.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define MS     UINT64_C(1000000)
#define START  (5000 * MS)
#define STEP   (100 * MS)
#define FRAMES 70 /* more than lie between two key frames */
#define LONG   150
#define JUMPS  40
#define ROWS   48
#define COLS   160

static char ram_path[] = "/tmp/hvscope-replay-ram-XXXXXX";
static char file_path[] = "/tmp/hvscope-replay-XXXXXX";

/* Pictures of every view after every frame, and then from a step back in the events. */
struct pictures {
    struct canvas canvas[FRAMES + 1][VIEWS];
};

static uint64_t time_of(unsigned int n)
{
    return START + n * STEP;
}

/* The machine at frame n: a map here, an unmap there. */
static void move_machine(struct fake_source *fake, uint8_t *ram, unsigned int n)
{
    unsigned int cpu = n % 2, slot = 40 + n * 7 % 200, refs = n % 5;
    uint64_t mfn = 0x84800 + (uint64_t)slot * 512;
    uint64_t generation;

    fake_put_u64(fake, SLOT_PA(cpu, slot), SLOT_PTE(mfn << PAGE_SHIFT, refs));
    machine_add_event(fake, cpu, 62500000 + n * 6250000, refs ? TRACE_MAP : TRACE_UNMAP, mfn, slot,
                      refs);
    assert_int_equal(source_read_u64(&fake->src, CPU_FIELD(cpu, generation), &generation), 0);
    fake_put_u64(fake, CPU_FIELD(cpu, generation), generation + 2);
    fake_put_u64(fake, CPU_FIELD(cpu, maps), n);
    memcpy(ram, fake->mem, RAM_SIZE);
}

static void draw_views(struct session *s, uint64_t now, struct canvas *canvas)
{
    for (unsigned int view = 0; view < VIEWS; view++) {
        struct session_wants wants;
        struct frame frame;
        struct ui ui;

        ui_init(&ui, 10);
        ui.view = view;
        wants = view_wants(&ui);
        session_frame(s, 10, now, &wants, &frame);
        ui_clamp(&ui, &frame);
        assert_int_equal(canvas_init(&canvas[view], ROWS, COLS, COLOR_256, false), 0);
        draw_picture(&canvas[view], &frame, &ui);
        ui_free(&ui);
    }
}

static void draw_past(struct session *s, struct pictures *p)
{
    session_freeze(s, true);
    assert_true(session_step(s, -3, 0));
    draw_views(s, time_of(FRAMES), p->canvas[FRAMES]);
}

static void add_frame(struct session *s, struct recorder *r, unsigned int n)
{
    struct frame_head about = {.time = time_of(n)};
    struct page_set pages = {0};
    struct failure f;

    assert_int_equal(capture_pages(s->target.src, s->snap, &pages, &f), 0);
    assert_int_equal(recorder_add(r, &pages, true, &about, &f), 0);
    page_set_free(&pages);
}

static void watch_and_record(struct pictures *p)
{
    struct options o = {.hz = 10, .target.ram = {{ram_path, RAM_BASE}}, .target.nr_ram = 1};
    struct fake_source *fake = machine_make(2);
    int fd = open(ram_path, O_RDWR);
    uint8_t *ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    struct recording_header header;
    struct recorder recorder;
    struct session s;
    struct failure f;

    machine_populate(fake, 2);
    move_machine(fake, ram, 0);
    assert_int_equal(session_open(&s, &o, time_of(0), &f), 0);
    header = capture_header(s.target.src, s.snap);
    assert_int_equal(recorder_open(&recorder, file_path, 0, &header, &f), 0);
    for (unsigned int n = 0; n < FRAMES; n++) {
        if (n) {
            move_machine(fake, ram, n);
            session_sample(&s, time_of(n));
        }
        add_frame(&s, &recorder, n);
        draw_views(&s, time_of(n), p->canvas[n]);
    }
    draw_past(&s, p);
    assert_int_equal(recorder_close(&recorder, &f), 0);
    session_close(&s);
    source_close(&fake->src);
    munmap(ram, RAM_SIZE);
    close(fd);
}

/* The title names the target and the frame. */
static void check_same(const struct canvas *a, const struct canvas *b, unsigned int n)
{
    for (unsigned int view = 0; view < VIEWS; view++) {
        const struct cell *x = a[view].cell + COLS, *y = b[view].cell + COLS;

        if (memcmp(x, y, (ROWS - 1) * COLS * sizeof(*x)) == 0)
            continue;
        canvas_print_text(&a[view], stderr);
        canvas_print_text(&b[view], stderr);
        fail_msg("%s, frame %u: not as the machine was", view_name(view), n);
    }
}

static void pictures_free(struct pictures *p)
{
    for (unsigned int n = 0; n <= FRAMES; n++) {
        for (unsigned int view = 0; view < VIEWS; view++)
            canvas_free(&p->canvas[n][view]);
    }
    free(p);
}

static struct options recorded(void)
{
    return (struct options){.hz = 10, .target.recording = file_path};
}

static void test_replay_is_the_same_on_screen(void **state)
{
    struct pictures *live = calloc(1, sizeof(*live)), *again = calloc(1, sizeof(*again));
    struct options o = recorded();
    struct session s;
    struct failure f;

    (void)state;
    watch_and_record(live);
    assert_int_equal(session_open(&s, &o, time_of(0), &f), 0);
    for (unsigned int n = 0; n < FRAMES; n++) {
        if (n)
            session_sample(&s, time_of(n));
        assert_int_equal(s.recorded, n);
        draw_views(&s, time_of(n), again->canvas[n]);
        check_same(live->canvas[n], again->canvas[n], n);
    }
    draw_past(&s, again);
    check_same(live->canvas[FRAMES], again->canvas[FRAMES], FRAMES);
    session_close(&s);
    pictures_free(live);
    pictures_free(again);
}

/* A frame is shown when it is due, however often somebody looks. */
static void test_replay_keeps_time(void **state)
{
    struct options o = recorded();
    struct session s;
    struct failure f;

    (void)state;
    assert_int_equal(session_open(&s, &o, 2 * START, &f), 0);
    session_sample(&s, 2 * START + STEP / 2);
    assert_int_equal(s.recorded, 0);
    session_sample(&s, 2 * START + 10 * STEP);
    assert_int_equal(s.recorded, 10);
    session_freeze(&s, true);
    session_sample(&s, 2 * START + 20 * STEP);
    assert_int_equal(s.recorded, 10);
    session_freeze(&s, false);
    session_sample(&s, 2 * START + 21 * STEP);
    assert_int_equal(s.recorded, 11);
    session_close(&s);
}

/* The entry of a slot as the Tables view has it, and whether it says that this is not the moment.
 */
static lpae_t entry_shown(struct session *s, unsigned int slot, bool *live)
{
    const struct session_wants wants = {.table = true, .path = {.nr = 2, .index = {255, 0}}};
    struct frame frame;

    session_frame(s, 10, time_of(0), &wants, &frame);
    assert_non_null(frame.table);
    assert_true(frame.table->readable);
    *live = frame.live_table;
    return frame.table->pte[slot];
}

/* A recording of so many frames, of a machine that moves. */
static void record_frames(unsigned int nr)
{
    struct options o = {.hz = 10, .target.ram = {{ram_path, RAM_BASE}}, .target.nr_ram = 1};
    struct fake_source *fake = machine_make(2);
    int fd = open(ram_path, O_RDWR);
    uint8_t *ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    struct recording_header header;
    struct recorder recorder;
    struct session s;
    struct failure f;

    move_machine(fake, ram, 0);
    assert_int_equal(session_open(&s, &o, time_of(0), &f), 0);
    header = capture_header(s.target.src, s.snap);
    assert_int_equal(recorder_open(&recorder, file_path, 0, &header, &f), 0);
    for (unsigned int n = 0; n < nr; n++) {
        if (n)
            move_machine(fake, ram, n);
        add_frame(&s, &recorder, n);
    }
    assert_int_equal(recorder_close(&recorder, &f), 0);
    session_close(&s);
    source_close(&fake->src);
    munmap(ram, RAM_SIZE);
    close(fd);
}

/* A jump's work does not grow with the recording: some frames from the last whole one on. */
static void test_jumps_are_short(void **state)
{
    struct options o = recorded();
    struct session s;
    struct failure f;
    unsigned int differ = 0;
    bool live;

    (void)state;
    record_frames(LONG);
    assert_int_equal(session_open(&s, &o, time_of(0), &f), 0);
    session_freeze(&s, true);
    for (unsigned int n = 0, at = LONG - 1; n < JUMPS; n++, at = (at * 7 + 13) % LONG) {
        unsigned int before = recording_applied(s.target.src);

        assert_true(session_step(&s, 0, (int)at - (int)s.recorded));
        assert_int_equal(s.recorded, at);
        assert_true(s.snap->time == time_of(at));
        assert_in_range(recording_applied(s.target.src) - before, 1,
                        RECORDING_KEY_EVERY + RECORDED_BEFORE);
    }
    assert_true(session_step(&s, -RECORDED_BEFORE / 2, 0)); /* and back in the events from there */
    for (unsigned int slot = 40; slot < 240; slot++) {
        differ += s.past.snap->cpu[0].pte[slot] != s.snap->cpu[0].pte[slot];
        assert_true(entry_shown(&s, slot, &live) == s.past.snap->cpu[0].pte[slot]);
        assert_false(live);
    }
    assert_int_not_equal(differ, 0);
    session_close(&s);
}

/* Paused: memory goes on, and no view does; back in the history each slot is as it was. */
static void test_pause_keeps_tables(void **state)
{
    struct options o = {.hz = 10, .target.ram = {{ram_path, RAM_BASE}}, .target.nr_ram = 1};
    struct pictures *p = calloc(1, sizeof(*p));
    struct fake_source *fake = machine_make(2);
    int fd = open(ram_path, O_RDWR);
    uint8_t *ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    const unsigned int slot = 40 + 2 * 7; /* of frame 2: two references */
    struct session s;
    struct failure f;
    bool live;

    (void)state;
    machine_populate(fake, 2);
    move_machine(fake, ram, 0);
    assert_int_equal(session_open(&s, &o, time_of(0), &f), 0);
    for (unsigned int n = 1; n < 6; n++) {
        move_machine(fake, ram, n);
        session_sample(&s, time_of(n));
    }
    session_freeze(&s, true);
    draw_views(&s, time_of(6), p->canvas[0]);
    fake_put_u64(fake, SLOT_PA(0, slot), SLOT_PTE(0x90000000, 7));
    fake_put_u64(fake, ROOT_PA(0), 0x1230);
    move_machine(fake, ram, 6);
    session_sample(&s, time_of(6));
    draw_views(&s, time_of(6), p->canvas[1]);
    check_same(p->canvas[0], p->canvas[1], 1);
    assert_int_equal(pte_refs(entry_shown(&s, slot, &live)), 2);
    assert_false(live);
    while (s.snap && session_shown(&s)->cpu[0].pte[slot] == s.snap->cpu[0].pte[slot])
        assert_true(session_step(&s, -1, 0) && s.past.position > 1);
    assert_true(entry_shown(&s, slot, &live) == s.past.snap->cpu[0].pte[slot]);
    assert_false(live);
    assert_int_equal(unlink(ram_path), 0);
    session_sample(&s, time_of(9));
    assert_null(s.target.src);
    assert_true(entry_shown(&s, slot, &live) == s.past.snap->cpu[0].pte[slot]);
    session_freeze(&s, false);
    session_close(&s);
    source_close(&fake->src);
    munmap(ram, RAM_SIZE);
    close(fd);
    pictures_free(p);
}

static int make_files(void **state)
{
    int ram = mkstemp(ram_path), file = mkstemp(file_path);
    int ret = ram < 0 || file < 0 ? -1 : ftruncate(ram, RAM_SIZE);

    (void)state;
    close(ram);
    close(file);
    return ret;
}

static int remove_files(void **state)
{
    (void)state;
    return unlink(file_path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replay_is_the_same_on_screen),
        cmocka_unit_test(test_replay_keeps_time),
        cmocka_unit_test(test_jumps_are_short),
        cmocka_unit_test(test_pause_keeps_tables),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
