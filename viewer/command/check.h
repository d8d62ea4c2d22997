/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VIEWER_COMMAND_CHECK_H
#define VIEWER_COMMAND_CHECK_H

#include "command/options.h"

/* hvscope check; returns the exit status. */
int command_check(const struct options *o);

#endif /* VIEWER_COMMAND_CHECK_H */
