/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What keys and clicks do. */
#include "viewer_scene.h"

#include <setjmp.h>
#include <stdarg.h>
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

static void test_clicks(void **state)
{
    struct scene s;

    (void)state;
    scene_make(&s, NR_CPU);
    ui_click(&s.ui, &s.frame, 24, 80, 4, 5 + 3);
    assert_int_equal(s.ui.slot, 2 * 64 + 3);
    ui_click(&s.ui, &s.frame, 24, 80, 1, 25);
    assert_int_equal(s.ui.cpu, 2);
    ui_click(&s.ui, &s.frame, 24, 80, 1, 79);
    ui_click(&s.ui, &s.frame, 24, 80, 23, 3);
    ui_click(&s.ui, &s.frame, 24, 80, -1, -1);
    assert_int_equal(s.ui.cpu, 2);
    assert_int_equal(s.ui.slot, 2 * 64 + 3);
    ui_click(&s.ui, &s.frame, 48, 160, 2, 7);
    assert_int_equal(s.ui.slot, 0);
    s.ui.view = VIEW_OVERVIEW;
    ui_click(&s.ui, &s.frame, 24, 80, 2 + 4, 20);
    assert_int_equal(s.ui.cpu, 1);
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
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_digits),
        cmocka_unit_test(test_layers_and_quit),
        cmocka_unit_test(test_clicks),
        cmocka_unit_test(test_key_table),
    };

    return cmocka_run_group_tests(tests, enter_source_root, NULL);
}
