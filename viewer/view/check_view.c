/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Check: what must hold of the tables, and what is held for long.
 */
#include "view/pages.h"

#include <stdio.h>
#include <string.h>

#define BY_ADDRESS " by 0x" /* in the text of a leak */

static void draw_rule(struct canvas *c, int row, int cols, const struct findings *f, enum rule rule,
                      bool order_known)
{
    unsigned int n = f->count[rule];
    bool note = rule_is_note(rule);
    bool known = rule < RULE_VIOLATION || order_known || n;
    const char *word = !known ? "?" : !n ? "ok" : note ? "note" : "WRONG";

    canvas_printf(c, row, 1, 6,
                  !known ? ROLE_DIM
                  : !n   ? ROLE_EVENT_MAP
                  : note ? ROLE_WARN
                         : ROLE_BROKEN,
                  "%-5s", word);
    canvas_text(c, row, 7, n ? cols - 7 - 8 : cols - 7, n ? ROLE_STRONG : ROLE_TEXT,
                rule_text(rule, n));
    if (n)
        canvas_printf(c, row, cols - 8, 8, ROLE_STRONG, "%7u", n);
}

static void finding_where(const struct frame *f, const struct finding *n, char *buf, size_t size)
{
    buf[0] = '\0';
    if (n->where)
        where_text(f, n->where, true, buf, size);
}

static void draw_finding(struct canvas *c, int row, int cols, const struct frame *f,
                         const struct finding *n, bool here)
{
    enum role role = here ? ROLE_CURSOR : rule_is_note(n->rule) ? ROLE_TEXT : ROLE_WARN;
    char where[96], text[sizeof(n->text)];
    int at;

    if (here) {
        canvas_fill(c, row, 0, cols, role, ' ');
        canvas_set_cursor(c, row, 0);
    }
    finding_where(f, n, where, sizeof(where));
    snprintf(text, sizeof(text), "%s", n->text);
    if (where[0] && strstr(text, BY_ADDRESS))
        strstr(text, BY_ADDRESS)[strlen(" by")] = '\0'; /* its name says more */
    at = canvas_printf(c, row, 1, cols - 1, role, "%-15s CPU%-2u %s", rule_name(n->rule), n->cpu,
                       text);
    if (where[0])
        canvas_printf(c, row, at + 1, cols - at - 1, role, " %s", where);
}

void check_draw(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    struct area a = page_area(c);
    const struct findings *r = f->findings;
    unsigned int selected = ui->row[VIEW_CHECK], first;
    int row = a.row, rules = RULES, end = a.row + a.rows;

    if (!r) {
        page_heading(c, ui, "Check", "nothing to look at");
        return;
    }
    page_heading(c, ui, "Check", "%s, %u slots; %s", findings_wrong(r) ? "WRONG" : "nothing found",
                 r->entries, f->order ? f->order : "of stores and TLBIs nothing is known");
    if (a.rows < RULES + 4 && r->nr) /* what was found comes first */
        rules = 0;
    for (int i = ui->no_slots ? RULE_VIOLATION : 0; i < rules && row < end; i++) {
        if (!f->snap || rule_applies((enum rule)i, &f->snap->machine))
            draw_rule(c, row++, a.cols, r, (enum rule)i, f->order_known);
    }
    if (rules)
        row++;
    if (selected >= r->nr)
        selected = r->nr ? r->nr - 1 : 0;
    first = page_first(selected, r->nr, end - row);
    for (unsigned int i = first; i < r->nr && row < end; i++, row++) {
        draw_finding(c, row, a.cols, f, &r->finding[i], i == selected);
        canvas_pick(c, row, 0, a.cols, i);
    }
}
