/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope record.
 */
#ifndef VIEWER_COMMAND_RECORD_H
#define VIEWER_COMMAND_RECORD_H

#include "command/options.h"

/* Until interrupted, full, or the target goes away; returns the exit status. */
int command_record(const struct options *o);

#endif /* VIEWER_COMMAND_RECORD_H */
