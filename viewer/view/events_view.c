/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events: the stream, the newest at the bottom.
 */
#include "model/profile.h"
#include "view/pages.h"

#include <inttypes.h>
#include <stdio.h>

#define WHERE_MAX 128

static int draw_kind(struct canvas *c, int row, int col, int width, const struct event *e,
                     bool here)
{
    enum role role = here                   ? ROLE_CURSOR
                     : e->lost              ? ROLE_WARN
                     : e->kind == TRACE_MAP ? ROLE_EVENT_MAP
                                            : ROLE_EVENT_UNMAP;

    return canvas_printf(c, row, col, width, role, " %-6s", event_name(e));
}

/* A store, TLBI, barrier, interrupt, text or loss; for a store or TLBI, where it is. */
static void draw_other(struct canvas *c, int row, int at, int width, const struct frame *f,
                       const struct event *e, bool here)
{
    char words[WHERE_MAX];
    int used;

    event_describe(e, words, sizeof(words));
    used = canvas_printf(c, row, at, width,
                         here      ? ROLE_CURSOR
                         : e->lost ? ROLE_WARN
                                   : ROLE_TEXT,
                         "%s", words);
    if (e->lost || !e->caller)
        return;
    where_text(f, e->caller, false, words, sizeof(words));
    canvas_printf(c, row, at + used, width - used, here ? ROLE_CURSOR : ROLE_DIM, "  %s", words);
}

void event_draw(struct canvas *c, int row, int col, int width, const struct frame *f,
                const struct event *e, bool here)
{
    uint64_t hz = f->snap->machine.beacon.cntfrq;
    enum role text = here ? ROLE_CURSOR : ROLE_TEXT, dim = here ? ROLE_CURSOR : ROLE_DIM;
    int at = col, end = col + width;
    char where[WHERE_MAX];

    if (here)
        canvas_fill(c, row, col, width, text, ' ');
    if (width >= 60)
        at += canvas_printf(c, row, at, end - at, dim, "%11.6f",
                            (double)e->ticks / (hz ? (double)hz : 1e9));
    at += draw_kind(c, row, at, end - at, e, here);
    at += canvas_printf(c, row, at, end - at, text, " CPU%-2u ", e->cpu);
    if (!event_is_call(e)) {
        draw_other(c, row, at, end - at, f, e, here);
        return;
    }
    if (event_has_slot(e))
        at += canvas_printf(c, row, at, end - at, text, "slot %-4u %s%-2u ", e->slot,
                            width >= 100 ? "refs " : "x", e->refs);
    at += canvas_printf(c, row, at, end - at, text, "mfn 0x%-6" PRIx64, e->mfn);
    if (e->kind == TRACE_MAP)
        at += canvas_printf(c, row, at, end - at, text, " %-4s +%-2u", e->hit ? "hit" : "take",
                            e->probe);
    else if (width >= 60)
        at += 9;
    where_text(f, e->caller, width >= 100, where, sizeof(where));
    canvas_printf(c, row, at, end - at, dim, " %s", where);
}

void events_draw(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    struct area a = page_area(c);
    unsigned int n = f->snap ? ui_rows(ui, f) : 0, selected = ui->row[VIEW_EVENTS], back;

    if (!f->snap || !f->events) {
        page_heading(c, ui, "Events", "none");
        return;
    }
    if (ui->filter.text[0])
        page_heading(c, ui, "Events", "only %s: %u of %u kept, %" PRIu64 " lost", ui->filter.text,
                     n, f->events->nr, f->events->lost);
    else
        page_heading(c, ui, "Events", "%u kept, %" PRIu64 " since attach, %" PRIu64 " lost", n,
                     f->events->produced, f->events->lost);
    if (n == 0)
        canvas_text(c, a.row, 1, a.cols - 1, ROLE_WARN,
                    f->snap->machine.beacon.trace_mode != TRACE_OFF ? "no events"
                    : f->snap->machine.profile->counted
                        ? "the image runs with trace=off"
                        : "a Xen records no events: start it with TRACE=1");
    if (selected >= n)
        selected = n ? n - 1 : 0;
    back = page_first(selected, n, a.rows);
    for (int i = 0; i < a.rows && back < n; i++, back++) {
        const struct event *e = filter_event(&ui->filter, f, back);
        int rows = n < (unsigned int)a.rows ? (int)n : a.rows, row = a.row + rows - 1 - i;

        if (e)
            event_draw(c, row, 0, a.cols, f, e, back == selected);
        canvas_pick(c, row, 0, a.cols, back);
        if (e && back == selected)
            canvas_set_cursor(c, row, 0);
    }
}
