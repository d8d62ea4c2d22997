/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "viewer_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LOOKS 64

void scene_make(struct scene *s, unsigned int ncpu)
{
    *s = (struct scene){.fake = machine_make(ncpu)};
    machine_populate(s->fake, ncpu);
    s->before = machine_snapshot(s->fake);
    s->before->time = 1000 * MS;
    s->marks = marks_new(ncpu);
    s->events = calloc(1, sizeof(*s->events));
    marks_sample(s->marks, NULL, s->before);
    fake_put_u64(s->fake, SLOT_PA(0, 37), SLOT_PTE(UINT64_C(0x84a00000), 2));
    fake_put_u64(s->fake, SLOT_PA(ncpu - 1, 100), SLOT_PTE(UINT64_C(0x8c800000), 1));
    machine_add_event(s->fake, 0, 62500000, TRACE_MAP, 0x84a13, 37, 2);
    machine_add_event(s->fake, ncpu - 1, 62500625, TRACE_UNMAP, 0x8c800, 100, 1);
    s->snap = machine_snapshot(s->fake);
    s->snap->time = 1100 * MS;
    marks_sample(s->marks, s->before, s->snap);
    events_update(s->events, &s->fake->src, s->snap);
    s->activity = activity_new(ncpu, 62500000);
    for (unsigned int i = 0; i < s->events->nr; i++)
        activity_add(s->activity, event_at(s->events, i));
    s->frame = (struct frame){
        .snap = s->snap,
        .marks = s->marks,
        .events = s->events,
        .activity = s->activity,
        .target = "build/run",
        .word = RUN_LIVE,
        .hz = 10,
    };
    ui_init(&s->ui, 10);
    s->ui.slot = 37;
}

void scene_fill(struct scene *s)
{
    const struct table_path path = {2, {255, 0}};
    const struct machine *m = &s->snap->machine;
    const struct stage_cpu cpu = stage_cpu(&s->fake->src, m, 0, NULL);
    struct machine_memory memory = machine_memory(&s->fake->src, m);
    struct stage stage;
    struct failure f;

    assert_int_equal(stage_open(&cpu, REGIME_EL2, false, &stage, &f), 0);
    assert_int_equal(ranges_read(&memory.memory, &stage, m, &s->ranges, &f), 0);
    table_read(&memory.memory, &stage, &path, &s->table);
    check_snapshot(s->snap, s->activity, &s->findings);
    s->ui.path = path;
    s->ui.entry = 37;
    for (unsigned int i = 0; i < 70; i++)
        s->series.second[s->series.nr++] = (struct series_second){
            .maps = 1000 + i % 7 * 100,
            .unmaps = 990 + i % 5 * 100,
            .hits = 900 + i % 3 * 50,
            .commandeers = i % 9,
            .probes = i % 13 * 40,
            .in_use = 14 + i % 4,
        };
    s->frame.table = &s->table;
    s->frame.ranges = &s->ranges;
    s->frame.findings = &s->findings;
    s->frame.series = &s->series;
}

void scene_free(struct scene *s)
{
    free(s->before);
    free(s->snap);
    events_free(s->events);
    free(s->events);
    marks_free(s->marks);
    activity_free(s->activity);
    ranges_free(&s->ranges);
    ui_free(&s->ui);
    source_close(&s->fake->src);
}

struct looks {
    struct cell look[LOOKS];
    unsigned int nr;
};

/* A letter for how a cell looks; '.' for plain. */
static char look_letter(struct looks *looks, const struct cell *cell)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    unsigned int i;

    if (cell->fg < 0 && cell->bg < 0 && !cell->attr)
        return '.';
    for (i = 0; i < looks->nr; i++) {
        const struct cell *l = &looks->look[i];

        if (l->fg == cell->fg && l->bg == cell->bg && l->attr == cell->attr)
            return letters[i];
    }
    assert_true(i < sizeof(letters) - 1);
    looks->look[looks->nr++] = *cell;
    return letters[i];
}

static void print_looks(const struct canvas *c, FILE *out)
{
    struct looks looks = {.nr = 0};

    for (unsigned int row = 0; row < c->rows; row++) {
        for (unsigned int col = 0; col < c->cols; col++)
            fputc(look_letter(&looks, &c->cell[row * c->cols + col]), out);
        fputc('\n', out);
    }
    for (unsigned int i = 0; i < looks.nr; i++) {
        const struct cell *l = &looks.look[i];

        fprintf(out, "%c: %d on %d%s%s%s\n", look_letter(&looks, l), l->fg, l->bg,
                l->attr & BOLD ? " bold" : "", l->attr & UNDERLINE ? " underline" : "",
                l->attr & REVERSE ? " reverse" : "");
    }
    fprintf(out, "cursor: %d %d\n", c->cursor_row, c->cursor_col);
}

char *picture(const struct scene *s, unsigned int rows, unsigned int cols, enum color_mode mode,
              bool ascii)
{
    struct canvas c;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_int_equal(canvas_init(&c, rows, cols, mode, ascii), 0);
    draw_picture(&c, &s->frame, &s->ui);
    canvas_print_text(&c, out);
    print_looks(&c, out);
    fclose(out);
    canvas_free(&c);
    return text;
}

static char *read_file(const char *path)
{
    FILE *in = fopen(path, "r");
    char *text = calloc(1, 200000);

    if (!in)
        fail_msg("%s is missing: HVSCOPE_GOLDEN_UPDATE=1 writes it", path);
    if (fread(text, 1, 199999, in) == 0)
        fail_msg("%s is empty", path);
    fclose(in);
    return text;
}

static void write_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");

    assert_non_null(out);
    fputs(text, out);
    fclose(out);
}

void check_golden(const struct scene *s, const char *name, unsigned int rows, unsigned int cols,
                  enum color_mode mode, bool ascii)
{
    static const char *const modes[] = {"mono", "16", "256"};
    char *text = picture(s, rows, cols, mode, ascii), *expected, path[160];

    snprintf(path, sizeof(path), "%s/%s-%ux%u-%s-%s.txt", GOLDEN_DIR, name, cols, rows,
             ascii ? "ascii" : "utf8", modes[mode]);
    if (getenv("HVSCOPE_GOLDEN_UPDATE")) {
        write_file(path, text);
    } else {
        expected = read_file(path);
        if (strcmp(text, expected) != 0)
            fail_msg("%s differs; it is now:\n%s", path, text);
        free(expected);
    }
    free(text);
}
