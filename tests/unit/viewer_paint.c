/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the terminal is sent makes the picture that was meant: held against a
 * terminal of a few lines that understands what the terminfo entries below use.
 * And it is not much: bytes for each cell that changed, reads for each snapshot.
 */
#include "view/paint.h"
#include "viewer_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <curses.h>
#include <term.h>

#define ROWS 12
#define COLS 40

/* The terminal. */
static struct {
    struct cell cell[ROWS][COLS], pen;
    int row, col;
} tty;

static const struct cell blank = {.ch = ' ', .fg = -1, .bg = -1};

static void tty_attribute(const int *n, int nr)
{
    for (int i = 0; i < nr; i++) {
        if (n[i] == 0)
            tty.pen = (struct cell){.fg = -1, .bg = -1};
        else if (n[i] == 1)
            tty.pen.attr |= BOLD;
        else if (n[i] == 4)
            tty.pen.attr |= UNDERLINE;
        else if (n[i] == 7)
            tty.pen.attr |= REVERSE;
        else if (n[i] == 38 && i + 2 < nr)
            tty.pen.fg = n[i += 2];
        else if (n[i] == 48 && i + 2 < nr)
            tty.pen.bg = n[i += 2];
        else if (n[i] == 39)
            tty.pen.fg = -1;
        else if (n[i] == 49)
            tty.pen.bg = -1;
        else if (n[i] >= 90)
            *(n[i] >= 100 ? &tty.pen.bg : &tty.pen.fg) = n[i] % 10 + 8;
        else if (n[i] >= 30)
            *(n[i] >= 40 ? &tty.pen.bg : &tty.pen.fg) = n[i] % 10;
    }
}

/* Behind ESC [; returns what comes after it. */
static const char *tty_control(const char *s)
{
    int n[8] = {0}, nr = 1;

    for (; *s == '?' || *s == ';' || (*s >= '0' && *s <= '9'); s++) {
        if (*s == ';')
            nr++;
        else if (*s != '?')
            n[nr - 1] = n[nr - 1] * 10 + *s - '0';
        assert_true(nr < 8);
    }
    if (*s == 'm')
        tty_attribute(n, nr);
    if (*s == 'H') {
        tty.row = n[0] ? n[0] - 1 : 0;
        tty.col = n[1] ? n[1] - 1 : 0;
    }
    for (int i = 0; *s == 'J' && i < ROWS * COLS; i++)
        tty.cell[i / COLS][i % COLS] = blank;
    return s + 1;
}

static const char *tty_character(const char *s)
{
    unsigned char first = (unsigned char)*s++;
    uint32_t ch = first < 0x80 ? first : first & 0x1f;

    if (first >= 0xe0)
        ch = first & 0x0f;
    while (((unsigned char)*s & 0xc0) == 0x80)
        ch = ch << 6 | ((unsigned char)*s++ & 0x3f);
    assert_in_range(tty.row, 0, ROWS - 1);
    assert_in_range(tty.col, 0, COLS - 1);
    tty.pen.ch = ch;
    tty.cell[tty.row][tty.col++] = tty.pen;
    return s;
}

static void tty_take(struct ink *ink)
{
    const char *s;

    ink_add(ink, "", 1);
    for (s = ink->data; *s;) {
        if (s[0] == '\033' && s[1] == '[')
            s = tty_control(s + 2);
        else if (s[0] == '\033' && (s[1] == '(' || s[1] == ')'))
            s += 3; /* a character set */
        else if ((unsigned char)*s >= ' ')
            s = tty_character(s);
        else
            s++; /* SI and SO: no other set is ever chosen */
    }
    ink->len = 0;
}

static void check_same(const struct canvas *c)
{
    for (unsigned int i = 0; i < ROWS * COLS; i++) {
        const struct cell *is = &tty.cell[i / COLS][i % COLS], *meant = &c->cell[i];

        if (memcmp(is, meant, sizeof(*is)) != 0)
            fail_msg("row %u, column %u: U+%04X %d %d %x, meant U+%04X %d %d %x", i / COLS,
                     i % COLS, is->ch, is->fg, is->bg, is->attr, meant->ch, meant->fg, meant->bg,
                     meant->attr);
    }
}

/* Some cells anew, alone and in runs. */
static unsigned int scribble(struct canvas *c, unsigned int writes)
{
    static const uint32_t chars[] = {'a', ' ', '0', 0xb7, 0x2580, 0x2588, '~'};
    unsigned int before = 0;

    for (unsigned int i = 0; i < writes; i++) {
        int row = rand() % ROWS, col = rand() % COLS, len = rand() % 3 ? 1 : rand() % 20;
        enum role role = (enum role)(rand() % ROLES);
        uint32_t ch = chars[rand() % 7];

        canvas_fill(c, row, col, len, role, c->ascii && ch >= 0x80 ? '#' : ch);
        before += (unsigned int)len;
    }
    return before;
}

static void check_terminal(const char *term, enum color_mode mode, bool ascii)
{
    struct canvas now, shown;
    struct ink ink = {0};
    int error;

    assert_int_equal(setupterm(term, 1, &error), OK);
    assert_true(paint_open());
    assert_int_equal(paint_color_mode(), mode);
    assert_int_equal(canvas_init(&now, ROWS, COLS, mode, ascii), 0);
    assert_int_equal(canvas_init(&shown, ROWS, COLS, mode, ascii), 0);
    memset(&tty, 'x', sizeof(tty));
    scribble(&now, 200);
    paint_clear(&ink);
    paint_cells(&ink, &now, NULL);
    tty_take(&ink);
    check_same(&now);
    for (int i = 0; i < 500; i++) {
        memcpy(shown.cell, now.cell, ROWS * COLS * sizeof(*now.cell));
        scribble(&now, (unsigned int)(rand() % 30));
        paint_cells(&ink, &now, &shown);
        tty_take(&ink);
        check_same(&now);
    }
    paint_cells(&ink, &now, &now);
    assert_int_equal(ink.len, 0); /* nothing changed: nothing is sent */
    canvas_free(&now);
    canvas_free(&shown);
    ink_free(&ink);
    del_curterm(cur_term);
}

static void test_terminals(void **state)
{
    (void)state;
    check_terminal("xterm-256color", COLOR_256, false);
    check_terminal("screen-256color", COLOR_256, false);
    check_terminal("tmux-256color", COLOR_256, false);
    check_terminal("xterm", COLOR_16, false);
    check_terminal("screen", COLOR_16, true);
    check_terminal("vt100", COLOR_MONO, true);
    check_terminal("vt220", COLOR_MONO, true);
}

static void test_no_place(void **state)
{
    int error;

    (void)state;
    assert_int_equal(setupterm("dumb", 1, &error), OK);
    assert_false(paint_open());
    del_curterm(cur_term);
}

/* Bytes: a cell alone, a number that counts, a run of cells that look the same. */
static void test_bytes(void **state)
{
    struct canvas now, shown;
    struct ink ink = {0};
    int error;

    (void)state;
    assert_int_equal(setupterm("xterm-256color", 1, &error), OK);
    assert_true(paint_open());
    canvas_init(&now, 48, 160, COLOR_256, false);
    canvas_init(&shown, 48, 160, COLOR_256, false);
    paint_clear(&ink);
    paint_cells(&ink, &now, NULL);
    ink.len = 0;
    canvas_put(&now, 40, 140, ROLE_COUNT_1, '1');
    paint_cells(&ink, &now, &shown);
    assert_in_range(ink.len, 1, 40);
    ink.len = 0;
    memcpy(shown.cell, now.cell, sizeof(*now.cell) * 48 * 160);
    canvas_text(&now, 41, 10, 100, ROLE_COUNT_1, "in the same look, one byte each, and a place");
    paint_cells(&ink, &now, &shown);
    assert_in_range(ink.len, 44, 44 + 10);
    ink.len = 0;
    memcpy(shown.cell, now.cell, sizeof(*now.cell) * 48 * 160);
    for (int i = 0; i < 10; i++)
        canvas_put(&now, 41, 10 + i * 4, ROLE_COUNT_1, '0' + i); /* gaps are written over */
    paint_cells(&ink, &now, &shown);
    assert_in_range(ink.len, 37, 37 + 10);
    canvas_free(&now);
    canvas_free(&shown);
    ink_free(&ink);
    del_curterm(cur_term);
}

/* A CPU: its block, its chain, its two pages of slots, its generation twice, its ring's head. */
static void test_reads(void **state)
{
    struct fake_source *fake = machine_make(4);
    struct snapshot *snap = machine_snapshot(fake);
    struct failure f;

    (void)state;
    fake->reads = 0;
    assert_int_equal(snapshot_read(&fake->src, &snap->machine, snap, &f), 0);
    assert_in_range(fake->reads, 4, 4 * 12 + 2);
    free(snap);
    source_close(&fake->src);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terminals),
        cmocka_unit_test(test_no_place),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_reads),
    };

    srand(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
