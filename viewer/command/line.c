/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/line.h"

#include "command/option_table.h"

#include <stdlib.h>
#include <string.h>

#define WORDS_MAX 16
#define LINE_MAX  256

/* "here there are dump, walk, map ...": the commands that print what they find. */
static void put_names(FILE *out)
{
    const char *before = "here there are ";

    for (unsigned int i = 0; i < nr_commands; i++) {
        if (command_find_printer(command_table[i].command)) {
            fprintf(out, "%s%s", before, command_table[i].name);
            before = ", ";
        }
    }
    fputc('\n', out);
}

static int run(struct context *ctx, struct options *o, FILE *out, struct failure *f)
{
    command_printer print = command_find_printer(o->command);

    if (!print || o->follow || o->casemate)
        return failure_set(f, EXIT_USAGE, "that is for the command line");
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
        if (f.status == EXIT_USAGE)
            put_names(out);
    }
    fclose(out);
    options_free(&o);
    return text;
}
