/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/ui.h"

#include "view/chrome.h"
#include "view/overview.h"

#include <hvscope/layout.h>

#include <stdlib.h>
#include <string.h>

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
    else if (layer == LAYER_HELP || layer == LAYER_DETAIL)
        ui->box_top = 0;
}

/* The topmost layer; under them all, the overview. */
bool ui_close(struct ui *ui)
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
    ui->text_top = ui->text_left = ui->text_lines = ui->text_cols = 0;
    for (const char *line = text; *line; ui->text_lines++) {
        unsigned int len = (unsigned int)strcspn(line, "\n");

        ui->text_cols = len > ui->text_cols ? len : ui->text_cols;
        line += len + (line[len] == '\n');
    }
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

static void press_digit(struct ui *ui, const struct frame *f, int digit, uint64_t now)
{
    unsigned int both = ui->digit * 10 + digit;

    if (ui->view_digit) {
        ui->view_digit = false;
        if (digit >= 1 && digit <= VIEWS)
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
        ui_close(ui);
    } else if (code == UI_KEY_ESC || code == UI_KEY_BACKSPACE || code == 'q') {
        ui_close(ui);
    }
}

/* Is it about slots, and are there none? */
static bool is_void(const struct ui *ui, enum action action)
{
    return ui->no_slots &&
           (action == ACTION_GOTO || action == ACTION_EXPLAIN || action == ACTION_MARK ||
            action == ACTION_COLOR || action == ACTION_OVERVIEW || action == ACTION_SEARCH);
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
        ui_act(ui, f, &l, action);
}

static void click_item(struct ui *ui, const struct frame *f, unsigned int n)
{
    unsigned int *at = ui->view == VIEW_TABLES ? &ui->entry : &ui->row[ui->view];

    if (*at == n)
        ui_enter(ui, f);
    else
        *at = n;
}

void ui_click(struct ui *ui, const struct frame *f, const struct canvas *shown, int row, int col)
{
    struct layout l = layout_of(shown->rows, shown->cols);
    int slot, cpu, item = canvas_picked(shown, row, col);

    ui->notice[0] = '\0';
    if (ui->nr_layers)
        return;
    if (item >= 0)
        click_item(ui, f, (unsigned int)item);
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
