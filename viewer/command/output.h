/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output that appears whole or not at all.
 */
#ifndef VIEWER_COMMAND_OUTPUT_H
#define VIEWER_COMMAND_OUTPUT_H

#include "source/failure.h"

#include <stdio.h>

/* Text that is collected in memory. */
struct output {
    FILE *file; /* to be written to */
    char *text;
    size_t size;
};

/* 0, or -1 with f. */
int output_begin(struct output *out, struct failure *f);

/* Send everything to stdout. 0, or -1 with f (EXIT_USAGE) if that failed. */
int output_end(struct output *out, struct failure *f);

/* Forget it. */
void output_drop(struct output *out);

/* "hvscope: …" on stderr; returns the status to exit with. */
int failure_report(const struct failure *f);

#endif /* VIEWER_COMMAND_OUTPUT_H */
