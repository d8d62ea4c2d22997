/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All CPUs on one screen.
 */
#ifndef VIEWER_VIEW_OVERVIEW_H
#define VIEWER_VIEW_OVERVIEW_H

#include "view/canvas.h"
#include "view/ui.h"

void overview_draw(struct canvas *c, const struct frame *f, const struct ui *ui);

/* CPU at that place; -1 if none. */
int overview_cpu_at(const struct frame *f, const struct ui *ui, const struct layout *l, int row,
                    int col);

#endif /* VIEWER_VIEW_OVERVIEW_H */
