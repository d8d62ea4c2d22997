/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stats: rates, their last minutes, how slots are spread, who maps most.
 */
#include "model/profile.h"
#include "model/stats.h"
#include "view/pages.h"

#include <inttypes.h>
#include <stdio.h>

#define NAME_COLS 24 /* of a rate: its name and its figure */
#define BAR_COLS  16
#define TOP_ROWS  8
#define HALF_COLS 80

enum rate { RATE_MAPS, RATE_HITS, RATE_IN_USE, RATE_PROBES, RATE_TAKEN, RATE_UNMAPS, RATES };

static double rate_of(const struct series_second *s, enum rate rate)
{
    double maps = s->maps ? (double)s->maps : 1;

    switch (rate) {
    case RATE_MAPS:
        return (double)s->maps;
    case RATE_UNMAPS:
        return (double)s->unmaps;
    case RATE_HITS:
        return 100.0 * (double)s->hits / maps;
    case RATE_PROBES:
        return (double)s->probes / maps;
    case RATE_TAKEN:
        return (double)s->commandeers;
    case RATE_IN_USE:
        return s->in_use;
    default:
        return 0;
    }
}

static const struct {
    const char *name;
    const char *format;
} rates[RATES] = {
    [RATE_MAPS] = {"maps/s", "%10.0f"},          [RATE_UNMAPS] = {"unmaps/s", "%10.0f"},
    [RATE_HITS] = {"hits", "%8.1f %%"},          [RATE_PROBES] = {"passed a map", "%10.2f"},
    [RATE_TAKEN] = {"commandeered/s", "%10.0f"}, [RATE_IN_USE] = {"slots in use", "%10.0f"},
};

/* The newest second at the right end; the tallest bar is the largest value shown. */
static void draw_spark(struct canvas *c, int row, int col, int width, const struct series *s,
                       enum rate rate)
{
    static const char ascii[] = " .:-=+*#@";
    unsigned int n = s->nr < (unsigned int)width ? s->nr : (unsigned int)width;
    double most = 0;

    for (unsigned int i = s->nr - n; i < s->nr; i++) {
        if (rate_of(&s->second[i], rate) > most)
            most = rate_of(&s->second[i], rate);
    }
    for (unsigned int i = 0; i < n; i++) {
        double value = rate_of(&s->second[s->nr - n + i], rate);
        unsigned int level = most > 0 ? (unsigned int)(value * 8 / most + 0.5) : 0;
        int at = col + width - (int)n + (int)i;

        if (level && c->ascii)
            canvas_put(c, row, at, ROLE_SPARK, (unsigned char)ascii[level]);
        else if (level)
            canvas_put(c, row, at, ROLE_SPARK, 0x2580 + level);
    }
}

/* A Xen counts nothing: what is known is how many slots are in use. */
int stats_draw_rates(struct canvas *c, int row, int rows, int col, int cols, const struct series *s,
                     bool counted)
{
    int used = 0;

    for (int i = 0; i < RATES && used < rows; i++) {
        if (!counted && i != RATE_IN_USE)
            continue;
        canvas_text(c, row + used, col, NAME_COLS, ROLE_DIM, rates[i].name);
        if (s && s->nr) {
            canvas_printf(c, row + used, col + 14, 11, ROLE_STRONG, rates[i].format,
                          rate_of(&s->second[s->nr - 1], (enum rate)i));
            draw_spark(c, row + used, col + NAME_COLS + 3, cols - NAME_COLS - 3, s, (enum rate)i);
        }
        used++;
    }
    return used;
}

static void draw_bar(struct canvas *c, int row, int col, unsigned int n, unsigned int most)
{
    unsigned int length = most ? (n * BAR_COLS + most - 1) / most : 0;

    for (unsigned int i = 0; i < length; i++)
        canvas_put(c, row, col + (int)i, ROLE_SPARK, 0x2588);
}

static unsigned int largest(const unsigned int *n, unsigned int nr)
{
    unsigned int most = 0;

    for (unsigned int i = 0; i < nr; i++)
        most = n[i] > most ? n[i] : most;
    return most;
}

/* Two histograms side by side; rows that are 0 at the end are left out. */
static int draw_spreads(struct canvas *c, int row, int rows, const struct frame *f,
                        const struct ui *ui)
{
    const struct cpu_snapshot *cpu = &f->snap->cpu[ui->cpu];
    struct slot_spread s;
    int used = 1;

    if (!cpu->on || rows < 3)
        return 0;
    spread_slots(&f->snap->machine, cpu, &s);
    canvas_printf(c, row, 1, 38, ROLE_STRONG, "CPU%u: slots by count", ui->cpu);
    canvas_text(c, row, 40, 38, ROLE_STRONG, "by distance from home");
    for (unsigned int i = 0; i < SPREAD_REFS && used < rows; i++, used++) {
        bool probe = i < SPREAD_PROBES;

        canvas_printf(c, row + used, 1, 14, ROLE_DIM, "%8u %5u", i, s.refs[i]);
        draw_bar(c, row + used, 17, s.refs[i], largest(s.refs, SPREAD_REFS));
        if (probe) {
            canvas_printf(c, row + used, 40, 16, ROLE_DIM, "%8s %5u", spread_probe_name(i),
                          s.probe[i]);
            draw_bar(c, row + used, 57, s.probe[i], largest(s.probe, SPREAD_PROBES));
        }
    }
    return used;
}

static int draw_callers(struct canvas *c, int row, int rows, int col, int cols,
                        const struct frame *f)
{
    const struct activity *a = f->activity;
    unsigned int top[TOP_ROWS], n;
    char where[96];

    if (!a || !machine_counts(&f->snap->machine) || rows < 2)
        return 0;
    canvas_printf(c, row, col + 1, cols, ROLE_STRONG, "top callers (%" PRIu64 " maps seen)",
                  a->maps);
    n = tally_top(&a->callers, TOP_ROWS, top);
    for (unsigned int i = 0; i < n && (int)i + 1 < rows; i++) {
        where_text(f, a->callers.row[top[i]].key, true, where, sizeof(where));
        canvas_printf(
            c, row + 1 + (int)i, col + 1, cols - 1, ROLE_TEXT, "%8" PRIu64 " %3.0f %%  %s",
            a->callers.row[top[i]].count,
            100.0 * (double)a->callers.row[top[i]].count / (a->maps ? (double)a->maps : 1), where);
    }
    return (int)n + 1 < rows ? (int)n + 1 : rows;
}

static int draw_frames(struct canvas *c, int row, int rows, int col, int cols,
                       const struct frame *f)
{
    const struct activity *a = f->activity;
    unsigned int top[TOP_ROWS], n;

    if (!a || !machine_counts(&f->snap->machine) || rows < 2)
        return 0;
    canvas_text(c, row, col + 1, cols, ROLE_STRONG, "hot frames (2 MiB each)");
    n = tally_top(&a->frames, TOP_ROWS, top);
    for (unsigned int i = 0; i < n && (int)i + 1 < rows; i++) {
        uint64_t mfn = a->frames.row[top[i]].key;

        canvas_printf(c, row + 1 + (int)i, col + 1, cols - 1, ROLE_TEXT,
                      "%8" PRIu64 " mfn 0x%-9" PRIx64 " home %u", a->frames.row[top[i]].count, mfn,
                      mapcache_home(_mfn(mfn), f->snap->machine.beacon.domheap_entries));
    }
    return (int)n + 1 < rows ? (int)n + 1 : rows;
}

void stats_draw(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    struct area a = page_area(c);
    int row = a.row, end = a.row + a.rows, wide = a.cols >= 2 * HALF_COLS;
    bool counted;

    counted = !f->snap || machine_counts(&f->snap->machine);
    page_heading(c, ui, "Stats", "all CPUs, the last %u s", f->series ? f->series->nr : 0);
    if (!f->snap)
        return;
    row += stats_draw_rates(c, row, end - row, 1, a.cols - 2, f->series, counted);
    if (row + 1 < end && a.rows > 12)
        row++;
    if (wide) {
        draw_spreads(c, row, end - row, f, ui);
        row += draw_callers(c, row, end - row, HALF_COLS, HALF_COLS - 1, f) + 1;
        draw_frames(c, row, end - row, HALF_COLS, HALF_COLS - 1, f);
        return;
    }
    row += draw_callers(c, row, end - row < 7 ? end - row : 5, 0, a.cols, f);
    if (a.cols >= SINGLE_COLS)
        draw_spreads(c, row, end - row, f, ui);
}
