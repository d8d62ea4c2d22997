/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal: its modes and its keys by curses, its picture by paint.h.
 */
#ifndef VIEWER_VIEW_SCREEN_H
#define VIEWER_VIEW_SCREEN_H

#include "source/failure.h"
#include "view/canvas.h"

struct screen_options {
    bool no_color;
    bool ascii;
    bool mouse;
};

/* Take over the terminal. 0, or -1 with f (EXIT_USAGE). */
int screen_open(const struct screen_options *options, struct failure *f);

/* Give it back as it was. */
void screen_close(void);

/* For a while only: before and after the process is stopped. */
void screen_leave(void);
void screen_enter(void);

/* Does this locale (or --ascii) allow nothing but ASCII? */
bool screen_is_ascii(bool ascii_wanted);
enum color_mode screen_color_mode(void);

/* Ask the terminal how large it is now, and take that over. */
void screen_resize(unsigned int *rows, unsigned int *cols);

/*
 * Bring a picture to the terminal. last: the one that was shown before, of the
 * same size; NULL if that is not known: all is sent.
 */
void screen_show(const struct canvas *c, const struct canvas *last);

/*
 * Put a text into the terminal's clipboard (OSC 52; many ask, or must be told
 * to allow it). False if this terminal has none that a program could reach.
 */
bool screen_copy(const char *text);

/*
 * Send what the terminal did not take yet. True if nothing is left: only then
 * is there any use in the next picture. Never waits.
 */
bool screen_flush(void);

/* To be polled for POLLOUT; -1 if nothing is left to send. */
int screen_waits_for(void);

/*
 * A key that has been typed: a character or enum ui_key, UI_KEY_NONE if none
 * waits. With UI_KEY_MOUSE, *row and *col say where.
 */
int screen_key(int *row, int *col);

#endif /* VIEWER_VIEW_SCREEN_H */
