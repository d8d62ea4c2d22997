/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How each role looks: theme.def, and what the config file changes of it.
 */
#ifndef VIEWER_VIEW_THEME_H
#define VIEWER_VIEW_THEME_H

#include "view/canvas.h"

/* A cell without its character for each role. It stays where it is when the theme changes. */
const struct cell *theme_looks(enum color_mode mode);

/* "dark" or "light": all roles as theme.def has them. False: there is no such theme. */
bool theme_choose(const char *name);

/*
 * One role anew: its name ("count-1"), and its look in the words of theme.def.
 * NULL, or what is wrong.
 */
const char *theme_set(enum color_mode mode, const char *role, const char *look);

/* All of it, in the language of the config file. */
void theme_print(FILE *out);

#endif /* VIEWER_VIEW_THEME_H */
