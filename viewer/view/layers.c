/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/layers.h"

#include "model/pte_text.h"
#include "view/cells.h"
#include "view/slots.h"

#include <inttypes.h>
#include <string.h>

#define BOX_ROWS   22
#define HELP_ROWS  24
#define BOX_COLS   80
#define LEGEND_COL 61
#define TEXT_MAX   256

struct box {
    int row, col, rows, cols; /* inside */
};

/* An empty box in the middle, of so many rows, or as the screen lets it be. */
static struct box open_box_of(struct canvas *c, const char *title, int wanted)
{
    int rows = (int)c->rows < wanted ? (int)c->rows : wanted;
    int cols = (int)c->cols < BOX_COLS ? (int)c->cols : BOX_COLS;
    int row = ((int)c->rows - rows) / 2, col = ((int)c->cols - cols) / 2;

    if (rows < 3) {
        rows = c->rows;
        row = 0;
    }
    for (int r = 0; r < rows; r++)
        canvas_fill(c, row + r, col, cols, ROLE_TEXT, ' ');
    if (rows < 3)
        return (struct box){row, col, rows, cols};
    canvas_box(c, row, col, rows, cols, ROLE_BORDER_FOCUS, title);
    return (struct box){row + 1, col + 2, rows - 2, cols - 4};
}

/* The title and the key bar stay to be seen. */
static struct box open_box(struct canvas *c, const char *title)
{
    return open_box_of(c, title, (int)c->rows - 2 < BOX_ROWS ? (int)c->rows - 2 : BOX_ROWS);
}

static void draw_help_legend(struct canvas *c, const struct box *b)
{
    static const struct {
        unsigned int state, refs;
        const char *text;
    } rows[] = {
        {SLOT_FREE, 0, "free"},        {SLOT_CACHED, 0, "cached: valid"},
        {SLOT_FREE, 0, NULL},          {SLOT_IN_USE, 1, "1 reference"},
        {SLOT_IN_USE, 14, "14 (hex)"}, {SLOT_SATURATED, 15, "15: saturated"},
        {SLOT_BROKEN, 0, "broken"},
    };
    int row = b->row + 1;

    if (b->cols < BOX_COLS - 4)
        return;
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!rows[i].text) {
            canvas_text(c, row++, b->col + LEGEND_COL, 16, ROLE_DIM, "  no references");
            continue;
        }
        if (row - b->row >= b->rows)
            break;
        canvas_put(c, row, b->col + LEGEND_COL, cell_role(rows[i].state, rows[i].refs),
                   cell_glyph(rows[i].state, rows[i].refs));
        canvas_text(c, row++, b->col + LEGEND_COL + 2, 14, ROLE_TEXT, rows[i].text);
    }
    canvas_put(c, row, b->col + LEGEND_COL, ROLE_CHANGED, '1');
    canvas_text(c, row, b->col + LEGEND_COL + 2, 14, ROLE_TEXT, "changed");
}

static void draw_help(struct canvas *c)
{
    struct box b = open_box_of(c, "keys", HELP_ROWS);
    int row = 0;

    for (int i = 0; i < KEY_ROWS && row < b.rows; i++) {
        const struct key_row *key = &key_rows()[i];
        char name[KEY_TEXT_MAX], help[TEXT_MAX];

        if (!key->name[0])
            continue;
        key_group_name(key, name);
        key_group_help(key, help, sizeof(help));
        canvas_text(c, b.row + row, b.col, 7, ROLE_KEY, name);
        canvas_text(c, b.row + row, b.col + 8, b.cols - 8, ROLE_TEXT, help);
        row++;
    }
    draw_help_legend(c, &b);
}

static void field_value(const struct pte_field *field, char *buf, size_t size)
{
    if (field->hi - field->lo > 8)
        snprintf(buf, size, "0x%" PRIx64, field->value);
    else
        snprintf(buf, size, "%" PRIu64, field->value);
}

/* Fields that are 0 and say nothing give way if there is not enough room. */
static void draw_fields(struct canvas *c, const struct box *b, int row, lpae_t pte)
{
    struct pte_field field[PTE_FIELDS_MAX];
    int nr = pte_fields(pte, 2, field), spare = b->rows - row - nr;

    for (int i = 0; i < nr && row < b->rows; i++) {
        char bits[16], value[24];

        if (spare < 0 && !field[i].value && !field[i].brief[0]) {
            spare++;
            continue;
        }
        if (field[i].hi == field[i].lo)
            snprintf(bits, sizeof(bits), "[%u]", field[i].lo);
        else
            snprintf(bits, sizeof(bits), "[%u:%u]", field[i].hi, field[i].lo);
        field_value(&field[i], value, sizeof(value));
        canvas_printf(c, b->row + row, b->col, b->cols, ROLE_DIM, "%7s", bits);
        canvas_printf(c, b->row + row, b->col + 8, b->cols - 8, ROLE_STRONG, "%14s", value);
        canvas_text(c, b->row + row, b->col + 24, b->cols - 24, ROLE_TEXT, field[i].text);
        row++;
    }
}

static void draw_detail(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    struct slot_info i;
    char text[TEXT_MAX];
    struct box b;

    snprintf(text, sizeof(text), "slot %u of CPU%u", ui->slot, ui->cpu);
    b = open_box(c, text);
    if (!slots_selected(f, ui, &i)) {
        slots_missing_text(f, ui, text, sizeof(text));
        canvas_text(c, b.row, b.col, b.cols, ROLE_WARN, text);
        return;
    }
    canvas_printf(c, b.row, b.col, b.cols, ROLE_STRONG, "%s, refs %u   va 0x%" PRIx64 "-0x%" PRIx64,
                  slot_state_name(i.state), i.refs, i.va, i.va + SLOT_SIZE - 1);
    canvas_text(c, b.row + 1, b.col, b.cols, ROLE_WARN, i.fault);
    text[0] = '\0';
    if (i.has_home)
        snprintf(text, sizeof(text), "   home %u   probe %u", i.home, i.probe);
    if (i.state != SLOT_BROKEN && i.block)
        canvas_printf(c, b.row + 1, b.col, b.cols, ROLE_TEXT,
                      "mfn 0x%" PRIx64 "   pa 0x%" PRIx64 "-0x%" PRIx64 "%s", i.mfn, i.pa,
                      i.pa + SLOT_SIZE - 1, text);
    canvas_printf(c, b.row + 2, b.col, b.cols, ROLE_TEXT, "pte 0x%016" PRIx64, i.pte);
    if (marks_slot(f->marks, ui->cpu, ui->slot))
        canvas_printf(c, b.row + 2, b.col + 26, b.cols - 26, ROLE_CHANGED, "was 0x%016" PRIx64,
                      f->marks->cpu[ui->cpu].was[ui->slot]);
    draw_fields(c, &b, 3, i.pte);
}

/* What a command printed; lines that are too long are cut. */
static void draw_text(struct canvas *c, const struct ui *ui)
{
    int rows = (int)c->rows > 4 ? (int)c->rows - 2 : (int)c->rows, row = 0;
    const char *line = ui->text ? ui->text : "";
    char title[LINE_MAX_CHARS + 32];
    unsigned int n = 0;

    for (int r = 0; r < rows; r++)
        canvas_fill(c, r + 1, 0, c->cols, ROLE_TEXT, ' ');
    snprintf(title, sizeof(title), ":%s  (Esc closes, arrows scroll)", ui->line);
    canvas_fill(c, 1, 0, c->cols, ROLE_TAB_FOCUS, ' ');
    canvas_text(c, 1, 1, (int)c->cols - 1, ROLE_TAB_FOCUS, title);
    for (; *line; n++) {
        size_t len = strcspn(line, "\n");
        char copy[TEXT_MAX];

        if (n >= ui->text_top && row < rows - 2) {
            snprintf(copy, sizeof(copy), "%.*s", (int)len, line);
            canvas_text(c, 2 + row++, 0, c->cols, ROLE_TEXT, copy);
        }
        line += len + (line[len] == '\n');
    }
}

void layers_draw(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    for (unsigned int i = 0; i < ui->nr_layers; i++) {
        if (ui->layer[i] == LAYER_HELP)
            draw_help(c);
        else if (ui->layer[i] == LAYER_DETAIL)
            draw_detail(c, f, ui);
        else if (ui->layer[i] == LAYER_TEXT)
            draw_text(c, ui);
    }
    if (ui->nr_layers && !ui_top_is(ui, LAYER_GOTO) && !ui_top_is(ui, LAYER_PROMPT))
        c->cursor_row = c->cursor_col = -1;
}
