/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Slots view: every slot of the CPU in focus, and what is in one of them.
 */
#ifndef VIEWER_VIEW_SLOTS_H
#define VIEWER_VIEW_SLOTS_H

#include "view/canvas.h"
#include "view/ui.h"

void slots_draw(struct canvas *c, const struct frame *f, const struct ui *ui);

/* The grid of one CPU, at the place that the layout has for it. */
void slots_draw_tile(struct canvas *c, const struct layout *l, const struct frame *f,
                     const struct ui *ui);

/* "1000 free", gap, "20 cached", … */
void slots_totals_text(const struct frame *f, unsigned int cpu, const char *gap, char *buf,
                       size_t size);

/* Is there an entry to describe at the selected place? */
bool slots_selected(const struct frame *f, const struct ui *ui, struct slot_info *info);

/* Why there is none; "" if there is. */
void slots_missing_text(const struct frame *f, const struct ui *ui, char *buf, size_t size);

/* Where an entry of the chain leads: "-> L1 at 0x…". */
void slots_chain_text(const struct machine *m, const struct chain_entry *e, char *buf, size_t size);

#endif /* VIEWER_VIEW_SLOTS_H */
