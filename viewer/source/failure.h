/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What went wrong, as one sentence for a person and one status for a script.
 */
#ifndef VIEWER_FAILURE_H
#define VIEWER_FAILURE_H

/* Exit statuses of hvscope; documented to users, so they never change. */
enum exit_status {
    EXIT_DONE = 0,
    EXIT_NOT_MET = 1,   /* wait timed out; check has findings */
    EXIT_USAGE = 2,     /* bad usage, or the output could not be written */
    EXIT_NO_TARGET = 3, /* no target, or it went away */
    EXIT_NOT_UNDERSTOOD = 4,
    EXIT_NO_MAPCACHE = 5, /* understood, but there is no mapcache (yet) */
    EXIT_INCOMPLETE = 6,  /* check found nothing, but not all was seen */
    EXIT_SIGNAL = 128,    /* plus the number of the signal */
};

#define FAILURE_TEXT_MAX 320

struct failure {
    enum exit_status status;
    char text[FAILURE_TEXT_MAX]; /* no newline, no "hvscope:" in front */
};

/*
 * Fill in f (printf style; control bytes that come with an argument are
 * replaced, so that a file's name cannot act on the terminal). Returns -1, so
 * that a function can end with "return failure_set(…)".
 */
int failure_set(struct failure *f, enum exit_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif /* VIEWER_FAILURE_H */
