/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What surrounds the data: title with the state word, CPU tabs, the line that
 * says what changed, the key bar.
 */
#ifndef VIEWER_VIEW_CHROME_H
#define VIEWER_VIEW_CHROME_H

#include "view/canvas.h"
#include "view/ui.h"

#define MESSAGE_MAX 256

void chrome_draw_title(struct canvas *c, const struct frame *f, const struct ui *ui);
void chrome_draw_tabs(struct canvas *c, int row, const struct frame *f, const struct ui *ui);
void chrome_draw_key_bar(struct canvas *c, int row);

/* The prompt, why there is nothing to see, or what changed; at most width columns. */
void chrome_draw_message(struct canvas *c, int row, int col, int width, const struct frame *f,
                         const struct ui *ui);

/* Where a CPU of a halted machine stands: "EL2 map_domain_page+0x9c"; "" if that is not known. */
void chrome_place_text(const struct frame *f, unsigned int cpu, char *buf, size_t size);

/* The word and what belongs to it, as in the title. */
void chrome_state_text(const struct frame *f, char *buf, size_t size);
enum role chrome_state_role(enum run_word word);

/* CPU whose tab is at that place; -1 if none. */
int chrome_cpu_at(const struct frame *f, const struct ui *ui, const struct layout *l, int row,
                  int col);

#endif /* VIEWER_VIEW_CHROME_H */
