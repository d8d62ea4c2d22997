/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope wait: until an expression about the machine is true.
 */
#ifndef VIEWER_COMMAND_WAIT_H
#define VIEWER_COMMAND_WAIT_H

#include "command/options.h"
#include "model/mapcache.h"

enum wait_operator { WAIT_EQ, WAIT_NE, WAIT_GE, WAIT_LE, WAIT_GT, WAIT_LT };

/* A parsed "cpu0.slot36.refs>=2". */
struct wait_expr {
    int cpu;  /* -1: the machine */
    int slot; /* -1: the CPU */
    unsigned int field;
    enum wait_operator op;
    uint64_t value;
};

/* 0, or -1 with f (EXIT_USAGE). */
int wait_parse(const char *text, struct wait_expr *e, struct failure *f);

/* The left side's value now; false: it has none (CPU off, slot cannot be read). */
bool wait_is_counter(const struct wait_expr *e); /* something that only our image counts */
bool wait_value(const struct wait_expr *e, const struct snapshot *snap, uint64_t *value);
bool wait_holds(const struct wait_expr *e, uint64_t value);

/* Run the command; returns the exit status. */
int command_wait(const struct options *o);

#endif /* VIEWER_COMMAND_WAIT_H */
