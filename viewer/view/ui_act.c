/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each action does, by what it is about: what is open, what is selected,
 * how it is shown, and what only the loop can do.
 */
#include "view/cells.h"
#include "view/layers.h"
#include "view/ui.h"

#include <stdio.h>

#define HZ_LAST   60
#define TEXT_STEP 8         /* columns that an arrow scrolls a text */
#define LINES_MAX (1 << 24) /* more than any text has */

static void press_enter(struct ui *ui, const struct frame *f)
{
    if (ui->nr_layers)
        ui_close(ui);
    else
        ui_enter(ui, f);
}

static void toggle_overview(struct ui *ui)
{
    ui->nr_layers = 0;
    ui->view = ui->view == VIEW_OVERVIEW ? VIEW_SLOTS : VIEW_OVERVIEW;
}

/* Other tables: what was selected in the last ones means nothing there. */
static void next_shown(struct ui *ui)
{
    if (ui->view != VIEW_TABLES && ui->view != VIEW_MAP) {
        snprintf(ui->notice, sizeof(ui->notice), "stages are for the views Tables and Map");
        return;
    }
    ui->shown = (ui->shown + 1) % SHOWN_STAGES;
    ui->path.nr = 0;
    ui->entry = ui->row[VIEW_MAP] = 0;
}

/* Nothing acts on the machine unless it was allowed, and somebody says yes. */
static void ask_control(struct ui *ui, enum control control)
{
    if (!ui->allow_control) {
        snprintf(ui->notice, sizeof(ui->notice),
                 "this would act on the machine: start hvscope with --allow-control");
        return;
    }
    ui->asked = control;
    ui_prompt_open(ui, PROMPT_CONTROL);
}

_Static_assert(ACTION_VIEW == ACTION_VIEW1 + VIEW_OVERVIEW, "a key for each numbered view");

/* Views, layers and prompts. False: the action is about something else. */
static bool act_open(struct ui *ui, const struct frame *f, enum action action)
{
    if (action >= ACTION_VIEW1 && action < ACTION_VIEW) {
        ui_pick_view(ui, (enum view_id)(VIEW_SLOTS + (action - ACTION_VIEW1)));
        return true;
    }
    switch (action) {
    case ACTION_VIEW:
        ui->view_digit = true;
        return true;
    case ACTION_OVERVIEW:
        toggle_overview(ui);
        return true;
    case ACTION_HELP:
        ui_open_layer(ui, LAYER_HELP);
        return true;
    case ACTION_GOTO:
        ui_open_layer(ui, LAYER_GOTO);
        return true;
    case ACTION_SEARCH:
        ui_prompt_open(ui, PROMPT_SEARCH);
        return true;
    case ACTION_FILTER:
        ui_prompt_open(ui, PROMPT_FILTER);
        return true;
    case ACTION_COMMAND:
        ui_prompt_open(ui, PROMPT_COMMAND);
        return true;
    case ACTION_ASK_CPU:
        ui_prompt_open(ui, PROMPT_CPU);
        return true;
    case ACTION_ENTER:
        press_enter(ui, f);
        return true;
    case ACTION_BACK:
        ui_close(ui);
        return true;
    case ACTION_QUIT:
        ui->quit = !ui_close(ui);
        return true;
    default:
        return false;
    }
}

/* By so much, but never so far that nothing is left on the screen, which has room for some. */
static void scroll_by(unsigned int *at, int by, unsigned int n, int room)
{
    int last = (int)n > room ? (int)n - room : 0, to = (int)*at + by;

    *at = to < 0 ? 0 : to > last ? (unsigned int)last : (unsigned int)to;
}

/* In what is longer than the screen keys that move scroll; a slot's bits are paged. */
static void scroll(struct ui *ui, const struct frame *f, const struct layout *l, int dx, int dy)
{
    if (ui_top_is(ui, LAYER_TEXT)) {
        scroll_by(&ui->text_top, dy, ui->text_lines, layers_text_rows(l->rows));
        scroll_by(&ui->text_left, dx * TEXT_STEP, ui->text_cols, l->cols);
    } else if (ui_top_is(ui, LAYER_HELP)) {
        scroll_by(&ui->box_top, dy, layers_help_lines(l->cols), layers_help_rows(l->rows));
    } else if (ui_top_is(ui, LAYER_DETAIL) && (dy > 1 || dy < -1)) {
        scroll_by(&ui->box_top, dy, LAYERS_DETAIL_LINES, layers_detail_rows(l->rows));
    } else {
        ui_move(ui, f, l, dx, dy);
    }
}

static void scroll_to(struct ui *ui, const struct frame *f, const struct layout *l, bool last)
{
    if (ui_top_is(ui, LAYER_TEXT) || ui_top_is(ui, LAYER_HELP))
        scroll(ui, f, l, last ? 0 : -LINES_MAX, last ? LINES_MAX : -LINES_MAX);
    else
        ui_move_to(ui, f, last);
}

static void move_cpu(struct ui *ui, const struct frame *f, int by)
{
    unsigned int n = frame_ncpu(f);

    ui->cpu = (ui->cpu + n + by) % n;
}

static bool act_move(struct ui *ui, const struct frame *f, const struct layout *l,
                     enum action action)
{
    const int page = l->rows > 10 ? l->rows - 8 : 2;

    switch (action) {
    case ACTION_LEFT:
        scroll(ui, f, l, -1, 0);
        return true;
    case ACTION_RIGHT:
        scroll(ui, f, l, 1, 0);
        return true;
    case ACTION_UP:
        scroll(ui, f, l, 0, -1);
        return true;
    case ACTION_DOWN:
        scroll(ui, f, l, 0, 1);
        return true;
    case ACTION_PAGE_UP:
        scroll(ui, f, l, 0, -page);
        return true;
    case ACTION_PAGE_DOWN:
        scroll(ui, f, l, 0, page);
        return true;
    case ACTION_FIRST:
        scroll_to(ui, f, l, false);
        return true;
    case ACTION_LAST:
        scroll_to(ui, f, l, true);
        return true;
    case ACTION_NEXT_CPU:
        move_cpu(ui, f, 1);
        return true;
    case ACTION_PREV_CPU:
        move_cpu(ui, f, -1);
        return true;
    case ACTION_NEXT_MATCH:
        ui_search(ui, f, 1);
        return true;
    case ACTION_PREV_MATCH:
        ui_search(ui, f, -1);
        return true;
    default:
        return false;
    }
}

static void change_rate(struct ui *ui, int by)
{
    unsigned int step = ui->hz + (by < 0 ? 0 : 1) > 10 ? 5 : 1;

    if (by > 0)
        ui->hz = ui->hz + step > HZ_LAST ? HZ_LAST : ui->hz + step;
    else if (ui->hz > step)
        ui->hz -= step;
    else
        ui->hz = 1;
    snprintf(ui->notice, sizeof(ui->notice), "%u %s a second", ui->hz,
             ui->hz == 1 ? "look" : "looks");
}

/* Where there are no colours, or the screen has none of these slots, nothing else tells. */
static void next_color(struct ui *ui)
{
    ui->color = (ui->color + 1) % COLORS;
    snprintf(ui->notice, sizeof(ui->notice), "slots are coloured by %s", color_by_name(ui->color));
}

static void toggle_follow(struct ui *ui)
{
    ui->follow = !ui->follow;
    snprintf(ui->notice, sizeof(ui->notice), "the slot that a step changes %s",
             ui->follow ? "gets selected" : "is marked, and not selected");
}

/* How it is shown, and which moment. */
static bool act_show(struct ui *ui, const struct frame *f, enum action action)
{
    switch (action) {
    case ACTION_COLOR:
        next_color(ui);
        return true;
    case ACTION_STAGE:
        next_shown(ui);
        return true;
    case ACTION_EXPLAIN:
        ui_explain(ui, f);
        return true;
    case ACTION_FOLLOW:
        toggle_follow(ui);
        return true;
    case ACTION_MARK:
        ui->marked = !ui->marked;
        return true;
    case ACTION_PAUSE:
        ui->paused = !ui->paused;
        return true;
    case ACTION_FASTER:
        change_rate(ui, 1);
        return true;
    case ACTION_SLOWER:
        change_rate(ui, -1);
        return true;
    case ACTION_STEP_BACK:
        ui->step--;
        return true;
    case ACTION_STEP:
        ui->step++;
        return true;
    case ACTION_LEAP_BACK:
        ui->leap--;
        return true;
    case ACTION_LEAP:
        ui->leap++;
        return true;
    default:
        return false;
    }
}

/* What only the loop can do: it is asked to. */
static void act_outside(struct ui *ui, enum action action)
{
    switch (action) {
    case ACTION_REDRAW:
        ui->redraw = true;
        break;
    case ACTION_SUSPEND:
        ui->suspend = true;
        break;
    case ACTION_WRITE:
        ui->write = true;
        break;
    case ACTION_COPY:
        ui->copy = true;
        break;
    case ACTION_STOP:
        ask_control(ui, CONTROL_STOP);
        break;
    case ACTION_CONTINUE:
        ask_control(ui, CONTROL_CONTINUE);
        break;
    case ACTION_STEP_CPU:
        snprintf(ui->notice, sizeof(ui->notice),
                 "QMP cannot step a CPU: step in GDB (make gdb), this screen follows");
        break;
    default:
        break;
    }
}

void ui_act(struct ui *ui, const struct frame *f, const struct layout *l, enum action action)
{
    if (!act_open(ui, f, action) && !act_move(ui, f, l, action) && !act_show(ui, f, action))
        act_outside(ui, action);
}
