/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/line.h"

#include "command/option_table.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 16
#define LINE_MAX  256

/* "dump, walk, map ...": the commands that print what they find. */
static int refuse(struct failure *f)
{
    char names[FAILURE_TEXT_MAX];
    size_t len = 0;

    for (unsigned int i = 0; i < nr_commands && len < sizeof(names); i++) {
        if (command_find_printer(command_table[i].command))
            len += (size_t)snprintf(names + len, sizeof(names) - len, "%s%s", len ? ", " : "",
                                    command_table[i].name);
    }
    return failure_set(f, EXIT_USAGE, "here there are %s", names);
}

static int run(struct context *ctx, struct options *o, FILE *out, struct failure *f)
{
    command_printer print = command_find_printer(o->command);

    if (!print || o->follow)
        return refuse(f);
    if (options_check_cpus(o, ctx->snap->ncpu, f) ||
        context_require_slots(o->command, &ctx->snap->machine, f))
        return -1;
    ctx->o = o;
    return print(ctx, out, f);
}

char *line_run(struct context *ctx, const char *line)
{
    char copy[LINE_MAX], *argv[WORDS_MAX] = {"hvscope"}, *save = NULL, *text = NULL;
    struct options o;
    struct failure f;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    int argc = 1;

    if (!out)
        return NULL;
    snprintf(copy, sizeof(copy), "%s", line);
    for (char *w = strtok_r(copy, " ", &save); w && argc < WORDS_MAX;
         w = strtok_r(NULL, " ", &save))
        argv[argc++] = w;
    if (options_parse(&o, argc, argv, &f) || run(ctx, &o, out, &f)) {
        rewind(out);
        fprintf(out, "%s\n", f.text);
    }
    fclose(out);
    options_free(&o);
    return text;
}
