/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/draw.h"

#include "view/chrome.h"
#include "view/layers.h"
#include "view/overview.h"
#include "view/pages.h"
#include "view/slots.h"

/* What a view has to bring; a key of keys.def leads to it. */
struct view_ops {
    const char *name;
    void (*draw)(struct canvas *c, const struct frame *f, const struct ui *ui);
};

static const struct view_ops views[VIEWS] = {
    [VIEW_SLOTS] = {"slots", slots_draw},
    [VIEW_TABLES] = {"tables", tables_draw},
    [VIEW_MAP] = {"map", map_draw},
    [VIEW_EVENTS] = {"events", events_draw},
    [VIEW_CHECK] = {"check", check_draw},
    [VIEW_STATS] = {"stats", stats_draw},
    [VIEW_OVERVIEW] = {"overview", overview_draw},
};

const char *view_name(enum view_id view)
{
    return views[view].name;
}

void draw_picture(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    struct layout l = layout_of(c->rows, c->cols);

    canvas_clear(c);
    if (l.kind != LAYOUT_LINE)
        chrome_draw_title(c, f, ui);
    views[l.kind == LAYOUT_LINE ? VIEW_SLOTS : ui->view].draw(c, f, ui);
    if (l.kind >= LAYOUT_SINGLE) {
        chrome_draw_key_bar(c, l.rows - 1);
        if (ui->view != VIEW_SLOTS)
            chrome_draw_message(c, l.rows - 2, 0, l.cols, f, ui);
    } else if (l.kind == LAYOUT_SMALL && ui->view != VIEW_SLOTS) {
        chrome_draw_message(c, l.rows - 1, 0, l.cols, f, ui);
    }
    layers_draw(c, f, ui);
}
