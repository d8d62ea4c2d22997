/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Views 2 to 6: each fills the same area with a heading, a body and, below it,
 * the line for messages.
 */
#ifndef VIEWER_VIEW_PAGES_H
#define VIEWER_VIEW_PAGES_H

#include "view/canvas.h"
#include "view/ui.h"

/* The body; the heading is the row above, the message the row below. */
struct area {
    int row, cols, rows;
};

struct area page_area(const struct canvas *c);

/* "", " stage 2" …, as it stands behind "CPU0". */
const char *shown_text(enum shown_stage shown);

/* " 3 Map  CPU1  …" above the body. */
__attribute__((format(printf, 4, 5))) void page_heading(struct canvas *c, const struct ui *ui,
                                                        const char *name, const char *format, ...);

/*
 * What has to be said before tables of a frozen picture that are not of the moment that the title
 * names; "" if they are. slots: those among them are.
 */
void page_moment(const struct frame *f, bool live, bool slots, char *buf, size_t size);

/* How much of a text goes into so many columns: up to a blank, if there is one. */
size_t page_fit(const char *text, size_t room);

/* There are no such tables: why, where they would be. */
void page_why(struct canvas *c, const struct frame *f);

/* First row of a list of n that is shown, so that the selected one is to be seen. */
unsigned int page_first(unsigned int selected, unsigned int n, int rows);

void tables_draw(struct canvas *c, const struct frame *f, const struct ui *ui);
void map_draw(struct canvas *c, const struct frame *f, const struct ui *ui);
void events_draw(struct canvas *c, const struct frame *f, const struct ui *ui);
void check_draw(struct canvas *c, const struct frame *f, const struct ui *ui);
void stats_draw(struct canvas *c, const struct frame *f, const struct ui *ui);

/* One event in a field of one row; here: it is selected. */
void event_draw(struct canvas *c, int row, int col, int width, const struct frame *f,
                const struct event *e, bool here);

/* "copy_between+0x94", or the address; with the line if there is one and lines. */
void where_text(const struct frame *f, uint64_t caller, bool lines, char *buf, size_t size);

/* "copy_between x3, fill x1, 2 unknown": who holds a slot; "" if nobody does. */
void holders_text(const struct frame *f, unsigned int cpu, unsigned int slot, unsigned int refs,
                  char *buf, size_t size);

/*
 * Rates with their last minutes, the most telling first; only the occupancy if
 * the target counts nothing. Returns the rows that it took.
 */
int stats_draw_rates(struct canvas *c, int row, int rows, int col, int cols, const struct series *s,
                     bool counted);

#endif /* VIEWER_VIEW_PAGES_H */
