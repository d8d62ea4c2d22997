/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/canvas.h"

#include "view/theme.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX   512
#define UPPER_HALF 0x2580
#define LOWER_HALF 0x2584
#define FULL_BLOCK 0x2588

static const struct {
    uint32_t ch;
    char ascii;
} replacements[] = {
    {0xb7, '.'},   {0x2500, '-'}, {0x2502, '|'}, {0x250c, '+'}, {0x2510, '+'},
    {0x2514, '+'}, {0x2518, '+'}, {0x2192, '>'}, {0x25b8, '>'}, {0x2026, '~'},
    {0x2588, '#'}, {0x2580, '"'}, {0x2584, '_'},
};

int canvas_init(struct canvas *c, unsigned int rows, unsigned int cols, enum color_mode mode,
                bool ascii)
{
    *c = (struct canvas){
        .rows = rows, .cols = cols, .mode = mode, .looks = theme_looks(mode), .ascii = ascii};
    c->cell = calloc((size_t)rows * cols, sizeof(*c->cell));
    c->pick = calloc((size_t)rows * cols, sizeof(*c->pick));
    if (!c->cell || !c->pick) {
        canvas_free(c);
        return -1;
    }
    canvas_clear(c);
    return 0;
}

void canvas_free(struct canvas *c)
{
    free(c->cell);
    free(c->pick);
    *c = (struct canvas){0};
}

void canvas_clear(struct canvas *c)
{
    const struct cell blank = {.ch = ' ', .fg = -1, .bg = -1};

    for (size_t i = 0; i < (size_t)c->rows * c->cols; i++) {
        c->cell[i] = blank;
        c->pick[i] = -1;
    }
    c->cursor_row = c->cursor_col = -1;
}

static struct cell *cell_at(struct canvas *c, int row, int col)
{
    if (row < 0 || col < 0 || (unsigned int)row >= c->rows || (unsigned int)col >= c->cols)
        return NULL;
    return &c->cell[(size_t)row * c->cols + col];
}

void canvas_pick(struct canvas *c, int row, int col, int width, unsigned int n)
{
    for (int i = col; i < col + width; i++) {
        struct cell *cell = cell_at(c, row, i);

        if (cell)
            c->pick[cell - c->cell] = (int)n;
    }
}

int canvas_picked(const struct canvas *c, int row, int col)
{
    if (row < 0 || col < 0 || (unsigned int)row >= c->rows || (unsigned int)col >= c->cols)
        return -1;
    return c->pick[(size_t)row * c->cols + col];
}

static uint32_t to_ascii(uint32_t ch)
{
    for (size_t i = 0; i < sizeof(replacements) / sizeof(replacements[0]); i++) {
        if (replacements[i].ch == ch)
            return replacements[i].ascii;
    }
    return ch < 0x7f ? ch : '?';
}

void canvas_put(struct canvas *c, int row, int col, enum role role, uint32_t ch)
{
    struct cell *cell = cell_at(c, row, col);

    if (!cell)
        return;
    if (ch < 0x20 || (ch >= 0x7f && ch < 0xa0))
        ch = '?';
    *cell = c->looks[role];
    cell->ch = c->ascii ? to_ascii(ch) : ch;
}

void canvas_fill(struct canvas *c, int row, int col, int width, enum role role, uint32_t ch)
{
    for (int i = 0; i < width; i++)
        canvas_put(c, row, col + i, role, ch);
}

/* The next code point of well-formed UTF-8 text; moves *text behind it. */
static uint32_t next_char(const char **text)
{
    const unsigned char *p = (const unsigned char *)*text;
    unsigned int more = p[0] < 0xc0 ? 0 : p[0] < 0xe0 ? 1 : p[0] < 0xf0 ? 2 : 3;
    uint32_t ch = more ? p[0] & (0x3f >> more) : p[0];

    (*text)++;
    for (; more && ((unsigned char)**text & 0xc0) == 0x80; more--)
        ch = ch << 6 | (*(*text)++ & 0x3f);
    return ch;
}

int canvas_text(struct canvas *c, int row, int col, int width, enum role role, const char *text)
{
    int used = 0;

    while (*text && used < width)
        canvas_put(c, row, col + used++, role, next_char(&text));
    return used;
}

int canvas_printf(struct canvas *c, int row, int col, int width, enum role role, const char *format,
                  ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    return canvas_text(c, row, col, width, role, text);
}

bool canvas_can_halves(const struct canvas *c)
{
    return !c->ascii && c->mode != COLOR_MONO;
}

/* A role that has no background is told by its text colour; REVERSE swaps them. */
static int16_t block_color(const struct canvas *c, enum role role)
{
    const struct cell *look = &c->looks[role];

    if (role == ROLE_FREE)
        return -2;
    return look->bg >= 0 && !(look->attr & REVERSE) ? look->bg : look->fg;
}

void canvas_halves(struct canvas *c, int row, int col, enum role top, enum role bottom)
{
    struct cell *cell = cell_at(c, row, col);
    int16_t upper = block_color(c, top), lower = block_color(c, bottom);

    if (!cell || (upper == -2 && lower == -2))
        return;
    cell->attr = 0;
    cell->bg = -1;
    if (upper == lower) {
        cell->ch = FULL_BLOCK;
        cell->fg = upper;
    } else if (upper == -2) {
        cell->ch = LOWER_HALF;
        cell->fg = lower;
    } else {
        cell->ch = UPPER_HALF;
        cell->fg = upper;
        cell->bg = lower == -2 ? -1 : lower;
    }
}

void canvas_box(struct canvas *c, int row, int col, int rows, int cols, enum role role,
                const char *title)
{
    int bottom = row + rows - 1, right = col + cols - 1;

    canvas_fill(c, row, col + 1, cols - 2, role, 0x2500);
    canvas_fill(c, bottom, col + 1, cols - 2, role, 0x2500);
    for (int r = row + 1; r < bottom; r++) {
        canvas_put(c, r, col, role, 0x2502);
        canvas_put(c, r, right, role, 0x2502);
    }
    canvas_put(c, row, col, role, 0x250c);
    canvas_put(c, row, right, role, 0x2510);
    canvas_put(c, bottom, col, role, 0x2514);
    canvas_put(c, bottom, right, role, 0x2518);
    if (title && *title)
        canvas_printf(c, row, col + 2, cols - 4, ROLE_STRONG, " %s ", title);
}

void canvas_set_cursor(struct canvas *c, int row, int col)
{
    c->cursor_row = row;
    c->cursor_col = col;
}

unsigned int canvas_encode(uint32_t ch, char utf8[4])
{
    unsigned int more = ch < 0x80 ? 0 : ch < 0x800 ? 1 : ch < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};

    utf8[0] = (char)(lead[more] | ch >> 6 * more);
    for (unsigned int i = 1; i <= more; i++)
        utf8[i] = (char)(0x80 | (ch >> 6 * (more - i) & 0x3f));
    return more + 1;
}

void canvas_print_text(const struct canvas *c, FILE *out)
{
    for (unsigned int row = 0; row < c->rows; row++) {
        const struct cell *line = &c->cell[(size_t)row * c->cols];
        unsigned int end = c->cols;

        while (end > 0 && line[end - 1].ch == ' ')
            end--;
        for (unsigned int col = 0; col < end; col++) {
            char utf8[4];

            fwrite(utf8, 1, canvas_encode(line[col].ch, utf8), out);
        }
        fputc('\n', out);
    }
}

bool canvas_same(const struct canvas *a, const struct canvas *b)
{
    return a->rows == b->rows && a->cols == b->cols && a->cursor_row == b->cursor_row &&
           a->cursor_col == b->cursor_col &&
           memcmp(a->cell, b->cell, (size_t)a->rows * a->cols * sizeof(*a->cell)) == 0;
}
