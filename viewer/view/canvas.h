/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What drawing goes to: a grid of cells in memory. The terminal, a test and
 * --once each take it from there; nothing here knows curses.
 */
#ifndef VIEWER_VIEW_CANVAS_H
#define VIEWER_VIEW_CANVAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum cell_attr {
    BOLD = 1,
    UNDERLINE = 2,
    REVERSE = 4,
};

enum role {
#define ROLE(name, ...) ROLE_##name,
#include "view/theme.def"
#undef ROLE
    ROLES
};

enum color_mode { COLOR_MONO, COLOR_16, COLOR_256, COLOR_MODES };

/* Eight bytes without padding: pictures are compared as memory. */
struct cell {
    uint32_t ch : 24;  /* a code point that takes one column */
    uint32_t attr : 8; /* enum cell_attr, or-ed */
    int16_t fg;        /* -1: the terminal's own */
    int16_t bg;
};
_Static_assert(sizeof(struct cell) == 8, "a cell has no padding");

struct canvas {
    unsigned int rows, cols;
    enum color_mode mode;
    const struct cell *looks;   /* of each role; see theme.h */
    bool ascii;                 /* only ASCII may be put; others have a replacement */
    int cursor_row, cursor_col; /* -1: no cursor to be seen */
    struct cell *cell;
    int *pick; /* of each cell: what canvas_pick() said, or -1 */
};

/* Cells of rows x cols (at least 1 x 1). 0, or -1 if out of memory. */
int canvas_init(struct canvas *c, unsigned int rows, unsigned int cols, enum color_mode mode,
                bool ascii);
void canvas_free(struct canvas *c);

/* Blanks everywhere, no cursor, nothing to pick. */
void canvas_clear(struct canvas *c);

/* What is outside the canvas is not drawn, by any of these. */
void canvas_put(struct canvas *c, int row, int col, enum role role, uint32_t ch);
void canvas_fill(struct canvas *c, int row, int col, int width, enum role role, uint32_t ch);

/* At most width columns of UTF-8 text; returns the columns that it took. */
int canvas_text(struct canvas *c, int row, int col, int width, enum role role, const char *text);
int canvas_printf(struct canvas *c, int row, int col, int width, enum role role, const char *format,
                  ...) __attribute__((format(printf, 6, 7)));

/*
 * Two picture elements in one cell: top and bottom in the colours of their
 * roles' backgrounds. Not for mono or ASCII.
 */
void canvas_halves(struct canvas *c, int row, int col, enum role top, enum role bottom);
bool canvas_can_halves(const struct canvas *c);

/* A frame of rows x cols with a title in its upper edge. */
void canvas_box(struct canvas *c, int row, int col, int rows, int cols, enum role role,
                const char *title);

/* A code point as UTF-8; returns how many bytes it takes. */
unsigned int canvas_encode(uint32_t ch, char utf8[4]);

/* A click on these cells means number n of the view's list or grid; canvas_picked(): -1 if none. */
void canvas_pick(struct canvas *c, int row, int col, int width, unsigned int n);
int canvas_picked(const struct canvas *c, int row, int col);

void canvas_set_cursor(struct canvas *c, int row, int col);

/* The text alone, trailing blanks cut off. */
void canvas_print_text(const struct canvas *c, FILE *out);

bool canvas_same(const struct canvas *a, const struct canvas *b);

#endif /* VIEWER_VIEW_CANVAS_H */
