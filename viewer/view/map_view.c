/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Map: the address space of one CPU as named ranges.
 */
#include "view/pages.h"

#include <inttypes.h>
#include <stdio.h>

static void size_text(uint64_t size, char *buf, size_t len)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    unsigned int unit = 0;

    while (size >= 1024 && size % 1024 == 0 && unit < 4) {
        size >>= 10;
        unit++;
    }
    snprintf(buf, len, "%" PRIu64 " %s", size, units[unit]);
}

static void draw_range(struct canvas *c, int row, int cols, const struct range *r, bool here)
{
    enum role role = here ? ROLE_CURSOR : r->a.software ? ROLE_STRONG : ROLE_TEXT;
    char size[24], text[200];

    size_text(r->size, size, sizeof(size));
    if (cols < SINGLE_COLS)
        snprintf(text, sizeof(text), "0x%-12" PRIx64 " %-8s %s %s", r->va, size, r->a.perm,
                 r->region ? r->region : "-");
    else
        snprintf(text, sizeof(text), " 0x%-12" PRIx64 " %-9s 0x%-11" PRIx64 " L%d %s %2u  %-10s %s",
                 r->va, size, r->pa, r->level, r->a.perm, r->a.software,
                 r->region ? r->region : "-", r->a.type);
    if (here) {
        canvas_fill(c, row, 0, cols, role, ' ');
        canvas_set_cursor(c, row, 0);
    }
    canvas_text(c, row, 0, cols, role, text);
}

void map_draw(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    struct area a = page_area(c);
    unsigned int selected = ui->row[VIEW_MAP], n = f->ranges ? f->ranges->nr : 0, first;
    char moment[64];
    int head = 1; /* rows above the list */

    page_moment(f, f->live_ranges, f->shown == SHOWN_EL2, moment, sizeof(moment));
    page_heading(c, ui, "Map", "%sCPU%u%s  %u ranges%s", f->ranges ? moment : "", ui->cpu,
                 shown_text(f->shown), n,
                 f->ranges && f->ranges->faults ? ", some tables are outside RAM" : "");
    if (!f->ranges) {
        page_why(c, f);
        return;
    }
    if (selected >= n)
        selected = n ? n - 1 : 0;
    if (a.rows < 3)
        head = 0;
    else if (a.cols >= SINGLE_COLS)
        canvas_printf(c, a.row, 0, a.cols, ROLE_DIM,
                      " %-14s size      %-13s lv rwx sw  region     type",
                      f->shown == SHOWN_S2 ? "ipa" : "va",
                      f->shown == SHOWN_EL2 || f->shown == SHOWN_S2 ? "pa" : "ipa");
    else
        canvas_printf(c, a.row, 0, a.cols, ROLE_DIM, "%-14s size     rwx region",
                      f->shown == SHOWN_S2 ? "ipa" : "va");
    first = page_first(selected, n, a.rows - head);
    for (int i = 0; i < a.rows - head && first + (unsigned int)i < n; i++) {
        draw_range(c, a.row + head + i, a.cols, &f->ranges->range[first + (unsigned int)i],
                   first + (unsigned int)i == selected);
        canvas_pick(c, a.row + head + i, 0, a.cols, first + (unsigned int)i);
    }
}
