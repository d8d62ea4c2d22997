/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/theme.h"

#include "view/words.h"

#include <stdlib.h>
#include <string.h>

#define COLOR_LAST 255
#define LOOK_MAX   64

enum theme { THEME_DARK, THEME_LIGHT, THEMES };

static const char *const theme_names[THEMES] = {"dark", "light"};
static const char *const keywords[COLOR_MODES] = {"mono", "color16", "color"};

static const struct {
    const char *name;
    const char *look[THEMES][COLOR_MODES];
} roles[ROLES] = {
#define ROLE(role, dark256, dark16, light256, light16, mono)                                       \
    [ROLE_##role] = {#role, {{mono, dark16, dark256}, {mono, light16, light256}}},
#include "view/theme.def"
#undef ROLE
};

static struct cell looks[COLOR_MODES][ROLES];
static enum theme chosen;
static bool loaded;

/* A colour's number, or "-". */
static bool parse_color(const char *word, int16_t *color)
{
    char *end;
    long n = word ? strtol(word, &end, 10) : -1;

    *color = -1;
    if (word && strcmp(word, "-") == 0)
        return true;
    if (!word || !*word || *end || n < 0 || n > COLOR_LAST)
        return false;
    *color = (int16_t)n;
    return true;
}

static unsigned int parse_attribute(const char *word)
{
    static const char *const names[] = {"bold", "underline", "reverse"};

    for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(word, names[i]) == 0)
            return 1u << i;
    }
    return 0;
}

static const char *parse_look(enum color_mode mode, const char *text, struct cell *cell)
{
    char copy[LOOK_MAX], *rest = copy, *word;
    int16_t fg = -1, bg = -1;
    unsigned int attr = 0;

    snprintf(copy, sizeof(copy), "%s", text);
    if (mode != COLOR_MONO &&
        (!parse_color(word_next(&rest), &fg) || !parse_color(word_next(&rest), &bg)))
        return "two colours are needed, numbers from 0 to 255 or -";
    while ((word = word_next(&rest)) != NULL) {
        if (!parse_attribute(word))
            return "behind the colours there can be bold, underline and reverse";
        attr |= parse_attribute(word);
    }
    *cell = (struct cell){.fg = fg, .bg = bg, .attr = attr};
    return NULL;
}

static void load(enum theme theme)
{
    for (int mode = 0; mode < COLOR_MODES; mode++) {
        for (int role = 0; role < ROLES; role++)
            parse_look((enum color_mode)mode, roles[role].look[theme][mode], &looks[mode][role]);
    }
    chosen = theme;
    loaded = true;
}

const struct cell *theme_looks(enum color_mode mode)
{
    if (!loaded)
        load(THEME_DARK);
    return looks[mode];
}

bool theme_choose(const char *name)
{
    for (int theme = 0; theme < THEMES; theme++) {
        if (strcmp(name, theme_names[theme]) == 0) {
            load((enum theme)theme);
            return true;
        }
    }
    return false;
}

const char *theme_set(enum color_mode mode, const char *role, const char *look)
{
    theme_looks(mode);
    for (int i = 0; i < ROLES; i++) {
        if (word_is(role, roles[i].name))
            return parse_look(mode, look, &looks[mode][i]);
    }
    return "there is no such role: `hvscope config` lists them";
}

static void print_color(FILE *out, int color)
{
    if (color < 0)
        fputs(" -", out);
    else
        fprintf(out, " %d", color);
}

static void print_look(FILE *out, enum color_mode mode, int role)
{
    const struct cell *cell = &theme_looks(mode)[role];
    char name[LOOK_MAX];

    word_of(roles[role].name, name, sizeof(name));
    fprintf(out, "%s %s", keywords[mode], name);
    if (mode != COLOR_MONO) {
        print_color(out, cell->fg);
        print_color(out, cell->bg);
    }
    fprintf(out, "%s%s%s\n", cell->attr & BOLD ? " bold" : "",
            cell->attr & UNDERLINE ? " underline" : "", cell->attr & REVERSE ? " reverse" : "");
}

void theme_print(FILE *out)
{
    fprintf(out, "theme %s\n", theme_names[chosen]);
    for (int mode = COLOR_MODES - 1; mode >= 0; mode--) {
        for (int role = 0; role < ROLES; role++)
            print_look(out, (enum color_mode)mode, role);
    }
}
