/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that are typed into the viewer.
 */
#ifndef VIEWER_COMMAND_LINE_H
#define VIEWER_COMMAND_LINE_H

#include "command/context.h"

/*
 * Run a line such as "walk 0x7f8000000000 --cpu 1" on ctx, whose options are
 * not looked at. Returns what it printed, or what was wrong; free() it. NULL
 * if memory is short.
 */
char *line_run(struct context *ctx, const char *line);

#endif /* VIEWER_COMMAND_LINE_H */
