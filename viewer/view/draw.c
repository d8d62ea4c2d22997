/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/draw.h"

#include "view/chrome.h"
#include "view/layers.h"
#include "view/overview.h"
#include "view/pages.h"
#include "view/slots.h"

#include <hvscope/trace.h>

/* What a view has to bring; a key of keys.def leads to it. */
struct view_ops {
    const char *name;
    bool tables; /* a machine without slots has it too */
    bool stream; /* and this, if its events are recorded */
    void (*draw)(struct canvas *c, const struct frame *f, const struct ui *ui);
};

static const struct view_ops views[VIEWS] = {
    [VIEW_SLOTS] = {"slots", false, false, slots_draw},
    [VIEW_TABLES] = {"tables", true, false, tables_draw},
    [VIEW_MAP] = {"map", true, false, map_draw},
    [VIEW_EVENTS] = {"events", false, true, events_draw},
    [VIEW_CHECK] = {"check", false, true, check_draw},
    [VIEW_STATS] = {"stats", false, false, stats_draw},
    [VIEW_OVERVIEW] = {"overview", false, false, overview_draw},
};

const char *view_name(enum view_id view)
{
    return views[view].name;
}

static bool is_recorded(const struct frame *f)
{
    return f->snap->machine.beacon.trace_mode != TRACE_OFF;
}

/* In place of slots that this machine does not have. */
static void draw_no_slots(struct canvas *c, const struct frame *f)
{
    int row = c->rows > 2 ? 2 : 0;

    canvas_text(c, row, 1, (int)c->cols - 1, ROLE_WARN, frame_no_slots(f));
    if (c->rows > 4)
        canvas_text(c, row + 1, 1, (int)c->cols - 1, ROLE_TEXT,
                    "F3: its tables   F4: its address space   : walk VA, map, cpus");
}

void draw_picture(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    struct layout l = layout_of(c->rows, c->cols);
    const struct view_ops *view = &views[l.kind == LAYOUT_LINE ? VIEW_SLOTS : ui->view];
    bool own_message = view == &views[VIEW_SLOTS] && !frame_no_slots(f);

    canvas_clear(c);
    if (l.kind != LAYOUT_LINE)
        chrome_draw_title(c, f, ui);
    if (frame_no_slots(f) && !view->tables && !(view->stream && is_recorded(f)))
        draw_no_slots(c, f);
    else
        view->draw(c, f, ui);
    if (l.kind >= LAYOUT_SINGLE) {
        chrome_draw_key_bar(c, l.rows - 1);
        if (!own_message)
            chrome_draw_message(c, l.rows - 2, 0, l.cols, f, ui);
    } else if (l.kind == LAYOUT_SMALL && !own_message) {
        chrome_draw_message(c, l.rows - 1, 0, l.cols, f, ui);
    }
    layers_draw(c, f, ui);
}
