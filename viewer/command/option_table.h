/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of commands and options, and the text that --help makes of them.
 */
#ifndef VIEWER_COMMAND_OPTION_TABLE_H
#define VIEWER_COMMAND_OPTION_TABLE_H

#include "command/options.h"

#define DIR_DEFAULT "build/run"

struct parser {
    struct options *o;
    struct failure *f;
    uint64_t used; /* bit n: row n of the table was given */
};

typedef int (*option_setter)(struct parser *p, const char *name, const char *value);

struct option_row {
    const char *name;
    const char *value;     /* NULL: takes none */
    unsigned int commands; /* those that know it: bit n is enum command n */
    option_setter set;
    const char *help; /* NULL: not listed */
};

struct command_row {
    const char *name;
    enum command command;
    unsigned int operands; /* how many it takes */
    const char *operand;   /* what they are called */
    const char *help;
};

extern const struct option_row option_table[];
extern const unsigned int nr_options;
extern const struct command_row command_table[];
extern const unsigned int nr_commands;

/* A sentence for bad usage; format takes two strings, whatever it does with them. */
int usage(struct parser *p, const char *format, const char *a, const char *b);

#endif /* VIEWER_COMMAND_OPTION_TABLE_H */
