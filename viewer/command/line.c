/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/line.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 16
#define LINE_MAX  256

static int run(struct context *ctx, struct options *o, FILE *out, struct failure *f)
{
    command_printer print = command_find_printer(o->command);

    if (!print || o->follow)
        return failure_set(f, EXIT_USAGE,
                           "here there are dump, walk, map, cpus, stats, events, find and explain");
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
