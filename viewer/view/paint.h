/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a terminal has to be sent so that it shows a picture: the cells that
 * differ, in the words of its terminfo entry. Sends nothing itself.
 *
 * Curses could do that, but it makes a system call of each movement of the
 * cursor, which was most of what a picture cost.
 */
#ifndef VIEWER_VIEW_PAINT_H
#define VIEWER_VIEW_PAINT_H

#include "view/canvas.h"

/* Bytes for the terminal, in order. */
struct ink {
    char *data;
    size_t len, room;
};

/* Once terminfo is loaded. False: this terminal cannot place its cursor. */
bool paint_open(void);

/* How many colours the terminal is good for. */
enum color_mode paint_color_mode(void);

/* A capability by its terminfo name, without the padding that only tputs() understands. */
void paint_capability(struct ink *ink, const char *name);

/* An empty screen; whatever the terminal's state was before. */
void paint_clear(struct ink *ink);

/* The cells of c that are not as in last; last NULL: the screen is empty. */
void paint_cells(struct ink *ink, const struct canvas *c, const struct canvas *last);

void ink_add(struct ink *ink, const char *data, size_t len);
void ink_free(struct ink *ink);

#endif /* VIEWER_VIEW_PAINT_H */
