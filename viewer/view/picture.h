/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The picture and the slots behind it, written to files.
 */
#ifndef VIEWER_VIEW_PICTURE_H
#define VIEWER_VIEW_PICTURE_H

#include "model/mapcache.h"
#include "view/canvas.h"

/* hvscope-N.txt and hvscope-N.json, N being free; what became of it goes to notice. */
void picture_write(const struct canvas *c, const struct snapshot *snap, char *notice, size_t size);

#endif /* VIEWER_VIEW_PICTURE_H */
