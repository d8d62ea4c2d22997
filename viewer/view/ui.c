/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/ui.h"

#include "view/chrome.h"
#include "view/overview.h"

#include <hvscope/layout.h>

#include <stdlib.h>
#include <string.h>

#define HZ_LAST 60

void ui_init(struct ui *ui, unsigned int hz)
{
    *ui = (struct ui){.hz = hz, .follow = true, .digit = -1, .entry = DOMHEAP_L0_INDEX};
}

bool ui_top_is(const struct ui *ui, enum layer layer)
{
    return ui->nr_layers && ui->layer[ui->nr_layers - 1] == layer;
}

static bool is_open(const struct ui *ui, enum layer layer)
{
    for (unsigned int i = 0; i < ui->nr_layers; i++) {
        if (ui->layer[i] == layer)
            return true;
    }
    return false;
}

void ui_open_layer(struct ui *ui, enum layer layer)
{
    if (!is_open(ui, layer) && ui->nr_layers < LAYERS)
        ui->layer[ui->nr_layers++] = layer;
    if (layer == LAYER_GOTO)
        ui->input[0] = '\0';
}

/* The topmost layer; under them all, the overview. */
static bool close_layer(struct ui *ui)
{
    if (ui->nr_layers) {
        ui->nr_layers--;
        return true;
    }
    return ui_return(ui);
}

void ui_free(struct ui *ui)
{
    free(ui->text);
    ui->text = NULL;
}

void ui_show_text(struct ui *ui, const char *text)
{
    free(ui->text);
    ui->text = strdup(text);
    ui->text_top = 0;
    ui_open_layer(ui, LAYER_TEXT);
}

/* A machine without slots: its tables, from their first entry on. */
static void begin_with_tables(struct ui *ui)
{
    if (ui->view == VIEW_SLOTS || ui->view == VIEW_OVERVIEW)
        ui->view = VIEW_TABLES;
    ui->path.nr = ui->entry = 0;
}

void ui_clamp(struct ui *ui, const struct frame *f)
{
    bool no_slots = frame_no_slots(f) != NULL;

    if (no_slots && !ui->no_slots)
        begin_with_tables(ui);
    ui->no_slots = no_slots;
    if (f->snap && ui->cpu >= frame_ncpu(f))
        ui->cpu = 0;
    if (ui->slot >= frame_entries(f))
        ui->slot = frame_entries(f) - 1;
}

void ui_follow(struct ui *ui, const struct frame *f)
{
    const struct marks *m = f->marks;
    unsigned int changed = 0, cpu = 0, slot = 0;

    if (!m || !m->settled || m->settled_at == ui->followed_at)
        return;
    ui->followed_at = m->settled_at;
    for (unsigned int i = 0; i < m->ncpu && m->compared; i++) {
        changed += marks_count(m, i);
        if (marks_count(m, i) == 1)
            cpu = i;
    }
    if (changed != 1 || !ui->follow)
        return;
    while (!marks_slot(m, cpu, slot))
        slot++;
    ui->cpu = cpu;
    ui->slot = slot;
}

static void move_cpu(struct ui *ui, const struct frame *f, int by)
{
    unsigned int n = frame_ncpu(f);

    ui->cpu = (ui->cpu + n + by) % n;
}

static void press_digit(struct ui *ui, const struct frame *f, int digit, uint64_t now)
{
    unsigned int both = ui->digit * 10 + digit;

    if (ui->view_digit) {
        ui->view_digit = false;
        if (digit >= 1 && digit <= VIEW_OVERVIEW)
            ui_pick_view(ui, (enum view_id)(digit - 1));
        return;
    }
    if (ui->digit > 0 && now - ui->digit_at < DIGIT_NS && both < frame_ncpu(f)) {
        ui->cpu = both;
        ui->digit = -1;
        return;
    }
    ui->digit = digit;
    ui->digit_at = now;
    if ((unsigned int)digit < frame_ncpu(f))
        ui->cpu = digit;
}

static void press_enter(struct ui *ui, const struct frame *f)
{
    if (ui->nr_layers)
        close_layer(ui);
    else
        ui_enter(ui, f);
}

/* In a text that is longer than the screen, keys that move scroll. */
static void scroll(struct ui *ui, const struct frame *f, const struct layout *l, int dx, int dy)
{
    if (!ui_top_is(ui, LAYER_TEXT)) {
        ui_move(ui, f, l, dx, dy);
        return;
    }
    if (dy < 0)
        ui->text_top = ui->text_top > (unsigned int)-dy ? ui->text_top + dy : 0;
    else
        ui->text_top += dy;
}

static void toggle_overview(struct ui *ui)
{
    ui->nr_layers = 0;
    ui->view = ui->view == VIEW_OVERVIEW ? VIEW_SLOTS : VIEW_OVERVIEW;
}

/* In the prompt: digits, Backspace, Enter; what is too large cannot be typed. */
static void prompt_key(struct ui *ui, const struct frame *f, int code)
{
    size_t len = strlen(ui->input);

    if (code >= '0' && code <= '9' && len < 4) {
        ui->input[len] = code;
        ui->input[len + 1] = '\0';
        if (strtoul(ui->input, NULL, 10) >= frame_entries(f))
            ui->input[len] = '\0';
    } else if (code == UI_KEY_BACKSPACE && len > 0) {
        ui->input[len - 1] = '\0';
    } else if (code == '\r' || code == '\n' || code == UI_KEY_ENTER) {
        if (len)
            ui->slot = strtoul(ui->input, NULL, 10);
        close_layer(ui);
    } else if (code == UI_KEY_ESC || code == UI_KEY_BACKSPACE || code == 'q') {
        close_layer(ui);
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

static void act_more(struct ui *ui, const struct frame *f, enum action action)
{
    switch (action) {
    case ACTION_VIEW1:
    case ACTION_VIEW2:
    case ACTION_VIEW3:
    case ACTION_VIEW4:
    case ACTION_VIEW5:
    case ACTION_VIEW6:
        ui_pick_view(ui, (enum view_id)(VIEW_SLOTS + (action - ACTION_VIEW1)));
        break;
    case ACTION_VIEW:
        ui->view_digit = true;
        break;
    case ACTION_SEARCH:
        ui_prompt_open(ui, PROMPT_SEARCH);
        break;
    case ACTION_FILTER:
        ui_prompt_open(ui, PROMPT_FILTER);
        break;
    case ACTION_COMMAND:
        ui_prompt_open(ui, PROMPT_COMMAND);
        break;
    case ACTION_NEXT_MATCH:
        ui_search(ui, f, 1);
        break;
    case ACTION_PREV_MATCH:
        ui_search(ui, f, -1);
        break;
    case ACTION_COLOR:
        ui->color = (ui->color + 1) % COLORS;
        break;
    case ACTION_MARK:
        ui->marked = !ui->marked;
        break;
    case ACTION_WRITE:
        ui->write = true;
        break;
    case ACTION_COPY:
        ui->copy = true;
        break;
    case ACTION_EXPLAIN:
        ui_explain(ui, f);
        break;
    case ACTION_ASK_CPU:
        ui_prompt_open(ui, PROMPT_CPU);
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
    case ACTION_STEP_BACK:
        ui->step--;
        break;
    case ACTION_STEP:
        ui->step++;
        break;
    case ACTION_LEAP_BACK:
        ui->leap--;
        break;
    case ACTION_LEAP:
        ui->leap++;
        break;
    default:
        break;
    }
}

/* Is it about slots, and are there none? */
static bool is_void(const struct ui *ui, enum action action)
{
    return ui->no_slots &&
           (action == ACTION_GOTO || action == ACTION_EXPLAIN || action == ACTION_MARK ||
            action == ACTION_COLOR || action == ACTION_OVERVIEW || action == ACTION_SEARCH);
}

static void act(struct ui *ui, const struct frame *f, const struct layout *l, enum action action)
{
    switch (action) {
    case ACTION_QUIT:
        ui->quit = !close_layer(ui);
        break;
    case ACTION_BACK:
        close_layer(ui);
        break;
    case ACTION_HELP:
        ui_open_layer(ui, LAYER_HELP);
        break;
    case ACTION_ENTER:
        press_enter(ui, f);
        break;
    case ACTION_LEFT:
        scroll(ui, f, l, -1, 0);
        break;
    case ACTION_RIGHT:
        scroll(ui, f, l, 1, 0);
        break;
    case ACTION_UP:
        scroll(ui, f, l, 0, -1);
        break;
    case ACTION_DOWN:
        scroll(ui, f, l, 0, 1);
        break;
    case ACTION_FIRST:
        ui_move_to(ui, f, false);
        break;
    case ACTION_LAST:
        ui_move_to(ui, f, true);
        break;
    case ACTION_PAGE_UP:
        scroll(ui, f, l, 0, -(l->rows > 8 ? l->rows - 8 : 1));
        break;
    case ACTION_PAGE_DOWN:
        scroll(ui, f, l, 0, l->rows > 8 ? l->rows - 8 : 1);
        break;
    case ACTION_NEXT_CPU:
        move_cpu(ui, f, 1);
        break;
    case ACTION_PREV_CPU:
        move_cpu(ui, f, -1);
        break;
    case ACTION_GOTO:
        ui_open_layer(ui, LAYER_GOTO);
        break;
    case ACTION_OVERVIEW:
        toggle_overview(ui);
        break;
    case ACTION_FOLLOW:
        ui->follow = !ui->follow;
        break;
    case ACTION_PAUSE:
        ui->paused = !ui->paused;
        break;
    case ACTION_FASTER:
        change_rate(ui, 1);
        break;
    case ACTION_SLOWER:
        change_rate(ui, -1);
        break;
    case ACTION_REDRAW:
        ui->redraw = true;
        break;
    case ACTION_SUSPEND:
        ui->suspend = true;
        break;
    default:
        act_more(ui, f, action);
    }
}

void ui_key(struct ui *ui, const struct frame *f, unsigned int rows, unsigned int cols, int code,
            uint64_t now)
{
    struct layout l = layout_of(rows, cols);
    enum action action = key_action(code);

    ui->notice[0] = '\0';
    if (action != ACTION_DIGIT && action != ACTION_VIEW)
        ui->view_digit = false;
    if (ui_top_is(ui, LAYER_PROMPT) && action != ACTION_SUSPEND)
        ui_prompt_key(ui, f, code);
    else if (ui_top_is(ui, LAYER_GOTO) && action != ACTION_REDRAW && action != ACTION_SUSPEND)
        prompt_key(ui, f, code);
    else if (action == ACTION_DIGIT)
        press_digit(ui, f, code - '0', now);
    else if (is_void(ui, action))
        snprintf(ui->notice, sizeof(ui->notice), "that is about slots, and there are none here");
    else
        act(ui, f, &l, action);
}

void ui_click(struct ui *ui, const struct frame *f, unsigned int rows, unsigned int cols, int row,
              int col)
{
    struct layout l = layout_of(rows, cols);
    int slot, cpu;

    if (ui->nr_layers)
        return;
    if (ui->view != VIEW_SLOTS && ui->view != VIEW_OVERVIEW)
        return;
    if (ui->view == VIEW_OVERVIEW) {
        cpu = overview_cpu_at(f, ui, &l, row, col);
    } else {
        slot = layout_slot_at(&l, ui->slot, frame_entries(f), row, col);
        if (slot >= 0)
            ui->slot = slot;
        cpu = chrome_cpu_at(f, ui, &l, row, col);
    }
    if (cpu >= 0)
        ui->cpu = cpu;
}
