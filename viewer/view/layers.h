/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What opens on top of a view: help, and one slot bit by bit.
 */
#ifndef VIEWER_VIEW_LAYERS_H
#define VIEWER_VIEW_LAYERS_H

#include "view/canvas.h"
#include "view/ui.h"

/* All that are open, the topmost last. */
void layers_draw(struct canvas *c, const struct frame *f, const struct ui *ui);

#endif /* VIEWER_VIEW_LAYERS_H */
