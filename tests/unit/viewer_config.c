/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The config file: what it says is done, what is wrong with it is told, and the
 * settings in force are such a file.
 */
#include "view/config.h"
#include "view/keys.h"
#include "view/theme.h"
#include "view/ui.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TEXT_MAX 16384

static char home[] = "/tmp/hvscope-config-XXXXXX";

/* Load such a file; what it was told on errors comes back in said. */
static struct config load(const char *text, char said[TEXT_MAX])
{
    char path[128];
    struct config c;
    FILE *file, *errors = fmemopen(said, TEXT_MAX, "w");

    snprintf(path, sizeof(path), "%s/hvscope/config", home);
    file = fopen(path, "w");
    fputs(text, file);
    fclose(file);
    memset(said, 0, TEXT_MAX);
    config_load(&c, errors);
    fclose(errors);
    return c;
}

static void print(const struct config *c, char out[TEXT_MAX])
{
    FILE *file = fmemopen(out, TEXT_MAX, "w");

    memset(out, 0, TEXT_MAX);
    config_print(c, file);
    fclose(file);
}

static void test_settings(void **state)
{
    static char said[TEXT_MAX];
    const struct cell *looks = theme_looks(COLOR_256);
    char name[KEY_TEXT_MAX], help[80];
    struct config c;

    (void)state;
    c = load("# mine\n\nrate 30\nview overview\n  color saturated 1 - bold reverse\n"
             "mono free underline\ncolor16 free 3 -\nkey pause P ^P\nkey step-back none\n"
             "key redraw F12\n",
             said);
    assert_string_equal(said, "");
    assert_int_equal(c.rate, 30);
    assert_int_equal(c.view, VIEW_OVERVIEW);
    assert_int_equal(looks[ROLE_SATURATED].fg, 1);
    assert_int_equal(looks[ROLE_SATURATED].bg, -1);
    assert_int_equal(looks[ROLE_SATURATED].attr, BOLD | REVERSE);
    assert_int_equal(theme_looks(COLOR_MONO)[ROLE_FREE].attr, UNDERLINE);
    assert_int_equal(theme_looks(COLOR_16)[ROLE_FREE].fg, 3);
    assert_int_equal(key_action('P'), ACTION_PAUSE);
    assert_int_equal(key_action(0x10), ACTION_PAUSE);
    assert_int_equal(key_action('p'), ACTION_NONE);
    assert_int_equal(key_action(UI_KEY_F12), ACTION_REDRAW);
    assert_int_equal(key_action('['), ACTION_NONE);
    key_group_name(&key_rows()[ACTION_PAUSE - 1], name);
    assert_string_equal(name, "P");
    key_group_help(&key_rows()[ACTION_PAUSE - 1], help, sizeof(help));
    assert_string_equal(help, "freeze the picture, not the machine");
    key_group_name(&key_rows()[ACTION_STEP_BACK - 1], name);
    assert_string_equal(name, "] { }");
}

/* A key that gets another meaning loses the one it had. */
static void test_taken_keys(void **state)
{
    static char said[TEXT_MAX];
    char name[KEY_TEXT_MAX];

    (void)state;
    load("key overview c\n", said);
    assert_string_equal(said, "");
    assert_int_equal(key_action('c'), ACTION_OVERVIEW);
    assert_int_equal(key_action('o'), ACTION_NONE);
    key_group_name(&key_rows()[ACTION_COLOR - 1], name);
    assert_string_equal(name, "");
}

static void test_errors(void **state)
{
    static char said[TEXT_MAX];
    static const struct {
        const char *line, *says;
    } wrong[] = {
        {"colour x", "begins with rate, view, theme"},
        {"rate 0", "from 1 to 60"},
        {"rate 10 20", "from 1 to 60"},
        {"view everything", "slots, tables, map"},
        {"theme blue", "dark, light"},
        {"color saturated 256 1", "from 0 to 255"},
        {"color saturated 1", "two colours"},
        {"color saturated 1 2 blink", "bold, underline and reverse"},
        {"color nonsense 1 2", "no such role"},
        {"color", "a role is needed"},
        {"key nonsense x", "no such action"},
        {"key pause F99", "no such key"},
        {"key pause", "or none"},
        {"key pause 5", "digits"},
        {"key digit x", "digits"},
        {"key stop ^S", "for itself"},
        {"key pause a b d e i", "at most four"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        char text[128];
        struct config c;

        snprintf(text, sizeof(text), "rate 7\n%s\nview map\n", wrong[i].line);
        c = load(text, said);
        assert_non_null(strstr(said, "/hvscope/config:2: "));
        assert_non_null(strstr(said, wrong[i].says));
        assert_ptr_equal(strchr(said, '\n'), said + strlen(said) - 1);
        assert_int_equal(c.wrong, 1);
        assert_int_equal(c.rate, 7); /* the rest counts */
        assert_int_equal(c.view, VIEW_MAP);
    }
}

static void test_long_line(void **state)
{
    static char text[4096], said[TEXT_MAX];
    struct config c;

    (void)state;
    memset(text, 'x', 3000);
    strcpy(text + 3000, "\nrate 9\n");
    c = load(text, said);
    assert_non_null(strstr(said, "config:1: the line is too long"));
    assert_int_equal(c.wrong, 1);
    assert_int_equal(c.rate, 9);
}

/* What is printed, read again, is what was; so is every theme. */
static void test_printed(void **state)
{
    static char first[TEXT_MAX], again[TEXT_MAX], said[TEXT_MAX];
    struct config c;

    (void)state;
    for (int i = 0; i < 2; i++) {
        c = load(i ? "theme light\nkey stop ^T\nrate 20\n" : "theme dark\n", said);
        assert_string_equal(said, "");
        print(&c, first);
        assert_non_null(strstr(first, i ? "theme light\n" : "theme dark\n"));
        assert_non_null(strstr(first, i ? "key stop ^T\n" : "key stop S\n"));
        c = load(first, said);
        assert_string_equal(said, "");
        print(&c, again);
        assert_string_equal(first, again);
    }
}

/* A ramp that goes up in lightness whatever the eye: both themes, 256 colours. */
static double lightness(int color)
{
    static const int steps[] = {0, 95, 135, 175, 215, 255};
    int cube = color - 16;
    double r = steps[cube / 36], g = steps[cube / 6 % 6], b = steps[cube % 6];

    return 0.299 * r + 0.587 * g + 0.114 * b;
}

static void test_themes(void **state)
{
    static const enum role ramp[] = {ROLE_COUNT_1, ROLE_COUNT_2, ROLE_COUNT_3,
                                     ROLE_COUNT_4, ROLE_COUNT_8, ROLE_COUNT_C};
    static const char *const names[] = {"dark", "light"};

    (void)state;
    for (int theme = 0; theme < 2; theme++) {
        const struct cell *looks = theme_looks(COLOR_256);

        assert_true(theme_choose(names[theme]));
        for (int i = 0; i + 1 < 6; i++)
            assert_true(lightness(looks[ramp[i]].bg) < lightness(looks[ramp[i + 1]].bg));
        for (int role = 0; role < ROLES; role++) {
            assert_true(theme_looks(COLOR_16)[role].fg < 8 && theme_looks(COLOR_16)[role].bg < 8);
            assert_int_equal(theme_looks(COLOR_MONO)[role].fg, -1);
            assert_true(looks[role].fg != looks[role].bg || looks[role].fg < 0);
        }
    }
    assert_false(theme_choose("blue"));
}

static int make_home(void **state)
{
    char path[128];

    (void)state;
    if (!mkdtemp(home))
        return -1;
    snprintf(path, sizeof(path), "%s/hvscope", home);
    setenv("XDG_CONFIG_HOME", home, 1);
    return mkdir(path, 0700);
}

static int remove_home(void **state)
{
    char path[128];

    (void)state;
    snprintf(path, sizeof(path), "%s/hvscope/config", home);
    unlink(path);
    snprintf(path, sizeof(path), "%s/hvscope", home);
    rmdir(path);
    return rmdir(home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_themes), /* before keys are taken away */
        cmocka_unit_test(test_printed),    cmocka_unit_test(test_settings),
        cmocka_unit_test(test_taken_keys), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_long_line),
    };

    return cmocka_run_group_tests(tests, make_home, remove_home);
}
