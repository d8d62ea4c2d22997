/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has to be undone outside this program even if a signal ends it. */
#ifndef VIEWER_SOURCE_ENDING_H
#define VIEWER_SOURCE_ENDING_H

/*
 * Before SIGINT, SIGTERM, SIGHUP, SIGQUIT or SIGPIPE end the program, undo is called; it may do
 * only what a signal handler may (signal-safety(7)). At most four at a time, each once. Who has a
 * handler of its own for a signal closes its sources, and is not interfered with.
 */
void ending_add(void (*undo)(void));
void ending_remove(void (*undo)(void));

#endif /* VIEWER_SOURCE_ENDING_H */
