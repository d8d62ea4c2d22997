/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/panes.h"

#include "model/lookup.h"
#include "model/profile.h"
#include "model/pte_text.h"
#include "view/cells.h"
#include "view/chrome.h"
#include "view/pages.h"
#include "view/slots.h"

#include <inttypes.h>

#define LEFT_COLS     72
#define RIGHT_COL     73
#define FOCUS_ROW     1
#define FOCUS_ROWS    19
#define MAPS_ROW      20
#define MAP_ROWS      9 /* a title and 1024 slots, two rows of 64 a line */
#define MAP_LINES     8
#define DETAIL_ROW    1
#define DETAIL_ROWS   10
#define TABLES_ROW    11
#define TABLES_ROWS   12
#define TOTALS_ROW    23
#define TOTALS_ROWS   11
#define EVENTS_ROW    34
#define PLACE_COL     56 /* in a line of totals: behind the references */
#define NEIGHBOURS    5
#define TEXT_MAX      256
#define NS_PER_SECOND 1e9

/* A line of a pane: a dim name and its value. */
static int put_field(struct canvas *c, int row, int col, int width, const char *name,
                     const char *value)
{
    canvas_text(c, row, col, 7, ROLE_DIM, name);
    return canvas_text(c, row, col + 7, width - 7, ROLE_TEXT, value);
}

static void draw_legend(struct canvas *c, int row, int col)
{
    static const unsigned int counts[] = {1, 2, 3, 4, 8, 12};
    int at = col + canvas_text(c, row, col, 20, ROLE_DIM, "\xc2\xb7 free  o cached  ");

    for (unsigned int i = 0; i < sizeof(counts) / sizeof(counts[0]); i++, at += 2)
        canvas_put(c, row, at, cell_role(SLOT_IN_USE, counts[i]),
                   cell_glyph(SLOT_IN_USE, counts[i]));
    at += canvas_text(c, row, at, 12, ROLE_DIM, "references  ");
    canvas_put(c, row, at, ROLE_SATURATED, 'F');
    at += 1 + canvas_text(c, row, at + 1, 8, ROLE_DIM, " full  ");
    canvas_put(c, row, at, ROLE_BROKEN, '!');
    at += 1 + canvas_text(c, row, at + 1, 9, ROLE_DIM, " broken  ");
    canvas_put(c, row, at, ROLE_CHANGED, '1');
    canvas_text(c, row, at + 1, 8, ROLE_DIM, " changed");
}

static void draw_focus(struct canvas *c, const struct layout *l, const struct frame *f,
                       const struct ui *ui)
{
    char totals[TEXT_MAX] = "", title[TEXT_MAX + 16];
    int bottom = FOCUS_ROW + FOCUS_ROWS - 1;

    if (f->snap && f->snap->cpu[ui->cpu].on)
        slots_totals_text(f, ui->cpu, " ", totals, sizeof(totals));
    snprintf(title, sizeof(title), "CPU%u%s%s", ui->cpu, totals[0] ? "  " : "", totals);
    canvas_box(c, FOCUS_ROW, 0, FOCUS_ROWS, LEFT_COLS, ROLE_BORDER_FOCUS, title);
    slots_draw_tile(c, l, f, ui);
    draw_legend(c, bottom - 1, 2);
    canvas_fill(c, bottom, 2, LEFT_COLS - 4, ROLE_TEXT, ' ');
    chrome_draw_message(c, bottom, 3, LEFT_COLS - 6, f, ui);
}

static void draw_map(struct canvas *c, int row, const struct frame *f, unsigned int cpu)
{
    const struct cpu_snapshot *s = &f->snap->cpu[cpu];
    unsigned int marked = marks_count(f->marks, cpu);
    char title[TEXT_MAX], changed[32] = "";

    if (marked)
        snprintf(changed, sizeof(changed), "  %u changed", marked);
    if (s->on)
        snprintf(title, sizeof(title), " CPU%u  %u free  %u cached  %u in-use  %u saturated%s%s ",
                 cpu, s->counts[SLOT_FREE], s->counts[SLOT_CACHED], s->counts[SLOT_IN_USE],
                 s->counts[SLOT_SATURATED], s->counts[SLOT_BROKEN] ? "  BROKEN" : "", changed);
    else
        snprintf(title, sizeof(title), " CPU%u  %s ", cpu, machine_cpu_state_name(s->info.state));
    canvas_fill(c, row, 0, LEFT_COLS, ROLE_BORDER, 0x2500);
    canvas_text(c, row, 2, LEFT_COLS - 4, ROLE_STRONG, title);
    for (int y = 0; s->on && y < MAP_LINES; y++) {
        unsigned int first = y * 2 * TILE_COLS;

        canvas_printf(c, row + 1 + y, 2, 4, ROLE_LABEL, "%4u", first);
        for (int x = 0; x < TILE_COLS; x++)
            cells_put_pair(c, row + 1 + y, 2 + LABEL_COLS + x, f, cpu, first + x,
                           first + TILE_COLS + x, 1);
    }
}

/* The CPUs that follow the one in focus; all of them if there are four. */
static void draw_maps(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    unsigned int n = frame_ncpu(f), fit = (c->rows - 1 - MAPS_ROW) / MAP_ROWS, shown = 0;

    for (unsigned int i = 0; f->snap && i < n && shown < fit; i++) {
        unsigned int cpu = n <= fit + 1 ? i : (ui->cpu + 1 + i) % n;

        if (cpu != ui->cpu)
            draw_map(c, MAPS_ROW + MAP_ROWS * shown++, f, cpu);
    }
    if (n > fit + 1)
        canvas_printf(c, MAPS_ROW, LEFT_COLS - 22, 20, ROLE_WARN, " o: all %u CPUs ", n);
}

/* Where else the frames of this slot are mapped: duplicates, other CPUs. */
static void same_frame_text(const struct frame *f, const struct ui *ui, const struct slot_info *i,
                            char *buf, size_t size)
{
    size_t len = 0;

    buf[0] = '\0';
    for (unsigned int cpu = 0; cpu < f->snap->ncpu; cpu++) {
        const struct cpu_snapshot *s = &f->snap->cpu[cpu];

        for (unsigned int slot = 0; s->on && slot < frame_entries(f) && len < size; slot++) {
            struct slot_info other;

            if ((s->pte[slot] ^ i->pte) & PTE_ADDR_MASK & ~(SLOT_SIZE - 1))
                continue; /* thousands are asked: most are told by this */
            if ((cpu == ui->cpu && slot == ui->slot) || !slot_maps(s, slot, i->mfn))
                continue;
            other = cpu_slot(&f->snap->machine, s, slot);
            len += snprintf(buf + len, size - len, "%sCPU%u slot %u (%u)", len ? ", " : "", cpu,
                            slot, other.refs);
        }
    }
    if (!len)
        snprintf(buf, size, "no other slot");
}

static void draw_block_fields(struct canvas *c, const struct frame *f, const struct ui *ui,
                              const struct slot_info *i, int row, int col, int width)
{
    char text[TEXT_MAX];

    snprintf(text, sizeof(text), "0x%" PRIx64 " - 0x%" PRIx64, i->mfn, i->mfn + SLOT_MFN_MASK);
    put_field(c, row, col, width, "mfn", text);
    snprintf(text, sizeof(text), "0x%" PRIx64 " - 0x%" PRIx64, i->pa, i->pa + SLOT_SIZE - 1);
    put_field(c, row, col + 42, width - 42, "pa", text);
    if (i->has_home)
        snprintf(text, sizeof(text), "slot %u = (mfn >> 9) %% %u; probe %u", i->home,
                 frame_entries(f), i->probe);
    else
        snprintf(text, sizeof(text), "does not follow from the frame with this engine");
    put_field(c, row + 1, col, width, "home", text);
    same_frame_text(f, ui, i, text, sizeof(text));
    put_field(c, row + 2, col, width, "also", text);
}

static void draw_detail(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    int col = RIGHT_COL + 2, width = c->cols - RIGHT_COL - 4, row = DETAIL_ROW + 1, used;
    struct slot_info i;
    char text[TEXT_MAX];

    snprintf(text, sizeof(text), "slot %u of CPU%u", ui->slot, ui->cpu);
    canvas_box(c, DETAIL_ROW, RIGHT_COL, DETAIL_ROWS, c->cols - RIGHT_COL, ROLE_BORDER, text);
    if (!slots_selected(f, ui, &i)) {
        slots_missing_text(f, ui, text, sizeof(text));
        canvas_text(c, row, col, width, ROLE_WARN, text);
        return;
    }
    snprintf(text, sizeof(text), "%s, %u %s%s%s", slot_state_name(i.state), i.refs,
             i.refs == 1 ? "reference" : "references", i.state == SLOT_BROKEN ? ": " : "", i.fault);
    put_field(c, row, col, width, "state", text);
    snprintf(text, sizeof(text), "0x%" PRIx64 " - 0x%" PRIx64, i.va, i.va + SLOT_SIZE - 1);
    put_field(c, row + 1, col, width, "va", text);
    if (i.block)
        draw_block_fields(c, f, ui, &i, row + 2, col, width);
    snprintf(text, sizeof(text), "0x%016" PRIx64, i.pte);
    used = put_field(c, row + 5, col, width, "pte", text);
    if (marks_slot(f->marks, ui->cpu, ui->slot))
        canvas_printf(c, row + 5, col + 7 + used + 3, width, ROLE_CHANGED, "was 0x%016" PRIx64,
                      f->marks->cpu[ui->cpu].was[ui->slot]);
    pte_line(i.pte, 2, text, sizeof(text));
    put_field(c, row + 6, col, width, "", text);
    holders_text(f, ui->cpu, ui->slot, i.refs, text, sizeof(text));
    put_field(c, row + 7, col, width, "held", text[0] ? text : "by nobody; Enter: bit by bit");
}

static void draw_neighbour(struct canvas *c, int row, int col, int width, const struct frame *f,
                           const struct ui *ui, unsigned int slot)
{
    const struct cpu_snapshot *s = &f->snap->cpu[ui->cpu];
    enum role role = slot == ui->slot ? ROLE_LABEL_HERE : ROLE_TEXT;
    struct slot_info i;
    int at;

    if (s->state[slot] == SLOT_UNREAD)
        return;
    i = cpu_slot(&f->snap->machine, s, slot);
    at = col + canvas_printf(c, row, col, width, role, "%s L2 slot %-4u  0x%016" PRIx64 "  %-9s",
                             slot == ui->slot ? "\xe2\x96\xb8" : " ", slot, i.pte,
                             slot_state_name(i.state));
    if (i.block)
        canvas_printf(c, row, at, width, role, " %2u  mfn 0x%-9" PRIx64 " home %4u +%u", i.refs,
                      i.mfn, i.home, i.probe);
    if (marks_slot(f->marks, ui->cpu, slot))
        canvas_put(c, row, col + 1, ROLE_CHANGED, '*');
}

static void draw_neighbours(struct canvas *c, int row, int col, int width, const struct frame *f,
                            const struct ui *ui)
{
    unsigned int n = frame_entries(f),
                 first = ui->slot < NEIGHBOURS / 2 ? 0 : ui->slot - NEIGHBOURS / 2;

    if (first + NEIGHBOURS > n)
        first = n > NEIGHBOURS ? n - NEIGHBOURS : 0;
    for (unsigned int i = 0; i < NEIGHBOURS && first + i < n; i++)
        draw_neighbour(c, row + i, col, width, f, ui, first + i);
}

static void draw_tables(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    int col = RIGHT_COL + 2, width = c->cols - RIGHT_COL - 4, row = TABLES_ROW + 1;
    const struct cpu_snapshot *s = f->snap ? &f->snap->cpu[ui->cpu] : NULL;
    char text[TEXT_MAX];

    canvas_box(c, TABLES_ROW, RIGHT_COL, TABLES_ROWS, c->cols - RIGHT_COL, ROLE_BORDER,
               "tables above it");
    if (!s || !s->on)
        return;
    canvas_printf(c, row++, col, width, ROLE_TEXT, "  root of CPU%u (%s) 0x%" PRIx64, ui->cpu,
                  f->snap->machine.beacon.root_level ? "HTTBR" : "TTBR0_EL2", s->info.root);
    for (unsigned int i = 0; i < s->chain.nr; i++) {
        const struct chain_entry *e = &s->chain.entry[i];
        bool here = e->page < 0 || e->page == (int)(ui->slot / PT_ENTRIES);

        slots_chain_text(&f->snap->machine, e, text, sizeof(text));
        canvas_printf(c, row++, col, width, here ? ROLE_STRONG : ROLE_DIM,
                      "%s L%u[%u]%*s0x%-16" PRIx64 "  %s", here ? "\xe2\x96\xb8" : " ", e->level,
                      e->index,
                      e->index > 99  ? 6
                      : e->index > 9 ? 7
                                     : 8,
                      "", e->pte, text);
    }
    draw_neighbours(c, TABLES_ROW + 6, col, width, f, ui);
}

static void draw_total(struct canvas *c, int row, int col, int width, const struct frame *f,
                       const struct ui *ui, unsigned int cpu)
{
    const struct cpu_snapshot *s = &f->snap->cpu[cpu];
    const struct marks_cpu *m = &f->marks->cpu[cpu];
    enum role role = cpu == ui->cpu ? ROLE_LABEL_HERE : ROLE_TEXT;
    char at[TEXT_MAX], rate[24] = "-";

    if (!s->on) {
        canvas_printf(c, row, col, width, role, "CPU%-3u %s", cpu,
                      machine_cpu_state_name(s->info.state));
        return;
    }
    if (machine_counts(&f->snap->machine))
        snprintf(rate, sizeof(rate), "%" PRIu64, m->rate);
    canvas_printf(c, row, col, width, role, "CPU%-3u %5u %7u %7u %10u %7u %6u %9s %8u%s", cpu,
                  s->counts[SLOT_FREE], s->counts[SLOT_CACHED], s->counts[SLOT_IN_USE],
                  s->counts[SLOT_SATURATED], s->counts[SLOT_BROKEN], s->refs, rate,
                  marks_count(f->marks, cpu), s->consistent ? "" : " ~");
    if (!f->places)
        return;
    chrome_place_text(f, cpu, at, sizeof(at)); /* of a halted one there is no rate */
    canvas_fill(c, row, col + PLACE_COL, width - PLACE_COL, role, ' ');
    canvas_text(c, row, col + PLACE_COL, width - PLACE_COL, role, at);
}

static void draw_totals(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    int col = RIGHT_COL + 2, width = c->cols - RIGHT_COL - 4, lines = TOTALS_ROWS - 3;
    unsigned int n = frame_ncpu(f), first = 0;

    canvas_box(c, TOTALS_ROW, RIGHT_COL, TOTALS_ROWS, c->cols - RIGHT_COL, ROLE_BORDER, "totals");
    canvas_text(c, TOTALS_ROW + 1, col, width, ROLE_DIM,
                "         free  cached  in-use  saturated  broken   refs  ops/s     changed");
    if (f->places)
        canvas_text(c, TOTALS_ROW + 1, col + PLACE_COL, width - PLACE_COL, ROLE_DIM,
                    "stands at           ");
    if (n > (unsigned int)lines && ui->cpu >= (unsigned int)lines)
        first = ui->cpu - lines + 1;
    for (int i = 0; f->snap && i < lines && first + i < n; i++)
        draw_total(c, TOTALS_ROW + 2 + i, col, width, f, ui, first + i);
    if (f->snap && n < (unsigned int)lines)
        stats_draw_rates(c, TOTALS_ROW + 2 + n, lines - n, col, width, f->series,
                         machine_counts(&f->snap->machine));
}

void panes_draw_events(struct canvas *c, const struct frame *f, int row, int col, int rows,
                       int cols)
{
    unsigned int n = f->events ? f->events->nr : 0, shown;

    if (rows < 1 || !f->snap)
        return;
    shown = n < (unsigned int)rows ? n : (unsigned int)rows;
    for (unsigned int i = 0; i < shown; i++)
        event_draw(c, row + i, col, cols, f, event_at(f->events, n - shown + i), false);
}

static void draw_events(struct canvas *c, const struct frame *f)
{
    int rows = c->rows - 1 - EVENTS_ROW, cols = c->cols - RIGHT_COL;
    char title[TEXT_MAX] = "events";

    if (f->snap && f->events && !f->events->nr && f->snap->machine.beacon.trace_mode == TRACE_OFF)
        snprintf(title, sizeof(title), "events: the image runs with trace=off");
    else if (f->events)
        snprintf(title, sizeof(title), "events  %" PRIu64 " since attach, %" PRIu64 " lost",
                 f->events->produced, f->events->lost);
    canvas_box(c, EVENTS_ROW, RIGHT_COL, rows, cols, ROLE_BORDER, title);
    panes_draw_events(c, f, EVENTS_ROW + 1, RIGHT_COL + 2, rows - 2, cols - 4);
}

void panes_draw_dashboard(struct canvas *c, const struct layout *l, const struct frame *f,
                          const struct ui *ui)
{
    draw_focus(c, l, f, ui);
    draw_maps(c, f, ui);
    draw_detail(c, f, ui);
    draw_tables(c, f, ui);
    draw_totals(c, f, ui);
    draw_events(c, f);
}
