/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The viewer's settings: $XDG_CONFIG_HOME/hvscope/config, else
 * ~/.config/hvscope/config. A line is a setting; # begins a comment at the
 * beginning of a line:
 *
 *   rate 30                          looks a second
 *   view stats                       the view to begin with
 *   theme light                      dark, light; before single colours
 *   color saturated 231 160 bold     a role, with 256 colours: text, background
 *   color16 saturated 7 1 bold       with 16
 *   mono saturated bold underline    without
 *   key pause Space p                an action and its keys
 *
 * What is compiled in is in the same words: see keys.def and theme.def.
 */
#ifndef VIEWER_VIEW_CONFIG_H
#define VIEWER_VIEW_CONFIG_H

#include "source/failure.h"

#include <stdio.h>

struct config {
    unsigned int rate; /* 0: not set */
    int view;          /* enum view_id; -1: not set */
    unsigned int wrong;
    char first[FAILURE_TEXT_MAX]; /* what is wrong with the first line that is; "" */
};

/*
 * Read the file, if there is one. Keys and colours take effect at once. A line
 * that is not understood is told on errors, with its file and number, and the
 * rest counts.
 */
void config_load(struct config *c, FILE *errors);

/* The settings in force, as such a file. */
void config_print(const struct config *c, FILE *out);

/* hvscope config. */
int command_config(void);

#endif /* VIEWER_VIEW_CONFIG_H */
