/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/config.h"

#include "command/options.h"
#include "command/output.h"
#include "view/keys.h"
#include "view/theme.h"
#include "view/ui.h"
#include "view/words.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define LINE_CHARS 512

static const char *set_rate(struct config *c, char *rest)
{
    char *end, *word = word_next(&rest);
    long n = word ? strtol(word, &end, 10) : 0;

    if (!word || *end || n < HZ_MIN || n > HZ_MAX || word_next(&rest))
        return "rate needs a number from 1 to 60";
    c->rate = (unsigned int)n;
    return NULL;
}

static const char *set_view(struct config *c, char *rest)
{
    const char *word = word_next(&rest);

    for (int view = 0; word && view < VIEWS; view++) {
        if (strcmp(word, view_name((enum view_id)view)) == 0) {
            c->view = view;
            return NULL;
        }
    }
    return "view needs one of slots, tables, map, events, check, stats, overview";
}

static const char *set_theme(struct config *c, char *rest)
{
    const char *word = word_next(&rest);

    (void)c;
    return word && theme_choose(word) ? NULL : "theme needs one of dark, light";
}

static const char *set_role(enum color_mode mode, char *rest)
{
    const char *role = word_next(&rest);

    return role ? theme_set(mode, role, rest) : "a role is needed, and how it looks";
}

static const char *set_color(struct config *c, char *rest)
{
    (void)c;
    return set_role(COLOR_256, rest);
}

static const char *set_color16(struct config *c, char *rest)
{
    (void)c;
    return set_role(COLOR_16, rest);
}

static const char *set_mono(struct config *c, char *rest)
{
    (void)c;
    return set_role(COLOR_MONO, rest);
}

static const char *set_key(struct config *c, char *rest)
{
    const char *action = word_next(&rest);

    (void)c;
    rest += strspn(rest, " \t\r\n");
    return action && *rest ? key_bind(action, rest) : "an action is needed, and its keys, or none";
}

static const struct {
    const char *word;
    const char *(*set)(struct config *c, char *rest);
} settings[] = {
    {"rate", set_rate},   {"view", set_view},       {"theme", set_theme}, {"key", set_key},
    {"color", set_color}, {"color16", set_color16}, {"mono", set_mono},
};

static const char *take_line(struct config *c, char *line)
{
    const char *word = word_next(&line);

    if (!word || word[0] == '#')
        return NULL;
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        if (strcmp(word, settings[i].word) == 0)
            return settings[i].set(c, line);
    }
    return "a line begins with rate, view, theme, color, color16, mono or key";
}

static bool find_file(char *path, size_t size)
{
    const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

    if (xdg && xdg[0] == '/')
        return (size_t)snprintf(path, size, "%s/hvscope/config", xdg) < size;
    return home && (size_t)snprintf(path, size, "%s/.config/hvscope/config", home) < size;
}

/* The whole path goes to errors; the screen has room for the file's name. */
static void tell(struct config *c, FILE *errors, const char *path, unsigned int line,
                 const char *wrong)
{
    char at[16] = "";

    if (line)
        snprintf(at, sizeof(at), ":%u", line);
    fprintf(errors, "hvscope: %s%s: %s\n", path, at, wrong);
    if (!c->wrong++)
        snprintf(c->first, sizeof(c->first), "config%s: %s", at, wrong);
}

void config_load(struct config *c, FILE *errors)
{
    char path[PATH_MAX], line[LINE_CHARS];
    FILE *file;

    *c = (struct config){.view = -1};
    if (!find_file(path, sizeof(path)))
        return;
    file = fopen(path, "re");
    if (!file) {
        if (errno != ENOENT && errno != ENOTDIR)
            tell(c, errors, path, 0, strerror(errno));
        return;
    }
    for (unsigned int n = 1; fgets(line, sizeof(line), file); n++) {
        bool whole = strchr(line, '\n') || feof(file);
        const char *wrong = whole ? take_line(c, line) : "the line is too long";

        if (wrong)
            tell(c, errors, path, n, wrong);
        while (!whole && fgets(line, sizeof(line), file))
            whole = strchr(line, '\n') != NULL;
    }
    fclose(file);
}

void config_print(const struct config *c, FILE *out)
{
    fprintf(out, "rate %u\n", c->rate ? c->rate : HZ_DEFAULT);
    fprintf(out, "view %s\n", view_name(c->view >= 0 ? (enum view_id)c->view : VIEW_SLOTS));
    theme_print(out);
    key_print(out);
}

int command_config(void)
{
    struct output out;
    struct failure f;
    struct config c;

    config_load(&c, stderr);
    if (output_begin(&out, &f))
        return failure_report(&f);
    config_print(&c, out.file);
    return output_end(&out, &f) ? failure_report(&f) : EXIT_DONE;
}
