/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Screens of moments: a halted machine, a frozen picture, and when nothing was found. */
#include "viewer_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Nothing was found: what was looked for, as far as there is room. Lists on the least screen. */
static void test_nothing_found(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, 2);
    scene_fill(&s);
    s.ui.view = VIEW_CHECK;
    s.findings.nr = 0;
    memset(s.findings.count, 0, sizeof(s.findings.count));
    check_golden(&s, "nothing-found", 12, 40, COLOR_MONO, true);
    check_golden(&s, "nothing-found", 5, 20, COLOR_MONO, true);
    s.ui.view = VIEW_MAP;
    check_golden(&s, "map", 5, 20, COLOR_MONO, true);
    s.ui.view = VIEW_OVERVIEW;
    check_golden(&s, "overview", 5, 20, COLOR_MONO, true);
    scene_free(&s);
}

/* A frozen picture of tables that are not all of its moment. */
static void test_moments(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, 2);
    scene_fill(&s);
    s.frame.word = RUN_PAUSED;
    s.frame.position = 12;
    s.ui.view = VIEW_MAP;
    check_golden(&s, "map-past", 24, 80, COLOR_MONO, true);
    s.frame.live_ranges = true;
    check_golden(&s, "map-past-live", 12, 40, COLOR_MONO, true);
    s.ui.view = VIEW_TABLES;
    s.table.va = 0;
    check_golden(&s, "tables-past", 24, 80, COLOR_MONO, true);
    s.frame.live_table = true;
    s.frame.position = 0;
    check_golden(&s, "tables-live", 12, 40, COLOR_MONO, true);
    scene_free(&s);
}

static void test_settled_stop(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, NR_CPU);
    marks_settle(s.marks, s.before);
    s.marks->base->cpu[1].info.generation -= 428;
    marks_settle(s.marks, s.snap);
    s.frame.word = RUN_STOPPED;
    strcpy(s.frame.note, "by the debugger");
    check_golden(&s, "stopped", 24, 80, COLOR_256, false);
    strcpy(s.frame.note, "paused, no debugger attached");
    check_golden(&s, "stopped", 12, 40, COLOR_MONO, true);
    check_golden(&s, "stopped", 5, 20, COLOR_MONO, true);
    scene_free(&s);
}

/* Of a halted machine: where each CPU stands, one of which is not known. */
static void test_places(void **state)
{
    const struct places places = {
        .nr = 3, .cpu = {{true, 2, 0xa0000201234}, {true, 1, 0x40001000}, {false, 0, 0}}};
    struct scene s;

    (void)state;
    scene_make(&s, NR_CPU);
    s.frame.word = RUN_STOPPED;
    s.frame.places = &places;
    strcpy(s.frame.note, "by the debugger");
    check_golden(&s, "places", 24, 80, COLOR_256, false);
    check_golden(&s, "places", 24, 80, COLOR_MONO, true);
    check_golden(&s, "places", 48, 160, COLOR_256, false);
    check_golden(&s, "places", 48, 160, COLOR_16, true);
    check_golden(&s, "places", 12, 40, COLOR_256, false);
    scene_free(&s);
}

static int enter_source_root(void **state)
{
    (void)state;
    return chdir(SOURCE_ROOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_found),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_settled_stop),
        cmocka_unit_test(test_places),
    };

    return cmocka_run_group_tests(tests, enter_source_root, NULL);
}
