/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The panes of the dashboard.
 */
#ifndef VIEWER_VIEW_PANES_H
#define VIEWER_VIEW_PANES_H

#include "view/canvas.h"
#include "view/ui.h"

void panes_draw_dashboard(struct canvas *c, const struct layout *l, const struct frame *f,
                          const struct ui *ui);

/* The newest events, the last of them at the bottom of a rows x cols field. */
void panes_draw_events(struct canvas *c, const struct frame *f, int row, int col, int rows,
                       int cols);

#endif /* VIEWER_VIEW_PANES_H */
