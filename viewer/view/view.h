/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope view.
 */
#ifndef VIEWER_VIEW_VIEW_H
#define VIEWER_VIEW_VIEW_H

#include "command/options.h"
#include "view/session.h"
#include "view/ui.h"

/* Run it until the person leaves or a signal comes; returns the exit status. */
int command_view(const struct options *o);

/* What the view that is open needs beside the slots. */
struct session_wants view_wants(const struct ui *ui);

/* view --once: one picture on stdout, as plain text. */
int view_once(const struct options *o);

#endif /* VIEWER_VIEW_VIEW_H */
