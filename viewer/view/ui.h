/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the person selected, and what keys do to it. No drawing, no terminal.
 */
#ifndef VIEWER_VIEW_UI_H
#define VIEWER_VIEW_UI_H

#include "view/frame.h"
#include "view/keys.h"
#include "view/layout.h"

#define DIGIT_NS UINT64_C(400000000) /* a second digit belongs to the first for so long */

enum view_id { VIEW_SLOTS, VIEW_OVERVIEW, VIEWS };

enum layer { LAYER_HELP, LAYER_DETAIL, LAYER_GOTO, LAYERS };

struct ui {
    unsigned int cpu;  /* in focus; below the frame's ncpu */
    unsigned int slot; /* selected */
    enum view_id view;
    enum layer layer[LAYERS]; /* open ones, the topmost last */
    unsigned int nr_layers;
    char input[8]; /* of LAYER_GOTO */
    unsigned int hz;
    bool follow;          /* a step that changes one slot selects it */
    uint64_t followed_at; /* the stop that was last looked at for that */
    int digit;            /* first digit of a CPU's number; -1: none */
    uint64_t digit_at;
    /* For whoever runs the loop; it clears the last three. */
    bool paused;
    bool quit;
    bool redraw;
    bool suspend;
};

void ui_init(struct ui *ui, unsigned int hz);

/* A key; the screen has rows x cols; now: CLOCK_MONOTONIC, ns. */
void ui_key(struct ui *ui, const struct frame *f, unsigned int rows, unsigned int cols, int code,
            uint64_t now);

/* A click of the left button. */
void ui_click(struct ui *ui, const struct frame *f, unsigned int rows, unsigned int cols, int row,
              int col);

/* The machine may have fewer CPUs or slots than the last one. */
void ui_clamp(struct ui *ui, const struct frame *f);

/* A step has settled: what it changed is selected, if it is one slot. */
void ui_follow(struct ui *ui, const struct frame *f);

/* Is this layer the topmost one? */
bool ui_top_is(const struct ui *ui, enum layer layer);

#endif /* VIEWER_VIEW_UI_H */
