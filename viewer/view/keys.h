/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and what they do. The codes are our own, so that only the terminal's
 * file has to know those of curses.
 */
#ifndef VIEWER_VIEW_KEYS_H
#define VIEWER_VIEW_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CTRL(ch) ((ch)&0x1f)

enum ui_key {
    UI_KEY_NONE = 0,
    UI_KEY_FIRST = 0x1000,
    UI_KEY_F1,
    UI_KEY_F2,
    UI_KEY_F3,
    UI_KEY_F4,
    UI_KEY_F5,
    UI_KEY_F6,
    UI_KEY_F7,
    UI_KEY_F8,
    UI_KEY_F9,
    UI_KEY_F10,
    UI_KEY_F11,
    UI_KEY_F12,
    UI_KEY_PAGE_UP,
    UI_KEY_PAGE_DOWN,
    UI_KEY_ESC,
    UI_KEY_BACKSPACE,
    UI_KEY_LEFT,
    UI_KEY_DOWN,
    UI_KEY_UP,
    UI_KEY_RIGHT,
    UI_KEY_HOME,
    UI_KEY_END,
    UI_KEY_BACKTAB,
    UI_KEY_ENTER,
    UI_KEY_DIGIT, /* stands for '0' to '9' in the table */
    UI_KEY_MOUSE,
    UI_KEY_RESIZE,
};

enum action {
    ACTION_NONE,
#define KEY(action, ...) ACTION_##action,
#include "view/keys.def"
#undef KEY
    ACTIONS
};

#define KEY_CODES_MAX 4
#define KEY_TEXT_MAX  16 /* of the name of a key, or of a group's */

struct key_row {
    enum action action;
    const char *word; /* in capitals, with _ for -: the config file's name of it */
    const char *name; /* "" if it belongs to the row before it */
    const char *label;
    const char *help;
    const char *keys;
    int codes[KEY_CODES_MAX + 1]; /* 0 ends them */
    bool changed;
};

/* ACTIONS - 1 rows, in the order of keys.def. */
const struct key_row *key_rows(void);
#define KEY_ROWS (ACTIONS - 1)

/* ACTION_NONE if the key does nothing. */
enum action key_action(int code);

/* These keys, by their names, and no others, do that. NULL, or what is wrong. */
const char *key_bind(const char *action, const char *keys);

/* What the group that begins with this row is called; "" if it has no key left. */
void key_group_name(const struct key_row *row, char name[KEY_TEXT_MAX]);

/* Its help, as it is true of the keys that it has. */
void key_group_help(const struct key_row *row, char *help, size_t size);

/* All of it, in the language of the config file. */
void key_print(FILE *out);

#endif /* VIEWER_VIEW_KEYS_H */
