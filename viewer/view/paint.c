/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/paint.h"

#include <curses.h>
#include <stdlib.h>
#include <string.h>
#include <term.h>

#define GAP_MAX        6 /* so many cells are shorter than a movement of the cursor */
#define SEQUENCE_MAX   32
#define ROOM_FIRST     8192
#define COLORS_MAX     256
#define NCV_UNDERLINE  2 /* bits of no_color_video */
#define NCV_REVERSE    4
#define NCV_BOLD       32
#define COLORS_NAMED   8 /* the fewest that a terminal with colours has */
#define FOREGROUND_ALT 7 /* where a terminal cannot be told to use its own */
#define BACKGROUND_ALT 0

/* What the terminal does with the next character; row < 0: nobody knows. */
static struct {
    int row, col;
    bool looks;
    int16_t fg, bg;
    uint8_t attr;
} pen;

/* By colour; "": not asked for yet. */
static char foreground[COLORS_MAX][SEQUENCE_MAX], background[COLORS_MAX][SEQUENCE_MAX];
static enum color_mode colors; /* that the terminal has */
static bool resets_colors;     /* what ends attributes ends colours too */
static bool usual_places;      /* the cursor is placed as ECMA-48 has it */

void ink_add(struct ink *ink, const char *data, size_t len)
{
    if (ink->len + len > ink->room) {
        size_t room = ink->room * 2 + len + ROOM_FIRST;
        char *grown = realloc(ink->data, room);

        if (!grown)
            return;
        ink->data = grown;
        ink->room = room;
    }
    memcpy(ink->data + ink->len, data, len);
    ink->len += len;
}

void ink_free(struct ink *ink)
{
    free(ink->data);
    *ink = (struct ink){0};
}

/* "$<5>" is a pause of 5 ms, for terminals slower than any that is left. */
static void add_sequence(struct ink *ink, const char *s)
{
    const char *pad;

    while (s && (pad = strstr(s, "$<")) && strchr(pad, '>')) {
        ink_add(ink, s, pad - s);
        s = strchr(pad, '>') + 1;
    }
    if (s)
        ink_add(ink, s, strlen(s));
}

void paint_capability(struct ink *ink, const char *name)
{
    const char *s = tigetstr(name);

    if (s != (char *)-1)
        add_sequence(ink, s);
}

enum color_mode paint_color_mode(void)
{
    return colors;
}

bool paint_open(void)
{
    memset(foreground, 0, sizeof(foreground));
    memset(background, 0, sizeof(background));
    colors = !set_a_foreground || max_colors < COLORS_NAMED ? COLOR_MONO
             : max_colors < COLORS_MAX                      ? COLOR_16
                                                            : COLOR_256;
    resets_colors = exit_attribute_mode && (strstr(exit_attribute_mode, "\033[m") ||
                                            strstr(exit_attribute_mode, "\033[0"));
    usual_places = cursor_address && strcmp(cursor_address, "\033[%i%p1%d;%p2%dH") == 0;
    return cursor_address && clear_screen;
}

void paint_clear(struct ink *ink)
{
    add_sequence(ink, exit_attribute_mode);
    add_sequence(ink, orig_pair);
    add_sequence(ink, clear_screen);
    pen.row = -1;
    pen.looks = false;
}

/* Attributes that this terminal cannot show together with colours are left out. */
static uint8_t attributes_of(const struct cell *cell)
{
    uint8_t attr = cell->attr;

    if ((cell->fg < 0 && cell->bg < 0) || no_color_video < 0)
        return attr;
    if (no_color_video & NCV_UNDERLINE)
        attr &= ~UNDERLINE;
    if (no_color_video & NCV_REVERSE)
        attr &= ~REVERSE;
    if (no_color_video & NCV_BOLD)
        attr &= ~BOLD;
    return attr;
}

static void use_attributes(struct ink *ink, uint8_t attr)
{
    if (pen.looks && pen.attr == attr)
        return;
    add_sequence(ink, exit_attribute_mode);
    if (!resets_colors)
        add_sequence(ink, orig_pair);
    pen.fg = pen.bg = -1;
    pen.attr = attr;
    pen.looks = true;
    if (attr & BOLD)
        add_sequence(ink, enter_bold_mode);
    if (attr & UNDERLINE)
        add_sequence(ink, enter_underline_mode);
    if (attr & REVERSE)
        add_sequence(ink, enter_reverse_mode);
}

static void use_color(struct ink *ink, char (*known)[SEQUENCE_MAX], const char *capability,
                      int color)
{
    char *text = known[color];

    if (!*text) {
        struct ink made = {0};

        add_sequence(&made, tiparm(capability, color));
        snprintf(text, SEQUENCE_MAX, "%.*s", (int)made.len, made.data ? made.data : "");
        ink_free(&made);
    }
    ink_add(ink, text, strlen(text));
}

static void use_colors(struct ink *ink, int fg, int bg)
{
    if (fg == pen.fg && bg == pen.bg)
        return;
    if (orig_pair && ((fg < 0 && pen.fg >= 0) || (bg < 0 && pen.bg >= 0))) {
        add_sequence(ink, orig_pair);
        pen.fg = pen.bg = -1;
    }
    if (!orig_pair) {
        fg = fg < 0 ? FOREGROUND_ALT : fg;
        bg = bg < 0 ? BACKGROUND_ALT : bg;
    }
    if (fg != pen.fg)
        use_color(ink, foreground, set_a_foreground, fg);
    if (bg != pen.bg)
        use_color(ink, background, set_a_background, bg);
    pen.fg = fg;
    pen.bg = bg;
}

static void add_character(struct ink *ink, uint32_t ch)
{
    char utf8[4];

    ink_add(ink, utf8, canvas_encode(ch, utf8));
    pen.col++;
}

static void put(struct ink *ink, const struct cell *cell)
{
    use_attributes(ink, attributes_of(cell));
    if (colors != COLOR_MONO && (pen.fg != cell->fg || pen.bg != cell->bg))
        use_colors(ink, cell->fg, cell->bg);
    add_character(ink, cell->ch);
}

static bool looks_as_pen(const struct cell *cell)
{
    return pen.looks && cell->fg == pen.fg && cell->bg == pen.bg && cell->attr == pen.attr;
}

/* Over cells that are right already, by writing them again if that is shorter. */
static bool write_over(struct ink *ink, const struct canvas *c, int row, int col)
{
    const struct cell *line = &c->cell[(size_t)row * c->cols];

    if (pen.row != row || pen.col > col || col - pen.col > GAP_MAX)
        return false;
    for (int i = pen.col; i < col; i++) {
        if (!looks_as_pen(&line[i]) || line[i].ch >= 0x80)
            return false;
    }
    while (pen.col < col)
        add_character(ink, line[pen.col].ch);
    return true;
}

/* What most terminals understand is put together here: tiparm() takes 20 times as long. */
static void add_place(struct ink *ink, int row, int col)
{
    char text[SEQUENCE_MAX];

    if (!usual_places) {
        add_sequence(ink, tiparm(cursor_address, row, col));
        return;
    }
    snprintf(text, sizeof(text), "\033[%d;%dH", row + 1, col + 1);
    ink_add(ink, text, strlen(text));
}

static void go_to(struct ink *ink, const struct canvas *c, int row, int col)
{
    if (write_over(ink, c, row, col))
        return;
    add_place(ink, row, col);
    pen.row = row;
    pen.col = col;
}

/* A terminal that moves on at once after its last column would scroll. */
static bool would_scroll(const struct canvas *c, unsigned int row, unsigned int col)
{
    return auto_right_margin && !eat_newline_glitch && row == c->rows - 1 && col == c->cols - 1;
}

static void paint_row(struct ink *ink, const struct canvas *c, const struct canvas *last,
                      unsigned int row)
{
    static const struct cell blank = {.ch = ' ', .fg = -1, .bg = -1};
    const struct cell *line = &c->cell[(size_t)row * c->cols];
    const struct cell *old = last ? &last->cell[(size_t)row * c->cols] : NULL;

    if (old && memcmp(line, old, c->cols * sizeof(*line)) == 0)
        return;
    for (unsigned int col = 0; col < c->cols; col++) {
        if (memcmp(&line[col], old ? &old[col] : &blank, sizeof(*line)) == 0 ||
            would_scroll(c, row, col))
            continue;
        go_to(ink, c, row, col);
        put(ink, &line[col]);
        if (pen.col >= (int)c->cols)
            pen.row = -1;
    }
}

void paint_cells(struct ink *ink, const struct canvas *c, const struct canvas *last)
{
    for (unsigned int row = 0; row < c->rows; row++)
        paint_row(ink, c, last, row);
    if (c->cursor_row >= 0) {
        pen.row = -1;
        go_to(ink, c, c->cursor_row, c->cursor_col);
    }
    if (!last || (last->cursor_row >= 0) != (c->cursor_row >= 0))
        add_sequence(ink, c->cursor_row >= 0 ? cursor_normal : cursor_invisible);
}
