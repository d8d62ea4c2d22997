/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keys and clicks do. */
#include "viewer_scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void press(struct scene *s, const char *keys, uint64_t now)
{
    for (; *keys; keys++)
        ui_key(&s->ui, &s->frame, 24, 80, *keys, now);
}

static void test_keys(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, 12);
    press(&s, "l", 0);
    assert_int_equal(s.ui.slot, 38);
    press(&s, "jj", 0);
    assert_int_equal(s.ui.slot, 38 + 128);
    press(&s, "kkkk", 0);
    assert_int_equal(s.ui.slot, 38);
    ui_key(&s.ui, &s.frame, 24, 80, UI_KEY_END, 0);
    assert_int_equal(s.ui.slot, 1023);
    press(&s, "lj", 0);
    assert_int_equal(s.ui.slot, 1023);
    press(&s, "\t", 0);
    assert_int_equal(s.ui.cpu, 1);
    ui_key(&s.ui, &s.frame, 24, 80, UI_KEY_BACKTAB, 0);
    ui_key(&s.ui, &s.frame, 24, 80, UI_KEY_BACKTAB, 0);
    assert_int_equal(s.ui.cpu, 11);
    press(&s, "g100\n", 0);
    assert_int_equal(s.ui.slot, 100);
    press(&s, "g2000\n", 0);
    assert_int_equal(s.ui.slot, 200);
    press(&s, "g7q", 0);
    assert_int_equal(s.ui.slot, 200);
    assert_false(s.ui.quit);
    scene_free(&s);
}

/* A page is what is there of it; a grid keeps its column. */
static void test_pages(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, 12);
    ui_key(&s.ui, &s.frame, 24, 80, UI_KEY_PAGE_DOWN, 0);
    assert_int_equal(s.ui.slot, 37 + 15 * 64);
    ui_key(&s.ui, &s.frame, 24, 80, UI_KEY_PAGE_UP, 0);
    assert_int_equal(s.ui.slot, 37);
    ui_key(&s.ui, &s.frame, 12, 40, UI_KEY_PAGE_DOWN, 0);
    assert_int_equal(s.ui.slot, 37 + 4 * 32);
    press(&s, "o", 0);
    ui_key(&s.ui, &s.frame, 24, 80, UI_KEY_END, 0);
    assert_int_equal(s.ui.cpu, 11);
    ui_key(&s.ui, &s.frame, 24, 80, UI_KEY_HOME, 0);
    assert_int_equal(s.ui.cpu, 0);
    ui_key(&s.ui, &s.frame, 24, 80, UI_KEY_PAGE_DOWN, 0);
    assert_int_equal(s.ui.cpu, 11);
    assert_int_equal(s.ui.slot, 37 + 4 * 32);
    scene_free(&s);
}

/* A text scrolls to its ends and no further. */
static void test_scroll(void **state)
{
    char text[100 * 8 + 200 + 2] = "";
    struct scene s;

    (void)state;
    for (unsigned int i = 0; i < 99; i++)
        strcat(text, "a line\n");
    memset(text + strlen(text), 'x', 200);
    scene_make(&s, 2);
    ui_show_text(&s.ui, text);
    press(&s, "kh", 0);
    assert_int_equal(s.ui.text_top + s.ui.text_left, 0);
    press(&s, "jl", 0);
    assert_int_equal(s.ui.text_top, 1);
    assert_int_equal(s.ui.text_left, 8);
    ui_key(&s.ui, &s.frame, 24, 80, UI_KEY_END, 0);
    assert_int_equal(s.ui.text_top, 100 - 21);
    press(&s, "jllllllllllllllllllll", 0);
    assert_int_equal(s.ui.text_top, 100 - 21);
    assert_int_equal(s.ui.text_left, 200 - 80);
    ui_key(&s.ui, &s.frame, 24, 80, UI_KEY_HOME, 0);
    assert_int_equal(s.ui.text_top + s.ui.text_left, 0);
    assert_int_equal(s.ui.slot, 37);
    press(&s, "q?j", 0);
    assert_int_equal(s.ui.box_top, 0); /* all of the help is on a screen of the usual size */
    ui_key(&s.ui, &s.frame, 12, 40, UI_KEY_PAGE_DOWN, 0);
    assert_int_equal(s.ui.box_top, 4);
    scene_free(&s);
}

static void says(struct scene *s, const char *keys, const char *notice)
{
    press(s, keys, 0);
    if (!strstr(s->ui.notice, notice))
        fail_msg("%s: %s", keys, s->ui.notice);
}

/* What changes nothing that is to be seen says so, or what it did. */
static void test_notices(void **state)
{
    struct scene s;
    char text[NOTE_MAX];

    (void)state;
    scene_make(&s, 2);
    says(&s, "n", "nothing is looked for");
    says(&s, "N", "nothing is looked for");
    says(&s, "c", "slots are coloured by age");
    says(&s, "F", "marked, and not selected");
    says(&s, "F", "gets selected");
    says(&s, "+", "15 looks a second");
    says(&s, "--------------", "1 look a second");
    says(&s, "v2\n", "there is no table below");
    says(&s, "v6", "");
    ui_selected_text(&s.ui, &s.frame, text, sizeof(text));
    assert_string_equal(text, "");
    press(&s, "v1", 0);
    ui_selected_text(&s.ui, &s.frame, text, sizeof(text));
    assert_non_null(strstr(text, "slot 37"));
    scene_free(&s);
}

/* v and a digit: each view that the message names. */
static void test_views(void **state)
{
    struct scene s;
    char keys[] = "v1";

    (void)state;
    scene_make(&s, 2);
    for (unsigned int view = VIEW_SLOTS; view < VIEWS; view++) {
        keys[1] = (char)('1' + view);
        press(&s, keys, 0);
        assert_int_equal(s.ui.view, view);
    }
    press(&s, "v8", 0);
    assert_int_equal(s.ui.view, VIEW_OVERVIEW);
    scene_free(&s);
}

/* The line at the bottom: ^U clears it, and some commands are about the viewer itself. */
static void test_lines(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, 2);
    press(&s, "v4fcpu:1\n", 0);
    assert_string_equal(s.ui.filter.text, "cpu:1");
    press(&s, "f\x15\n", 0);
    assert_string_equal(s.ui.filter.text, "");
    press(&s, ":help\n", 0);
    assert_true(ui_top_is(&s.ui, LAYER_HELP));
    assert_false(s.ui.command);
    press(&s, "q:q\n", 0);
    assert_true(s.ui.quit);
    assert_false(s.ui.command);
    scene_free(&s);
}

static void test_digits(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, 12);
    press(&s, "1", 1000 * MS);
    assert_int_equal(s.ui.cpu, 1);
    press(&s, "1", 1399 * MS);
    assert_int_equal(s.ui.cpu, 11);
    press(&s, "1", 3000 * MS);
    press(&s, "1", 3400 * MS);
    assert_int_equal(s.ui.cpu, 1);
    press(&s, "9", 5000 * MS);
    press(&s, "9", 5100 * MS);
    assert_int_equal(s.ui.cpu, 9);
    scene_free(&s);
}

static void test_layers_and_quit(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, 2);
    press(&s, "?", 0);
    assert_true(ui_top_is(&s.ui, LAYER_HELP));
    press(&s, "?", 0);
    assert_int_equal(s.ui.nr_layers, 1);
    press(&s, "q", 0);
    press(&s, "\n", 0);
    assert_true(ui_top_is(&s.ui, LAYER_DETAIL));
    press(&s, "l", 0);
    assert_int_equal(s.ui.slot, 38);
    ui_key(&s.ui, &s.frame, 24, 80, UI_KEY_ESC, 0);
    assert_int_equal(s.ui.nr_layers, 0);
    press(&s, "oj", 0);
    assert_int_equal(s.ui.view, VIEW_OVERVIEW);
    assert_int_equal(s.ui.cpu, 1);
    press(&s, "q", 0);
    assert_int_equal(s.ui.view, VIEW_SLOTS);
    assert_false(s.ui.quit);
    press(&s, " ", 0);
    assert_true(s.ui.paused);
    press(&s, "p++-", 0);
    assert_false(s.ui.paused);
    assert_int_equal(s.ui.hz, 15);
    press(&s, "----------------", 0);
    assert_int_equal(s.ui.hz, 1);
    press(&s, "++++++++++++++++++++++++++++++++++++", 0);
    assert_int_equal(s.ui.hz, 60);
    press(&s, "q", 0);
    assert_true(s.ui.quit);
    scene_free(&s);
}

/* A click on what a screen of this size shows. */
static void click(struct scene *s, unsigned int rows, unsigned int cols, int row, int col)
{
    struct canvas c;

    assert_int_equal(canvas_init(&c, rows, cols, COLOR_MONO, true), 0);
    draw_picture(&c, &s->frame, &s->ui);
    ui_click(&s->ui, &s->frame, &c, row, col);
    canvas_free(&c);
}

static void test_clicks(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, NR_CPU);
    click(&s, 24, 80, 4, 5 + 3);
    assert_int_equal(s.ui.slot, 2 * 64 + 3);
    click(&s, 24, 80, 1, 25);
    assert_int_equal(s.ui.cpu, 2);
    click(&s, 24, 80, 1, 79);
    click(&s, 24, 80, 23, 3);
    click(&s, 24, 80, -1, -1);
    assert_int_equal(s.ui.cpu, 2);
    assert_int_equal(s.ui.slot, 2 * 64 + 3);
    click(&s, 48, 160, 2, 7);
    assert_int_equal(s.ui.slot, 0);
    s.ui.view = VIEW_OVERVIEW;
    click(&s, 24, 80, 2 + 4, 20);
    assert_int_equal(s.ui.cpu, 1);
    scene_free(&s);
}

/* In lists a click selects, and a second one opens; in a table the same by its cells. */
static void test_clicks_in_lists(void **state)
{
    struct scene s;
    unsigned int n;

    (void)state;
    scene_make(&s, NR_CPU);
    scene_fill(&s);
    s.ui.view = VIEW_EVENTS;
    n = ui_rows(&s.ui, &s.frame);
    assert_true(n >= 2);
    click(&s, 24, 80, 2 + (n < 20 ? (int)n : 20) - 2, 40);
    assert_int_equal(s.ui.row[VIEW_EVENTS], 1);
    assert_int_equal(s.ui.view, VIEW_EVENTS);
    s.ui.view = VIEW_MAP;
    assert_true(ui_rows(&s.ui, &s.frame) > 1);
    click(&s, 24, 80, 2 + 1 + 1, 10);
    assert_int_equal(s.ui.row[VIEW_MAP], 1);
    click(&s, 24, 80, 2, 10); /* the head of the columns */
    assert_int_equal(s.ui.row[VIEW_MAP], 1);
    s.ui.view = VIEW_TABLES;
    click(&s, 24, 80, 2 + 3, 5 + 63);
    assert_int_equal(s.ui.entry, 255);
    assert_string_equal(s.ui.notice, "");
    click(&s, 24, 80, 2 + 3, 5 + 63); /* which would open it, if it were a table */
    assert_non_null(strstr(s.ui.notice, "no table below"));
    click(&s, 24, 80, 2 + 3, 79);
    assert_int_equal(s.ui.entry, 255);
    assert_string_equal(s.ui.notice, "");
    scene_free(&s);
}

static void test_key_table(void **state)
{
    (void)state;
    for (int i = 0; i < KEY_ROWS; i++) {
        assert_int_equal(key_rows()[i].action, i + 1);
        for (const int *code = key_rows()[i].codes; *code; code++)
            assert_int_equal(key_action(*code), i + 1);
    }
    assert_int_equal(key_action('5'), ACTION_DIGIT);
    assert_int_equal(key_action('Q'), ACTION_NONE);
}

static int enter_source_root(void **state)
{
    (void)state;
    return chdir(SOURCE_ROOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keys),      cmocka_unit_test(test_pages),
        cmocka_unit_test(test_scroll),    cmocka_unit_test(test_notices),
        cmocka_unit_test(test_views),     cmocka_unit_test(test_lines),
        cmocka_unit_test(test_digits),    cmocka_unit_test(test_layers_and_quit),
        cmocka_unit_test(test_clicks),    cmocka_unit_test(test_clicks_in_lists),
        cmocka_unit_test(test_key_table),
    };

    return cmocka_run_group_tests(tests, enter_source_root, NULL);
}
