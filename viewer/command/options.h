/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line.
 */
#ifndef VIEWER_COMMAND_OPTIONS_H
#define VIEWER_COMMAND_OPTIONS_H

#include "source/target.h"

#include <hvscope/beacon.h>
#include <stdio.h>

#define HZ_MIN     1
#define HZ_MAX     60
#define HZ_DEFAULT 10

enum command {
    COMMAND_VIEW,
    COMMAND_DUMP,
    COMMAND_WALK,
    COMMAND_MAP,
    COMMAND_CPUS,
    COMMAND_STATS,
    COMMAND_EVENTS,
    COMMAND_FIND,
    COMMAND_EXPLAIN,
    COMMAND_CHECK,
    COMMAND_WAIT,
    COMMAND_DIFF,
    COMMAND_SNAPSHOT,
    COMMAND_RECORD,
    COMMAND_CONFIG,
    COMMAND_HELP,
    COMMAND_VERSION,
    COMMANDS
};

#define OPERANDS_MAX 2

struct options {
    enum command command;
    struct target_spec target;
    bool json;
    bool all;
    bool once;
    bool no_color;
    bool ascii;
    bool no_mouse;
    bool allow_control;
    bool follow;
    bool events;   /* record: all of them */
    bool casemate; /* events: its format, to output.cpuN */
    bool af0;      /* with AF cleared */
    const char *output;
    unsigned int hz;    /* HZ_MIN to HZ_MAX */
    bool has_hz;        /* it was given */
    const char *elf;    /* NULL: to be looked for */
    const char *regime; /* walk, map: its word, or "guest"; NULL: EL2's own */
    uint64_t max_size;  /* record: bytes */
    bool has_timeout;
    uint64_t timeout_ns;
    bool some_cpus;    /* only those in cpu_mask */
    uint64_t cpu_mask; /* bit n: CPUn */
    const char *operand[OPERANDS_MAX];
    unsigned int nr_operands;
    char *ram_path[RAM_FILES_MAX]; /* what target.ram points to */
};

/* 0, or -1 with f (EXIT_USAGE). argv stays referenced until options_free(). */
int options_parse(struct options *o, int argc, char *const argv[], struct failure *f);
void options_free(struct options *o);

/* 0, or -1 with f (EXIT_USAGE) if --cpu names one that the machine does not have. */
int options_check_cpus(const struct options *o, unsigned int ncpu, struct failure *f);

/* The text of --help. */
void options_print_help(FILE *out);

#endif /* VIEWER_COMMAND_OPTIONS_H */
