/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/layout.h"

#include <hvscope/layout.h>
#include <stdbool.h>

static int power_of_two_below(int n)
{
    int p = 1;

    while (p * 2 <= n && p < TILE_COLS)
        p *= 2;
    return p;
}

static void place_small(struct layout *l)
{
    bool labels = power_of_two_below(l->cols - LABEL_COLS) >= 16;

    l->kind = LAYOUT_SMALL;
    l->label_col = labels ? 0 : -1;
    l->tile_col = labels ? LABEL_COLS : 0;
    l->tile_row = 1;
    l->per_row = power_of_two_below(l->cols - l->tile_col);
    l->tile_rows = l->rows - 2;
}

struct layout layout_of(unsigned int rows, unsigned int cols)
{
    struct layout l = {.rows = rows, .cols = cols, .per_row = TILE_COLS, .tile_rows = TILE_ROWS};

    if (rows >= DASHBOARD_ROWS && cols >= DASHBOARD_COLS) {
        l.kind = LAYOUT_DASHBOARD;
        l.tile_row = 2;
        l.label_col = 2;
        l.tile_col = 2 + LABEL_COLS;
    } else if (rows >= SINGLE_ROWS && cols >= SINGLE_COLS) {
        l.kind = LAYOUT_SINGLE;
        l.tile_row = 2;
        l.label_col = 0;
        l.tile_col = LABEL_COLS;
    } else if (rows >= 3) {
        place_small(&l);
    } else {
        l.kind = LAYOUT_LINE;
        l.label_col = -1;
        l.tile_rows = 0;
    }
    if (l.tile_rows > DOMHEAP_ENTRIES / l.per_row)
        l.tile_rows = DOMHEAP_ENTRIES / l.per_row;
    return l;
}

int layout_top(const struct layout *l, unsigned int slot, unsigned int entries)
{
    int row = slot / l->per_row;
    int last = (entries + l->per_row - 1) / l->per_row - l->tile_rows;
    int top = row - l->tile_rows / 2;

    if (top > last)
        top = last;
    return top < 0 ? 0 : top;
}

int layout_slot_at(const struct layout *l, unsigned int selected, unsigned int entries, int row,
                   int col)
{
    int slot;

    if (row < l->tile_row || row >= l->tile_row + l->tile_rows || col < l->tile_col ||
        col >= l->tile_col + l->per_row)
        return -1;
    slot = (layout_top(l, selected, entries) + row - l->tile_row) * l->per_row + col - l->tile_col;
    return slot < (int)entries ? slot : -1;
}
