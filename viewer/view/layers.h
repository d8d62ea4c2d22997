/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What opens on top of a view: help, and one slot bit by bit.
 */
#ifndef VIEWER_VIEW_LAYERS_H
#define VIEWER_VIEW_LAYERS_H

#include "model/pte_text.h"
#include "view/canvas.h"
#include "view/ui.h"

/* All that are open, the topmost last. */
void layers_draw(struct canvas *c, const struct frame *f, const struct ui *ui);

/* Lines of the help on a screen so wide, and how many lines of each a screen has room for. */
unsigned int layers_help_lines(int cols);
int layers_help_rows(int rows);
int layers_detail_rows(int rows);
int layers_text_rows(int rows);

/* Of a slot's bits, at most. */
#define LAYERS_DETAIL_LINES (3 + PTE_FIELDS_MAX)

#endif /* VIEWER_VIEW_LAYERS_H */
