/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/overview.h"

#include "view/cells.h"
#include "view/chrome.h"

#define FIRST_ROW           2
#define LABEL_COLS_OVERVIEW 14
#define MAP_COLS            64
#define HEIGHT_MAX          8  /* two rows of 64 slots a line: each slot has its picture element */
#define BAR_COLS            20 /* one CPU where there is room for a bar only */
#define BAR_WIDTH           8

/* Rows and columns of one CPU, and how many there are side by side. */
struct tiling {
    int height;
    int columns;
    int rows; /* for CPUs */
    unsigned int first;
};

static struct tiling tile(const struct frame *f, const struct ui *ui, int rows, int cols)
{
    int below = rows < SINGLE_ROWS || cols < SINGLE_COLS ? 1 : 2; /* message and key bar */
    int room = rows - FIRST_ROW - below > 1 ? rows - FIRST_ROW - below : 1, n = frame_ncpu(f);
    struct tiling t = {.height = 1, .columns = 1, .rows = room};
    bool maps = cols >= LABEL_COLS_OVERVIEW + MAP_COLS;
    unsigned int fit;

    while (maps && t.height < HEIGHT_MAX && n * t.height * 2 <= room)
        t.height *= 2;
    if (!maps || n > room)
        t.columns = cols / BAR_COLS > 0 ? cols / BAR_COLS : 1;
    fit = room / t.height * t.columns;
    if (ui->cpu >= fit)
        t.first = ui->cpu - fit + 1;
    return t;
}

static bool tiling_has_maps(const struct tiling *t, int cols)
{
    return t->columns == 1 && cols >= LABEL_COLS_OVERVIEW + MAP_COLS;
}

static void draw_map(struct canvas *c, int row, const struct frame *f, unsigned int cpu, int height)
{
    unsigned int nr = SLOTS_MAX / (MAP_COLS * 2 * height);

    for (int y = 0; y < height; y++) {
        for (int x = 0; x < MAP_COLS; x++)
            cells_put_pair(c, row + y, LABEL_COLS_OVERVIEW + x, f, cpu, (y * 2 * MAP_COLS + x) * nr,
                           ((y * 2 + 1) * MAP_COLS + x) * nr, nr);
    }
}

static unsigned int held(const struct cpu_snapshot *c)
{
    return c->counts[SLOT_IN_USE] + c->counts[SLOT_SATURATED];
}

static void draw_cpu_map(struct canvas *c, int row, const struct frame *f, unsigned int cpu,
                         bool here, int height)
{
    const struct cpu_snapshot *s = &f->snap->cpu[cpu];

    canvas_printf(c, row, 0, LABEL_COLS_OVERVIEW, here ? ROLE_LABEL_HERE : ROLE_TEXT, "%cCPU%-2u",
                  here ? '>' : ' ', cpu);
    if (!s->on) {
        canvas_text(c, row, 8, 8, ROLE_DIM, machine_cpu_state_name(s->info.state));
        return;
    }
    canvas_printf(c, row, 7, 6, here ? ROLE_LABEL_HERE : ROLE_TEXT, "%5u", held(s));
    if (height > 1)
        canvas_printf(c, row + 1, 1, 12, ROLE_DIM, "cached%5u", s->counts[SLOT_CACHED]);
    draw_map(c, row, f, cpu, height);
}

/* Held and cached as a share of all slots; a bar's last cell is shown from 1 slot on. */
static void draw_cpu_bar(struct canvas *c, int row, int col, const struct frame *f,
                         unsigned int cpu, bool here)
{
    const struct cpu_snapshot *s = &f->snap->cpu[cpu];
    unsigned int entries = frame_entries(f), used = held(s);
    unsigned int valid = used + s->counts[SLOT_CACHED];
    int at = col + canvas_printf(c, row, col, BAR_COLS, here ? ROLE_LABEL_HERE : ROLE_TEXT,
                                 "%c%2u%5u ", here ? '>' : ' ', cpu, used);

    if (!s->on) {
        canvas_text(c, row, at, BAR_WIDTH, ROLE_DIM, machine_cpu_state_name(s->info.state));
        return;
    }
    for (unsigned int i = 0; i < BAR_WIDTH; i++) {
        if (i * entries < used * BAR_WIDTH)
            canvas_put(c, row, at + i, ROLE_COUNT_2, '#');
        else if (i * entries < valid * BAR_WIDTH)
            canvas_put(c, row, at + i, ROLE_CACHED, 'o');
        else
            canvas_put(c, row, at + i, ROLE_FREE, GLYPH_FREE);
    }
    if (s->counts[SLOT_BROKEN])
        canvas_put(c, row, at + BAR_WIDTH, ROLE_BROKEN, '!');
    else if (marks_count(f->marks, cpu))
        canvas_put(c, row, at + BAR_WIDTH, ROLE_CHANGED, '*');
}

static void draw_head(struct canvas *c, const struct tiling *t)
{
    unsigned int nr = SLOTS_MAX / (MAP_COLS * t->height * (canvas_can_halves(c) ? 2 : 1));

    if (tiling_has_maps(t, c->cols))
        canvas_printf(c, 1, 0, c->cols, ROLE_DIM,
                      " cpu   in use   slots 0-1023, the most held of %u in one %s", nr,
                      canvas_can_halves(c) ? "half cell" : "cell");
    else
        canvas_text(c, 1, 0, c->cols, ROLE_DIM, "cpu, in use, # held o cached ! broken * changed");
}

void overview_draw(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    struct tiling t = tile(f, ui, c->rows, c->cols);

    draw_head(c, &t);
    for (unsigned int cpu = t.first; f->snap && cpu < f->snap->ncpu; cpu++) {
        int i = cpu - t.first, per_column = t.rows / t.height;
        int row = FIRST_ROW + i % per_column * t.height, column = i / per_column;

        if (column >= t.columns)
            break;
        if (tiling_has_maps(&t, c->cols))
            draw_cpu_map(c, row, f, cpu, cpu == ui->cpu, t.height);
        else
            draw_cpu_bar(c, row, column * BAR_COLS, f, cpu, cpu == ui->cpu);
    }
}

int overview_cpu_at(const struct frame *f, const struct ui *ui, const struct layout *l, int row,
                    int col)
{
    struct tiling t = tile(f, ui, l->rows, l->cols);
    int per_column = t.rows / t.height, cpu;
    bool maps = tiling_has_maps(&t, l->cols);

    if (row < FIRST_ROW || row >= FIRST_ROW + per_column * t.height)
        return -1;
    cpu = t.first + (row - FIRST_ROW) / t.height + (maps ? 0 : col / BAR_COLS * per_column);
    return cpu < (int)frame_ncpu(f) ? cpu : -1;
}
