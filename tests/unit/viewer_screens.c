/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The viewer's screens, drawn in process and compared with committed ones.
 *
 * HVSCOPE_GOLDEN_UPDATE=1 writes the files anew: look at the difference before
 * you commit it.
 */
#include "view/cells.h"
#include "view/chrome.h"
#include "view/theme.h"
#include "viewer_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void type(struct scene *s, const char *keys)
{
    for (; *keys; keys++)
        ui_key(&s->ui, &s->frame, 24, 80, *keys, 0);
}

static void test_slots(void **state)
{
    static const struct {
        unsigned int rows, cols;
    } sizes[] = {{24, 80}, {48, 160}, {12, 40}, {5, 20}};
    struct scene s;

    (void)state;
    scene_make(&s, NR_CPU);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        for (int mode = COLOR_MONO; mode <= COLOR_256; mode++) {
            check_golden(&s, "slots", sizes[i].rows, sizes[i].cols, mode, false);
            check_golden(&s, "slots", sizes[i].rows, sizes[i].cols, mode, true);
        }
    }
    scene_free(&s);
}

static void test_layers(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, 2);
    s.ui.layer[0] = LAYER_HELP;
    s.ui.nr_layers = 1;
    check_golden(&s, "help", 24, 80, COLOR_256, false);
    check_golden(&s, "help", 12, 40, COLOR_MONO, true);
    ui_key(&s.ui, &s.frame, 12, 40, UI_KEY_END, 0);
    check_golden(&s, "help-end", 12, 40, COLOR_MONO, true);
    s.ui.layer[0] = LAYER_DETAIL;
    s.ui.box_top = 0;
    check_golden(&s, "detail", 24, 80, COLOR_256, false);
    check_golden(&s, "detail", 5, 20, COLOR_MONO, true);
    check_golden(&s, "detail", 12, 40, COLOR_MONO, true);
    ui_key(&s.ui, &s.frame, 12, 40, UI_KEY_PAGE_DOWN, 0);
    check_golden(&s, "detail-down", 12, 40, COLOR_MONO, true);
    s.ui.box_top = 0;
    s.ui.slot = 130;
    check_golden(&s, "detail-broken", 24, 80, COLOR_MONO, true);
    scene_free(&s);
}

/* Views 2 to 6 and the overview, in every size and look. */
static void test_views(void **state)
{
    static const struct {
        unsigned int rows, cols;
    } sizes[] = {{24, 80}, {48, 160}, {12, 40}};
    struct scene s;

    (void)state;
    scene_make(&s, NR_CPU);
    scene_fill(&s);
    for (enum view_id view = VIEW_TABLES; view < VIEWS; view++) {
        s.ui.view = view;
        for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
            for (int mode = COLOR_MONO; mode <= COLOR_256; mode++) {
                check_golden(&s, view_name(view), sizes[i].rows, sizes[i].cols, mode, false);
                check_golden(&s, view_name(view), sizes[i].rows, sizes[i].cols, mode, true);
            }
        }
    }
    scene_free(&s);
}

/* The other theme; what is never in it is the pictures' text. */
static void test_light(void **state)
{
    char name[40];
    struct scene s;

    (void)state;
    scene_make(&s, NR_CPU);
    scene_fill(&s);
    assert_true(theme_choose("light"));
    for (s.ui.view = VIEW_SLOTS; s.ui.view < VIEWS; s.ui.view++) {
        snprintf(name, sizeof(name), "light-%s", view_name(s.ui.view));
        check_golden(&s, name, 24, 80, COLOR_256, false);
        check_golden(&s, name, 24, 80, COLOR_16, false);
    }
    s.ui.view = VIEW_SLOTS;
    check_golden(&s, "light-slots", 48, 160, COLOR_256, false);
    assert_true(theme_choose("dark"));
    scene_free(&s);
}

#define GUEST_PA (RAM_START + 0x700000) /* its stage 2: a level 1, 2 and 3 table */

/* 39 bits of IPA from level 1: a block of 2 MiB, and a page that is read and executed only. */
static void guest_make(struct fake_source *fake)
{
    const uint64_t table = 3;

    fake_put_u64(fake, CPU_FIELD(0, guest.hcr), 0x80000001);
    fake_put_u64(fake, CPU_FIELD(0, guest.vtcr), 0x80053559);
    fake_put_u64(fake, CPU_FIELD(0, guest.vttbr), GUEST_PA | UINT64_C(1) << 48);
    fake_put_u64(fake, GUEST_PA + 1 * 8, (GUEST_PA + PAGE_SIZE) | table);
    fake_put_u64(fake, GUEST_PA + PAGE_SIZE, UINT64_C(0x84800000) | 0x7fd);
    fake_put_u64(fake, GUEST_PA + PAGE_SIZE + 8, (GUEST_PA + 2 * PAGE_SIZE) | table);
    fake_put_u64(fake, GUEST_PA + 2 * PAGE_SIZE + 5 * 8, UINT64_C(0x85123000) | 0x77f);
}

/* Tables and ranges of a guest; a stage that is off says why there is nothing. */
static void test_stages(void **state)
{
    const struct table_path leaf = {2, {1, 1}};
    struct machine_memory memory;
    struct stage_cpu cpu;
    struct stage stage;
    struct failure f;
    struct scene s;

    (void)state;
    scene_make(&s, 2);
    guest_make(s.fake);
    memory = machine_memory(&s.fake->src, &s.snap->machine);
    cpu = stage_cpu(&s.fake->src, &s.snap->machine, 0, NULL);
    assert_int_equal(stage_open(&cpu, REGIME_S2, false, &stage, &f), 0);
    assert_int_equal(ranges_read(&memory.memory, &stage, NULL, &s.ranges, &f), 0);
    table_read(&memory.memory, &stage, &leaf, &s.table);
    s.frame.ranges = &s.ranges;
    s.frame.table = &s.table;
    s.frame.shown = s.ui.shown = SHOWN_S2;
    s.ui.path = leaf;
    s.ui.entry = 5;
    s.ui.view = VIEW_TABLES;
    check_golden(&s, "tables-s2", 24, 80, COLOR_256, false);
    s.ui.view = VIEW_MAP;
    check_golden(&s, "map-s2", 24, 80, COLOR_256, false);
    assert_int_equal(stage_open(&cpu, REGIME_EL1, true, &stage, &f), -1);
    s.frame.shown = SHOWN_EL1_HIGH;
    s.frame.stage_why = f.text;
    s.frame.ranges = NULL;
    s.frame.table = NULL;
    check_golden(&s, "map-no-el1", 24, 80, COLOR_256, false);
    s.ui.view = VIEW_TABLES;
    check_golden(&s, "tables-no-el1", 12, 40, COLOR_MONO, true);
    fake_put_u64(s.fake, CPU_FIELD(0, guest.generation), 7);
    cpu = stage_cpu(&s.fake->src, &s.snap->machine, 0, NULL);
    assert_int_equal(stage_open(&cpu, REGIME_S2, false, &stage, &f), -1);
    assert_non_null(strstr(f.text, "CPU0 is between two guests"));
    scene_free(&s);
}

/* s goes through the stages, in the views that have them; nothing stays selected. */
static void test_stage_key(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, 2);
    scene_fill(&s);
    type(&s, "s");
    assert_int_equal(s.ui.shown, SHOWN_EL2);
    assert_non_null(strstr(s.ui.notice, "Tables and Map"));
    type(&s, "v2s");
    assert_int_equal(s.ui.shown, SHOWN_S2);
    assert_int_equal(s.ui.path.nr + s.ui.entry, 0);
    type(&s, "sss");
    assert_int_equal(s.ui.shown, SHOWN_EL2);
    scene_free(&s);
}

/* Each colour dimension in the Slots view; prompts; a command's text. */
static void test_dimensions_and_prompts(void **state)
{
    struct scene s;
    char name[32];

    (void)state;
    scene_make(&s, NR_CPU);
    for (s.ui.color = COLOR_BY_AGE; s.ui.color < COLORS; s.ui.color++) {
        snprintf(name, sizeof(name), "color-%s", color_by_name(s.ui.color));
        check_golden(&s, name, 24, 80, COLOR_256, false);
    }
    s.ui.color = COLOR_BY_REFS;
    for (const char *c = "/mfn:0x848"; *c; c++)
        ui_key(&s.ui, &s.frame, 24, 80, *c, 0);
    check_golden(&s, "prompt", 24, 80, COLOR_256, false);
    ui_key(&s.ui, &s.frame, 24, 80, UI_KEY_ESC, 0);
    ui_show_text(&s.ui, "one\ntwo\n");
    check_golden(&s, "text", 24, 80, COLOR_256, false);
    scene_free(&s);
}

/* Down to the slots and up again; search and filter; what Enter opens. */
static void test_navigation(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, NR_CPU);
    type(&s, "v2");
    assert_int_equal(s.ui.view, VIEW_TABLES);
    scene_fill(&s);
    ui_key(&s.ui, &s.frame, 24, 80, UI_KEY_BACKSPACE, 0);
    assert_int_equal(s.ui.path.nr, 1);
    ui_key(&s.ui, &s.frame, 24, 80, UI_KEY_F5, 0);
    assert_int_equal(s.ui.view, VIEW_EVENTS);
    type(&s, "k\n");
    assert_int_equal(s.ui.view, VIEW_SLOTS);
    assert_int_equal(s.ui.cpu, 0);
    assert_int_equal(s.ui.slot, 37);
    type(&s, "/cpu:0 mfn:0x84a00\n");
    assert_int_equal(s.ui.slot, 37);
    type(&s, "/cpu:0 pa:0x84800000\n");
    assert_int_equal(s.ui.slot, 1023);
    type(&s, "n");
    assert_int_equal(s.ui.slot, 36);
    type(&s, "/cpu:0 va:0x7f8004c00000\n");
    assert_int_equal(s.ui.slot, 38);
    type(&s, "/frob\n");
    assert_non_null(strstr(s.ui.notice, "not understood"));
    type(&s, "v4fkind:unmap\n");
    assert_int_equal(ui_rows(&s.ui, &s.frame), 1);
    assert_int_equal(filter_event(&s.ui.filter, &s.frame, 0)->cpu, NR_CPU - 1);
    type(&s, "q");
    assert_int_equal(s.ui.view, VIEW_SLOTS);
    scene_free(&s);
}

static void test_overview(void **state)
{
    static const unsigned int ncpu[] = {2, 10, 20, 64};
    struct scene s;
    char name[32];

    (void)state;
    for (size_t i = 0; i < sizeof(ncpu) / sizeof(ncpu[0]); i++) {
        scene_make(&s, ncpu[i]);
        s.ui.view = VIEW_OVERVIEW;
        s.ui.cpu = ncpu[i] - 1;
        snprintf(name, sizeof(name), "overview-%u", ncpu[i]);
        check_golden(&s, name, 24, 80, COLOR_256, false);
        check_golden(&s, name, 24, 80, COLOR_MONO, true);
        scene_free(&s);
    }
}

static void test_many_cpus(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, 64);
    s.ui.cpu = 40;
    check_golden(&s, "slots-64-cpus", 24, 80, COLOR_256, false);
    check_golden(&s, "slots-64-cpus", 48, 160, COLOR_256, false);
    scene_free(&s);
}

static void test_holes(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, 2);
    fake_put_u64(s.fake, L1_PA(0), 0);
    machine_put_u32(s.fake, CPU_FIELD(1, state), BEACON_CPU_OFF);
    free(s.snap);
    s.snap = machine_snapshot(s.fake);
    s.frame.snap = s.snap;
    check_golden(&s, "holes", 24, 80, COLOR_256, false);
    s.ui.cpu = 1;
    check_golden(&s, "cpu-off", 48, 160, COLOR_256, false);
    s.frame = (struct frame){.target = "build/run", .waiting = "not yet", .word = RUN_NOT_STARTED};
    check_golden(&s, "nothing", 24, 80, COLOR_256, false);
    check_golden(&s, "nothing", 48, 160, COLOR_256, false);
    check_golden(&s, "nothing", 5, 20, COLOR_256, false);
    check_golden(&s, "nothing", 1, 10, COLOR_256, false);
    scene_free(&s);
}

/* A step that changes one slot selects it, once, on whichever CPU that was. */
static void test_step_is_followed(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, NR_CPU);
    marks_settle(s.marks, s.snap);
    s.snap->cpu[1].pte[700] ^= PTE_REFS_MASK;
    s.snap->time++;
    marks_settle(s.marks, s.snap);
    ui_follow(&s.ui, &s.frame);
    assert_int_equal(s.ui.cpu, 1);
    assert_int_equal(s.ui.slot, 700);
    s.ui.slot = 3;
    ui_follow(&s.ui, &s.frame);
    assert_int_equal(s.ui.slot, 3);

    s.snap->cpu[0].pte[5] ^= PTE_REFS_MASK;
    s.snap->cpu[0].pte[6] ^= PTE_REFS_MASK;
    s.snap->time++;
    marks_settle(s.marks, s.snap);
    ui_follow(&s.ui, &s.frame);
    assert_int_equal(s.ui.slot, 3);
    scene_free(&s);
}

/* No size may crash, and nothing may be drawn outside. */
/* HVSCOPE_SLOW: under valgrind, where each size takes 30 times as long, every fifth. */
static void test_every_size(void **state)
{
    unsigned int step = getenv("HVSCOPE_SLOW") ? 5 : 1;
    struct scene s;
    struct canvas c;

    (void)state;
    scene_make(&s, NR_CPU);
    scene_fill(&s);
    for (unsigned int rows = 1; rows < 60; rows += 2 * step) {
        for (unsigned int cols = 1; cols < 200; cols += 3 * step) {
            for (unsigned int open = 0; open <= LAYERS; open++) {
                s.ui.nr_layers = open;
                s.ui.layer[0] = LAYER_HELP;
                s.ui.layer[1] = LAYER_DETAIL;
                s.ui.layer[2] = LAYER_GOTO;
                s.ui.layer[3] = LAYER_PROMPT;
                s.ui.layer[4] = LAYER_TEXT;
                s.ui.view = (rows / 2 + cols / 3) % VIEWS;
                assert_int_equal(canvas_init(&c, rows, cols, COLOR_256, cols % 2), 0);
                draw_picture(&c, &s.frame, &s.ui);
                canvas_free(&c);
            }
        }
    }
    scene_free(&s);
}

static void test_state_text(void **state)
{
    struct frame f = {.word = RUN_LIVE, .hz = 10};
    char text[256];

    (void)state;
    chrome_state_text(&f, text, sizeof(text));
    assert_string_equal(text, "LIVE 10Hz");
    f.word = RUN_PANICKED;
    strcpy(f.note, "all 1024 slots busy");
    chrome_state_text(&f, text, sizeof(text));
    assert_string_equal(text, "PANICKED: all 1024 slots busy");
    f.word = RUN_STOPPED;
    strcpy(f.note, "by the debugger");
    chrome_state_text(&f, text, sizeof(text));
    assert_string_equal(text, "STOPPED by the debugger");
}

static int enter_source_root(void **state)
{
    (void)state;
    return chdir(SOURCE_ROOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slots),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_light),
        cmocka_unit_test(test_stages),
        cmocka_unit_test(test_stage_key),
        cmocka_unit_test(test_dimensions_and_prompts),
        cmocka_unit_test(test_navigation),
        cmocka_unit_test(test_overview),
        cmocka_unit_test(test_many_cpus),
        cmocka_unit_test(test_holes),
        cmocka_unit_test(test_step_is_followed),
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_state_text),
    };

    return cmocka_run_group_tests(tests, enter_source_root, NULL);
}
