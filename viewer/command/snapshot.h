/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope snapshot and diff.
 */
#ifndef VIEWER_COMMAND_SNAPSHOT_H
#define VIEWER_COMMAND_SNAPSHOT_H

#include "command/options.h"

/* Both return the exit status. */
int command_snapshot(const struct options *o);
int command_diff(const struct options *o);

#endif /* VIEWER_COMMAND_SNAPSHOT_H */
