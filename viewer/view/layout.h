/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where things are. It follows from the size of the screen alone: no pane ever
 * moves because of what is in it.
 */
#ifndef VIEWER_VIEW_LAYOUT_H
#define VIEWER_VIEW_LAYOUT_H

#define SINGLE_ROWS    24
#define SINGLE_COLS    80
#define DASHBOARD_ROWS 48
#define DASHBOARD_COLS 160
#define TILE_COLS      64
#define TILE_ROWS      16
#define LABEL_COLS     5 /* a slot's number and a blank */

enum layout_kind {
    LAYOUT_LINE,  /* one line of text */
    LAYOUT_SMALL, /* title, as much of the grid as fits, one line of detail */
    LAYOUT_SINGLE,
    LAYOUT_DASHBOARD,
};

struct layout {
    enum layout_kind kind;
    int rows, cols;         /* of the screen */
    int tile_row, tile_col; /* first cell of the focused CPU's grid */
    int tile_rows;          /* rows of it on screen */
    int per_row;            /* slots in a row */
    int label_col;          /* of the row labels; -1: no room for them */
};

struct layout layout_of(unsigned int rows, unsigned int cols);

/* The grid's row that is on top, so that slot is to be seen. */
int layout_top(const struct layout *l, unsigned int slot, unsigned int entries);

/* Slot at a place of the screen; -1 if there is none. selected: see layout_top(). */
int layout_slot_at(const struct layout *l, unsigned int selected, unsigned int entries, int row,
                   int col);

#endif /* VIEWER_VIEW_LAYOUT_H */
