/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the person selected, and what keys do to it. No drawing, no terminal.
 */
#ifndef VIEWER_VIEW_UI_H
#define VIEWER_VIEW_UI_H

#include "view/canvas.h"
#include "view/frame.h"
#include "view/keys.h"
#include "view/layout.h"

#define DIGIT_NS UINT64_C(400000000) /* a second digit belongs to the first for so long */

enum view_id {
    VIEW_SLOTS, /* in the order of their keys, which begin with F2 */
    VIEW_TABLES,
    VIEW_MAP,
    VIEW_EVENTS,
    VIEW_CHECK,
    VIEW_STATS,
    VIEW_OVERVIEW,
    VIEWS
};

enum layer { LAYER_HELP, LAYER_DETAIL, LAYER_GOTO, LAYER_PROMPT, LAYER_TEXT, LAYERS };

/* What a slot's colour tells. */
enum color_by {
    COLOR_BY_REFS,
    COLOR_BY_AGE,
    COLOR_BY_HEAT,
    COLOR_BY_PROBE,
    COLOR_BY_CALLER,
    COLORS
};

/* What may be done to the machine. */
enum control { CONTROL_NONE, CONTROL_STOP, CONTROL_CONTINUE };

#define LINE_MAX_CHARS 78

/* Which events are listed; each part only if it was given. */
struct event_filter {
    char text[LINE_MAX_CHARS + 1]; /* as it was typed; "": all of them */
    bool has_cpu, has_slot, has_mfn, has_kind;
    unsigned int cpu, slot;
    uint64_t mfn; /* any page of its 2 MiB */
    enum trace_kind kind;
    char function[LINE_MAX_CHARS + 1]; /* of the caller; "": any */
};

#define PROMPT_SEARCH  '/'
#define PROMPT_FILTER  'f'
#define PROMPT_COMMAND ':'
#define PROMPT_CPU     '#'
#define PROMPT_CONTROL '!' /* yes or no, to what is in ui->asked */

struct ui {
    unsigned int cpu;  /* in focus; below the frame's ncpu */
    unsigned int slot; /* selected */
    enum view_id view;
    enum layer layer[LAYERS]; /* open ones, the topmost last */
    unsigned int nr_layers;
    char input[8]; /* of LAYER_GOTO */
    char prompt;   /* of LAYER_PROMPT: one of PROMPT_ */
    char line[LINE_MAX_CHARS + 1];
    char *text;                         /* of LAYER_TEXT; its own */
    unsigned int text_lines, text_cols; /* of text: lines, and bytes of the longest */
    unsigned int text_top, text_left;   /* what is shown of it begins there */
    unsigned int box_top;               /* likewise of help and of a slot's bits */
    unsigned int row[VIEWS];            /* selected in a list; of events counted from the newest */
    enum shown_stage shown;             /* whose tables, in the views Tables and Map */
    struct table_path path;             /* of the Tables view */
    unsigned int entry;                 /* selected there */
    enum color_by color;
    struct event_filter filter;
    struct event_filter search;      /* '/': the same language, and va: pa: */
    bool view_digit;                 /* 'v' was pressed: a digit picks a view */
    char notice[LINE_MAX_CHARS + 1]; /* shown until the next key */
    unsigned int hz;
    bool follow;          /* a step that changes one slot selects it */
    uint64_t followed_at; /* the stop that was last looked at for that */
    int digit;            /* first digit of a CPU's number; -1: none */
    uint64_t digit_at;
    bool allow_control; /* else S and C only say how to allow it */
    enum control asked; /* a person has not said yes yet */
    /* For whoever runs the loop; it clears what is asked once. */
    bool paused;
    bool marked;   /* compare with the moment when it was set */
    int step;      /* through the history: events back or forth */
    int leap;      /* the same, snapshots */
    bool no_slots; /* a machine with tables only: they are its first view */
    bool quit;
    bool redraw;
    bool suspend;
    bool write;   /* the picture to a file */
    bool command; /* run line */
    bool copy;    /* what is selected, to the terminal's clipboard */
    enum control control;
};

/* "slots", "tables" ...: what the config file calls it. */
const char *view_name(enum view_id view);

void ui_init(struct ui *ui, unsigned int hz);

/* A key; the screen has rows x cols; now: CLOCK_MONOTONIC, ns. */
void ui_key(struct ui *ui, const struct frame *f, unsigned int rows, unsigned int cols, int code,
            uint64_t now);

/* A click of the left button; shown: what is on the screen. A second one on a row of a list, or on
 * an entry of a table, opens it. */
void ui_click(struct ui *ui, const struct frame *f, const struct canvas *shown, int row, int col);

/* The machine may have fewer CPUs or slots than the last one. */
void ui_clamp(struct ui *ui, const struct frame *f);

/* A step has settled: what it changed is selected, if it is one slot. */
void ui_follow(struct ui *ui, const struct frame *f);

/* Rows of a list view; 0 if it has none. */
unsigned int ui_rows(const struct ui *ui, const struct frame *f);

/* Moving, drilling and returning in the view that is open; see ui_views.c. */
void ui_move(struct ui *ui, const struct frame *f, const struct layout *l, int dx, int dy);
void ui_move_to(struct ui *ui, const struct frame *f, bool last);
void ui_enter(struct ui *ui, const struct frame *f);
bool ui_return(struct ui *ui);
void ui_pick_view(struct ui *ui, enum view_id view);

/* The prompt; see ui_prompt.c. */
void ui_prompt_open(struct ui *ui, char prompt);
void ui_prompt_key(struct ui *ui, const struct frame *f, int code);
void ui_search(struct ui *ui, const struct frame *f, int direction);

/* What a map of the selected frame would do now, probe by probe: `explain`. */
void ui_explain(struct ui *ui, const struct frame *f);

/* "cpu:0 kind:map slot:36 mfn:0x84800 fn:copy_between"; false if it is something else. */
bool filter_parse(struct event_filter *filter, const char *text, const struct frame *f);
bool filter_matches(const struct event_filter *filter, const struct frame *f,
                    const struct event *e);

/* The back-th newest event that the filter lets through; NULL if there are not so many. */
const struct event *filter_event(const struct event_filter *filter, const struct frame *f,
                                 unsigned int back);

/* What is selected, as one line of text; "" if nothing is. */
void ui_selected_text(const struct ui *ui, const struct frame *f, char *text, size_t size);

/* Text for LAYER_TEXT: open it with a copy. */
void ui_show_text(struct ui *ui, const char *text);

/* What a key stands for; see ui_act.c. */
void ui_act(struct ui *ui, const struct frame *f, const struct layout *l, enum action action);

void ui_open_layer(struct ui *ui, enum layer layer);

/* Close what is on top, or go up; false: there is nothing but the slots. */
bool ui_close(struct ui *ui);
void ui_free(struct ui *ui);

/* Entries in a row of the grid of a table. */
unsigned int ui_table_columns(int cols);

/* Is this layer the topmost one? */
bool ui_top_is(const struct ui *ui, enum layer layer);

#endif /* VIEWER_VIEW_UI_H */
