/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/slots.h"

#include "model/pte_text.h"
#include "view/cells.h"
#include "view/chrome.h"
#include "view/panes.h"

#include <inttypes.h>
#include <string.h>

#define LEGEND_COL 70
#define DETAIL_ROW 18 /* of the single layout: three lines of it, then totals, message */
#define TEXT_MAX   256

static void draw_cell(struct canvas *c, int row, int col, const struct frame *f,
                      const struct ui *ui, unsigned int slot)
{
    const struct cpu_snapshot *s = &f->snap->cpu[ui->cpu];
    unsigned int refs = pte_refs(s->pte[slot]);
    enum role role = cells_role(f, ui, ui->cpu, slot);

    if (slot == ui->slot) {
        canvas_set_cursor(c, row, col);
        role = ROLE_CURSOR;
    }
    if (marks_slot(f->marks, ui->cpu, slot))
        role = ROLE_CHANGED;
    canvas_put(c, row, col, role,
               cells_is_odd(f, ui->cpu, slot) ? '?' : cell_glyph(s->state[slot], refs));
}

static void draw_row(struct canvas *c, const struct layout *l, const struct frame *f,
                     const struct ui *ui, int row, unsigned int first)
{
    bool here = ui->slot / l->per_row == first / l->per_row;

    if (l->label_col >= 0)
        canvas_printf(c, row, l->label_col, 4, here ? ROLE_LABEL_HERE : ROLE_LABEL, "%4u", first);
    for (int i = 0; i < l->per_row && first + i < frame_entries(f); i++)
        draw_cell(c, row, l->tile_col + i, f, ui, first + i);
}

/* In place of slots that cannot be read: why. */
static void draw_holes(struct canvas *c, const struct layout *l, const struct frame *f,
                       const struct cpu_snapshot *s)
{
    char text[TEXT_MAX];

    if (!s->on) {
        canvas_printf(c, l->tile_row + l->tile_rows / 2, l->tile_col, l->per_row, ROLE_WARN,
                      "CPU%u is %s: it has no mapcache", s->cpu,
                      machine_cpu_state_name(s->info.state));
        return;
    }
    if (s->chain.nr == 0)
        canvas_printf(c, l->tile_row + l->tile_rows / 2, l->tile_col, l->per_row, ROLE_WARN,
                      "root 0x%" PRIx64 " is outside RAM", s->info.root);
    for (unsigned int i = 0; i < s->chain.nr; i++) {
        const struct chain_entry *e = &s->chain.entry[i];
        int row = (e->level ? (unsigned int)e->page * PT_ENTRIES : 0) / l->per_row + 3;

        if (e->end == CHAIN_TABLE || row >= l->tile_rows)
            continue;
        slots_chain_text(&f->snap->machine, e, text, sizeof(text));
        canvas_printf(c, l->tile_row + row, l->tile_col, l->per_row, ROLE_WARN, "L%u[%u] %s",
                      e->level, e->index, text);
    }
}

void slots_draw_tile(struct canvas *c, const struct layout *l, const struct frame *f,
                     const struct ui *ui)
{
    const struct cpu_snapshot *s;
    int top = layout_top(l, ui->slot, frame_entries(f));

    if (!f->snap)
        return;
    s = &f->snap->cpu[ui->cpu];
    for (int i = 0; s->on && i < l->tile_rows; i++)
        draw_row(c, l, f, ui, l->tile_row + i, (top + i) * l->per_row);
    draw_holes(c, l, f, s);
}

void slots_chain_text(const struct machine *m, const struct chain_entry *e, char *buf, size_t size)
{
    unsigned int first = e->page > 0 ? (unsigned int)e->page * PT_ENTRIES : 0;
    unsigned int last = first + PT_ENTRIES - 1;

    if (last >= m->beacon.domheap_entries)
        last = m->beacon.domheap_entries - 1;
    if (e->end == CHAIN_INVALID)
        snprintf(buf, size, "-> nothing: invalid entry");
    else if (e->end == CHAIN_BLOCK)
        snprintf(buf, size, "-> nothing: a block, not a table");
    else if (e->end == CHAIN_OUTSIDE)
        snprintf(buf, size, "-> nothing: 0x%" PRIx64 " is outside RAM", e->next);
    else if (e->page < 0)
        snprintf(buf, size, "-> L1 at 0x%" PRIx64, e->next);
    else
        snprintf(buf, size, "-> L2 at 0x%" PRIx64 ", slots %u-%u", e->next, first, last);
}

bool slots_selected(const struct frame *f, const struct ui *ui, struct slot_info *info)
{
    const struct cpu_snapshot *s;

    if (!f->snap)
        return false;
    s = &f->snap->cpu[ui->cpu];
    if (!s->on || s->state[ui->slot] == SLOT_UNREAD)
        return false;
    *info = cpu_slot(&f->snap->machine, s, ui->slot);
    return true;
}

void slots_missing_text(const struct frame *f, const struct ui *ui, char *buf, size_t size)
{
    const struct cpu_snapshot *s = f->snap ? &f->snap->cpu[ui->cpu] : NULL;

    buf[0] = '\0';
    if (!s)
        snprintf(buf, size, "slot %u: no snapshot", ui->slot);
    else if (!s->on)
        snprintf(buf, size, "slot %u: CPU%u is %s", ui->slot, ui->cpu,
                 machine_cpu_state_name(s->info.state));
    else if (s->state[ui->slot] == SLOT_UNREAD)
        snprintf(buf, size, "slot %u: the tables above it lead nowhere", ui->slot);
}

void slots_totals_text(const struct frame *f, unsigned int cpu, const char *gap, char *buf,
                       size_t size)
{
    const struct cpu_snapshot *s = &f->snap->cpu[cpu];

    snprintf(buf, size, "%u free%s%u cached%s%u in-use%s%u saturated%s%u broken%s%u refs%s%s",
             s->counts[SLOT_FREE], gap, s->counts[SLOT_CACHED], gap, s->counts[SLOT_IN_USE], gap,
             s->counts[SLOT_SATURATED], gap, s->counts[SLOT_BROKEN], gap, s->refs,
             s->consistent ? "" : gap, s->consistent ? "" : "(changing)");
}

static void draw_legend_line(struct canvas *c, int row, unsigned int state, unsigned int refs,
                             const char *text)
{
    canvas_put(c, row, LEGEND_COL, cell_role(state, refs), cell_glyph(state, refs));
    canvas_text(c, row, LEGEND_COL + 2, 8, ROLE_DIM, text);
}

static void draw_legend(struct canvas *c)
{
    static const struct {
        unsigned int refs;
        const char *text;
    } ramp[] = {{1, "1 ref"}, {2, "2 refs"}, {3, "3"}, {4, "4-7"}, {8, "8-B hex"}, {12, "C-E"}};
    int row = 2;

    canvas_text(c, row++, LEGEND_COL, 10, ROLE_STRONG, "slots");
    draw_legend_line(c, row++, SLOT_FREE, 0, "free");
    draw_legend_line(c, row++, SLOT_CACHED, 0, "cached");
    for (unsigned int i = 0; i < sizeof(ramp) / sizeof(ramp[0]); i++)
        draw_legend_line(c, row++, SLOT_IN_USE, ramp[i].refs, ramp[i].text);
    draw_legend_line(c, row++, SLOT_SATURATED, PTE_REFS_MAX, "15: full");
    draw_legend_line(c, row++, SLOT_BROKEN, 0, "broken");
    row++;
    canvas_put(c, row, LEGEND_COL, ROLE_CHANGED, '1');
    canvas_text(c, row++, LEGEND_COL + 2, 8, ROLE_DIM, "changed");
    canvas_put(c, row, LEGEND_COL, ROLE_CURSOR, '1');
    canvas_text(c, row, LEGEND_COL + 2, 8, ROLE_DIM, "selected");
}

static void draw_was(struct canvas *c, int row, int col, const struct frame *f, const struct ui *ui)
{
    if (marks_slot(f->marks, ui->cpu, ui->slot))
        canvas_printf(c, row, col, c->cols - col, ROLE_CHANGED, "was 0x%016" PRIx64,
                      f->marks->cpu[ui->cpu].was[ui->slot]);
}

/* Three lines: where and what; the entry; its bits. */
static void draw_detail(struct canvas *c, int row, const struct frame *f, const struct ui *ui)
{
    struct slot_info i;
    char text[TEXT_MAX];
    int at;

    if (!slots_selected(f, ui, &i)) {
        slots_missing_text(f, ui, text, sizeof(text));
        canvas_text(c, row, 0, c->cols, ROLE_STRONG, text);
        return;
    }
    at = canvas_printf(c, row, 0, c->cols, ROLE_LABEL_HERE, "slot %u", i.slot);
    canvas_text(c, row, at + 2, 9, ROLE_STRONG, slot_state_name(i.state));
    at += 2 + 9;
    at += canvas_printf(c, row, at, c->cols - at, ROLE_TEXT, "  va 0x%" PRIx64 "-0x%" PRIx64, i.va,
                        i.va + SLOT_SIZE - 1);
    if (i.block)
        canvas_printf(c, row, at, c->cols - at, ROLE_TEXT, "  mfn 0x%" PRIx64 "-0x%" PRIx64, i.mfn,
                      i.mfn + SLOT_MFN_MASK);
    at = canvas_printf(c, row + 1, 0, c->cols, ROLE_TEXT, "pte 0x%016" PRIx64 "  refs %u", i.pte,
                       i.refs);
    if (i.block && i.has_home)
        at += canvas_printf(c, row + 1, at, c->cols - at, ROLE_TEXT, "  home %u  probe %u", i.home,
                            i.probe);
    draw_was(c, row + 1, at + 2, f, ui);
    pte_line(i.pte, 2, text, sizeof(text));
    at = canvas_text(c, row + 2, 0, c->cols, ROLE_DIM, text);
    canvas_text(c, row + 2, at + 2, c->cols - at - 2, ROLE_WARN, i.fault);
}

/* Of a halted CPU where it stands, and then only the counts that say something. */
static void draw_totals(struct canvas *c, int row, const struct frame *f, unsigned int cpu)
{
    const unsigned int *n = f->snap->cpu[cpu].counts;
    char text[TEXT_MAX], at[TEXT_MAX];
    int used;

    chrome_place_text(f, cpu, at, sizeof(at));
    if (!at[0]) {
        slots_totals_text(f, cpu, "  ", text, sizeof(text));
        canvas_printf(c, row, 0, c->cols, ROLE_TEXT, "CPU%u  %s", cpu, text);
        return;
    }
    used = canvas_printf(c, row, 0, c->cols, ROLE_WARN, "at %s  ", at);
    used += canvas_printf(c, row, used, c->cols - used, ROLE_TEXT,
                          "%u free %u cached %u in-use %u refs", n[SLOT_FREE], n[SLOT_CACHED],
                          n[SLOT_IN_USE], f->snap->cpu[cpu].refs);
    if (n[SLOT_SATURATED])
        used += canvas_printf(c, row, used, c->cols - used, ROLE_TEXT, " %u saturated",
                              n[SLOT_SATURATED]);
    if (n[SLOT_BROKEN])
        canvas_printf(c, row, used, c->cols - used, ROLE_BROKEN, " %u broken", n[SLOT_BROKEN]);
}

static void draw_single(struct canvas *c, const struct layout *l, const struct frame *f,
                        const struct ui *ui)
{
    chrome_draw_tabs(c, 1, f, ui);
    slots_draw_tile(c, l, f, ui);
    draw_legend(c);
    draw_detail(c, DETAIL_ROW, f, ui);
    if (f->snap && f->snap->cpu[ui->cpu].on)
        draw_totals(c, DETAIL_ROW + 3, f, ui->cpu);
    chrome_draw_message(c, DETAIL_ROW + 4, 0, c->cols, f, ui);
    panes_draw_events(c, f, DETAIL_ROW + 5, 0, l->rows - 1 - (DETAIL_ROW + 5), c->cols);
}

/* The selected slot in as few words as possible; it begins with what matters most. */
static void draw_brief(struct canvas *c, int row, int col, const struct frame *f,
                       const struct ui *ui)
{
    struct slot_info i;
    char text[TEXT_MAX];

    if (ui_top_is(ui, LAYER_GOTO) || ui_top_is(ui, LAYER_PROMPT) || ui->notice[0] || !f->snap) {
        chrome_draw_message(c, row, col, c->cols - col, f, ui);
        return;
    }
    if (!slots_selected(f, ui, &i))
        slots_missing_text(f, ui, text, sizeof(text));
    else if (i.block)
        snprintf(text, sizeof(text), "%u %s %u mfn 0x%" PRIx64 " home %u pte 0x%" PRIx64, i.slot,
                 slot_state_name(i.state), i.refs, i.mfn, i.home, i.pte);
    else
        snprintf(text, sizeof(text), "%u %s pte 0x%" PRIx64, i.slot, slot_state_name(i.state),
                 i.pte);
    canvas_text(c, row, col, c->cols - col, ROLE_STRONG, text);
}

static void draw_line(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    char state[NOTE_MAX + 32];
    int at;

    chrome_state_text(f, state, sizeof(state));
    at = canvas_text(c, 0, 0, c->cols, chrome_state_role(f->word), state);
    at += canvas_printf(c, 0, at, c->cols - at, ROLE_TEXT, " CPU%u ", ui->cpu);
    draw_brief(c, 0, at, f, ui);
}

void slots_draw(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    struct layout l = layout_of(c->rows, c->cols);

    switch (l.kind) {
    case LAYOUT_LINE:
        draw_line(c, f, ui);
        break;
    case LAYOUT_SMALL:
        slots_draw_tile(c, &l, f, ui);
        draw_brief(c, l.rows - 1, 0, f, ui);
        break;
    case LAYOUT_SINGLE:
        draw_single(c, &l, f, ui);
        break;
    case LAYOUT_DASHBOARD:
        panes_draw_dashboard(c, &l, f, ui);
        break;
    }
}
