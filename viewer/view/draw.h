/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One whole picture.
 */
#ifndef VIEWER_VIEW_DRAW_H
#define VIEWER_VIEW_DRAW_H

#include "view/canvas.h"
#include "view/ui.h"

/* Clear the canvas and draw the view that ui names, with all that surrounds it. */
void draw_picture(struct canvas *c, const struct frame *f, const struct ui *ui);

#endif /* VIEWER_VIEW_DRAW_H */
