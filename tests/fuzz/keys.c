/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A person at the viewer: any keys and clicks, on a screen of any size; all is drawn. */
#include "view/keys.h"
#include "fuzz.h"
#include "model/marks.h"
#include "view/draw.h"
#include "viewer_machine.h"

#include <stdlib.h>

#define CPUS 3

struct scene {
    struct fake_source *fake;
    struct snapshot *snap;
    struct marks *marks;
    struct event_log *events;
    struct activity *activity;
    struct ranges ranges;
    struct findings findings;
    struct table_page table;
    struct stage stage;
};

static struct scene *scene_make(void)
{
    struct scene *s = calloc(1, sizeof(*s));
    struct failure f;

    s->fake = machine_make(CPUS);
    machine_populate(s->fake, CPUS);
    machine_add_event(s->fake, 0, 62500000, TRACE_MAP, 0x84a13, 37, 2);
    machine_add_event(s->fake, 1, 62500625, TRACE_UNMAP, 0x8c800, 100, 1);
    s->snap = machine_snapshot(s->fake);
    s->marks = marks_new(CPUS);
    marks_sample(s->marks, NULL, s->snap);
    s->events = calloc(1, sizeof(*s->events));
    events_update(s->events, &s->fake->src, s->snap);
    s->activity = activity_new(CPUS, 62500000);
    for (unsigned int i = 0; i < s->events->nr; i++)
        activity_add(s->activity, event_at(s->events, i));
    check_snapshot(s->snap, s->activity, &s->findings);
    {
        struct stage_cpu cpu = stage_cpu(&s->fake->src, &s->snap->machine, 0, NULL);
        struct machine_memory memory = machine_memory(&s->fake->src, &s->snap->machine);

        if (stage_open(&cpu, REGIME_EL2, false, &s->stage, &f) == 0)
            ranges_read(&memory.memory, &s->stage, &s->snap->machine, &s->ranges, &f);
    }
    return s;
}

static void draw(struct scene *s, struct frame *frame, const struct ui *ui, unsigned int rows,
                 unsigned int cols)
{
    struct machine_memory memory = machine_memory(&s->fake->src, &s->snap->machine);
    struct canvas c;

    table_read(&memory.memory, &s->stage, &ui->path, &s->table);
    if (canvas_init(&c, rows, cols, rows % COLOR_MODES, cols % 2) != 0)
        return;
    draw_picture(&c, frame, ui);
    canvas_free(&c);
}

static void click(const struct frame *frame, struct ui *ui, unsigned int rows, unsigned int cols,
                  struct fuzz *in)
{
    int row = (int)fuzz_number(in, 1), col = (int)fuzz_number(in, 1);
    struct canvas c;

    if (canvas_init(&c, rows, cols, COLOR_MONO, true) != 0)
        return;
    draw_picture(&c, frame, ui);
    ui_click(ui, frame, &c, row, col);
    canvas_free(&c);
}

/* A key as a terminal has it: most are letters. */
static int key(struct fuzz *in)
{
    unsigned int n = fuzz_number(in, 1);

    if (n >= 0x80 && n < 0x80 + (UI_KEY_RESIZE - UI_KEY_FIRST))
        return UI_KEY_FIRST + (int)(n - 0x80);
    return (int)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct scene *s;
    struct fuzz in = {data, size < 400 ? size : 400};
    struct frame frame;
    unsigned int rows, cols;
    char text[200];
    struct ui ui;

    if (!s)
        s = scene_make();
    frame = (struct frame){.snap = s->snap,
                           .marks = s->marks,
                           .events = s->events,
                           .activity = s->activity,
                           .findings = &s->findings,
                           .table = &s->table,
                           .ranges = &s->ranges,
                           .target = "build/run",
                           .word = RUN_LIVE,
                           .hz = 10};
    rows = 1 + fuzz_number(&in, 1) % 64;
    cols = 1 + fuzz_number(&in, 1) % 200;
    if (fuzz_number(&in, 1) % 16 == 0)
        frame.snap = NULL, frame.waiting = "nobody is there";
    ui_init(&ui, 10);
    for (uint64_t now = 0; in.left; now += 100000000) {
        int code = key(&in);

        if (code == UI_KEY_MOUSE)
            click(&frame, &ui, rows, cols, &in);
        else if (code == UI_KEY_RESIZE)
            rows = 1 + fuzz_number(&in, 1) % 64, cols = 1 + fuzz_number(&in, 1) % 200;
        else
            ui_key(&ui, &frame, rows, cols, code, now);
        ui_clamp(&ui, &frame);
        if (in.left % 4 == 0)
            draw(s, &frame, &ui, rows, cols);
    }
    draw(s, &frame, &ui, rows, cols);
    ui_selected_text(&ui, &frame, text, sizeof(text));
    ui_free(&ui);
    return 0;
}
