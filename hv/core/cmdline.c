/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/cmdline.h"
#include "core/printk.h"
#include "core/string.h"
#include "work/work.h"

#define PACE_MAX 100000000u

struct options options = {.trace = TRACE_API};

/* Part of the command line: not terminated. */
struct word {
    const char *s;
    size_t n;
};

static bool word_is(struct word w, const char *s)
{
    return strlen(s) == w.n && strncmp(w.s, s, w.n) == 0;
}

/* Index of a word in a list that ends with NULL, -1 if it is not there. */
static int word_index(struct word w, const char *const *list)
{
    for (int i = 0; list[i]; i++) {
        if (word_is(w, list[i]))
            return i;
    }
    return -1;
}

static bool set_directmap(struct word value)
{
    static const char *const off_on[] = {"off", "on", NULL};
    int i = word_index(value, off_on);

    if (i >= 0)
        options.directmap = i;
    return i >= 0;
}

static bool set_trace(struct word value)
{
    static const char *const modes[] = {[TRACE_OFF] = "off", [TRACE_API] = "api", NULL};
    int i = word_index(value, modes);

    if (i >= 0)
        options.trace = (enum trace_mode)i;
    return i >= 0;
}

static bool set_pace(struct word value)
{
    uint64_t pace = 0;

    for (size_t i = 0; i < value.n; i++) {
        if (value.s[i] < '0' || value.s[i] > '9' || pace > PACE_MAX)
            return false;
        pace = pace * 10 + (uint64_t)(value.s[i] - '0');
    }
    if (!value.n || pace > PACE_MAX)
        return false;
    options.pace = pace;
    return true;
}

static bool set_workload(struct word value)
{
    for (unsigned int i = 0; i < nr_workloads; i++) {
        if (word_is(value, workloads[i]->name)) {
            options.workload = i;
            return true;
        }
    }
    return false;
}

static const struct option {
    const char *name;
    bool (*set)(struct word value);
    const char *values;
} table[] = {
    {"directmap", set_directmap, "on, off"},
    {"pace", set_pace, "maps and unmaps a second, up to 100000000; 0 is no wait"},
    {"trace", set_trace, "off, api"},
    {"workload", set_workload, "copy"},
};

/* A word for the console: bounded, and without control bytes. */
static void word_quote(char *out, size_t size, struct word w)
{
    size_t i;

    for (i = 0; i < w.n && i < size - 1; i++)
        out[i] = w.s[i] > ' ' && w.s[i] < 0x7f ? w.s[i] : '?';
    out[i] = '\0';
}

static void option_set(struct word name, struct word value)
{
    char text[64];

    for (unsigned int i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (!word_is(name, table[i].name))
            continue;
        word_quote(text, sizeof(text), value);
        if (!table[i].set(value))
            printk("command line: %s=%s is not understood (%s): the default stays\n", table[i].name,
                   text, table[i].values);
        return;
    }
    word_quote(text, sizeof(text), name);
    printk("command line: unknown option %s: ignored\n", text);
}

void cmdline_parse(const char *line)
{
    while (*line) {
        struct word name = {line, 0}, value;

        while (*line && *line != ' ' && *line != '=')
            line++;
        name.n = (size_t)(line - name.s);
        line += *line == '=';
        value = (struct word){line, 0};
        while (*line && *line != ' ')
            line++;
        value.n = (size_t)(line - value.s);
        if (name.n)
            option_set(name, value);
        while (*line == ' ')
            line++;
    }
}
