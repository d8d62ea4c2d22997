/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One slot as one character, and several as one picture element.
 */
#ifndef VIEWER_VIEW_CELLS_H
#define VIEWER_VIEW_CELLS_H

#include "view/canvas.h"
#include "view/ui.h"

#define GLYPH_FREE 0xb7 /* a middle dot */

/* A slot's character and role; refs counts for in-use ones only. */
uint32_t cell_glyph(unsigned int state, unsigned int refs);
enum role cell_role(unsigned int state, unsigned int refs);

/* The role of a slot by what ui->color says; glyphs stay what they are. */
/* Does a slot map what is not RAM, as a Xen may? */
bool cells_is_odd(const struct frame *f, unsigned int cpu, unsigned int slot);

enum role cells_role(const struct frame *f, const struct ui *ui, unsigned int cpu,
                     unsigned int slot);

/* "refs", "age", … */
const char *color_by_name(enum color_by color);

/* The slot of nr from first on that most deserves to be seen. */
unsigned int cells_worst(const struct cpu_snapshot *c, unsigned int first, unsigned int nr);

/*
 * One screen cell that stands for 2 * nr slots: nr from top on above, nr from
 * bottom on below; a marked one shows as such.
 */
void cells_put_pair(struct canvas *c, int row, int col, const struct frame *f, unsigned int cpu,
                    unsigned int top, unsigned int bottom, unsigned int nr);

#endif /* VIEWER_VIEW_CELLS_H */
