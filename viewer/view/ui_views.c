/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What moving, Enter and Backspace do in each view.
 */
#include "view/ui.h"

#include <hvscope/mapcache.h>

#include <stdio.h>

void ui_pick_view(struct ui *ui, enum view_id view)
{
    ui->nr_layers = 0;
    ui->view = view;
}

unsigned int ui_table_columns(int cols)
{
    return cols >= 72 ? 64 : cols >= 40 ? 32 : 16;
}

static unsigned int count_events(const struct ui *ui, const struct frame *f)
{
    unsigned int n = 0;

    if (!f->events)
        return 0;
    if (!ui->filter.text[0])
        return f->events->nr;
    for (unsigned int i = 0; i < f->events->nr; i++)
        n += filter_matches(&ui->filter, f, event_at(f->events, i));
    return n;
}

unsigned int ui_rows(const struct ui *ui, const struct frame *f)
{
    switch (ui->view) {
    case VIEW_MAP:
        return f->ranges ? f->ranges->nr : 0;
    case VIEW_EVENTS:
        return count_events(ui, f);
    case VIEW_CHECK:
        return f->findings ? f->findings->nr : 0;
    default:
        return 0;
    }
}

static void move_in(unsigned int *at, int by, unsigned int below)
{
    int to = (int)*at + by;

    if (to >= 0 && to < (int)below)
        *at = (unsigned int)to;
}

/* In a grid: as many rows as there are. */
static void move_grid(unsigned int *at, int dx, int dy, int per_row, unsigned int below)
{
    int row = (int)*at / per_row, last = ((int)below - 1 - (int)*at % per_row) / per_row;

    if (row + dy < 0)
        dy = -row;
    if (row + dy > last)
        dy = last - row;
    move_in(at, dx + dy * per_row, below);
}

static void move_row(struct ui *ui, const struct frame *f, int by)
{
    unsigned int n = ui_rows(ui, f);
    int to = (int)ui->row[ui->view] + by;

    if (n == 0)
        return;
    ui->row[ui->view] = to < 0 ? 0 : to >= (int)n ? n - 1 : (unsigned int)to;
}

void ui_move(struct ui *ui, const struct frame *f, const struct layout *l, int dx, int dy)
{
    switch (ui->view) {
    case VIEW_SLOTS:
        move_grid(&ui->slot, dx, dy, l->per_row, frame_entries(f));
        break;
    case VIEW_OVERVIEW:
        move_grid(&ui->cpu, 0, dy, 1, frame_ncpu(f));
        break;
    case VIEW_TABLES:
        move_grid(&ui->entry, dx, dy, (int)ui_table_columns(l->cols),
                  f->table && f->table->readable ? f->table->entries : PT_ENTRIES);
        break;
    case VIEW_EVENTS:
        move_row(ui, f, -dy); /* counted from the newest, which is at the bottom */
        break;
    default:
        move_row(ui, f, dy);
    }
}

void ui_move_to(struct ui *ui, const struct frame *f, bool last)
{
    unsigned int n = ui_rows(ui, f);

    if (ui->view == VIEW_OVERVIEW)
        ui->cpu = last ? frame_ncpu(f) - 1 : 0;
    else if (ui->view == VIEW_SLOTS)
        ui->slot = last ? frame_entries(f) - 1 : 0;
    else if (ui->view == VIEW_TABLES)
        ui->entry = last ? PT_ENTRIES - 1 : 0;
    else if (n)
        ui->row[ui->view] = last != (ui->view == VIEW_EVENTS) ? n - 1 : 0;
}

static void drill(struct ui *ui, const struct frame *f)
{
    const struct table_page *t = f->table;

    if (!t || !t->readable || ui->entry >= t->entries || ui->path.nr == PATH_MAX_LEVELS - 1 ||
        regime_kind(&t->r, t->pte[ui->entry], t->level) != KIND_TABLE) {
        snprintf(ui->notice, sizeof(ui->notice), "there is no table below this entry");
        return;
    }
    ui->path.index[ui->path.nr++] = ui->entry;
    ui->entry = 0;
}

static void show_slot(struct ui *ui, unsigned int cpu, unsigned int slot)
{
    ui->cpu = cpu;
    ui->slot = slot;
    ui_pick_view(ui, VIEW_SLOTS);
}

static void enter_range(struct ui *ui, const struct frame *f)
{
    const struct beacon *b = f->snap ? &f->snap->machine.beacon : NULL;
    uint64_t va;

    if (!b || !f->ranges || f->shown != SHOWN_EL2 || ui->row[VIEW_MAP] >= f->ranges->nr)
        return;
    va = f->ranges->range[ui->row[VIEW_MAP]].va;
    if (va >= b->domheap_va && va - b->domheap_va < b->domheap_size)
        show_slot(ui, ui->cpu, (va - b->domheap_va) / SLOT_SIZE);
    else
        snprintf(ui->notice, sizeof(ui->notice), "only ranges of the domheap are slots to open");
}

void ui_enter(struct ui *ui, const struct frame *f)
{
    const struct finding *n;
    const struct event *e;

    switch (ui->view) {
    case VIEW_SLOTS:
        if (!ui->no_slots)
            ui_open_layer(ui, LAYER_DETAIL);
        break;
    case VIEW_TABLES:
        drill(ui, f);
        break;
    case VIEW_MAP:
        enter_range(ui, f);
        break;
    case VIEW_EVENTS:
        e = filter_event(&ui->filter, f, ui->row[VIEW_EVENTS]);
        if (e && event_has_slot(e))
            show_slot(ui, e->cpu, e->slot);
        break;
    case VIEW_CHECK:
        if (f->findings && ui->row[VIEW_CHECK] < f->findings->nr) {
            n = &f->findings->finding[ui->row[VIEW_CHECK]];
            show_slot(ui, n->cpu, n->slot >= 0 ? (unsigned int)n->slot : ui->slot);
        }
        break;
    default:
        ui_pick_view(ui, VIEW_SLOTS);
    }
}

/* Up in the tables, then back to the slots; false if there is nothing to leave. */
bool ui_return(struct ui *ui)
{
    if (ui->view == VIEW_TABLES && ui->path.nr) {
        ui->entry = ui->path.index[--ui->path.nr];
        return true;
    }
    if (ui->view == VIEW_SLOTS || (ui->view == VIEW_TABLES && ui->no_slots))
        return false;
    ui->view = ui->no_slots ? VIEW_TABLES : VIEW_SLOTS;
    return true;
}
