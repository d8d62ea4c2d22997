/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/layers.h"

#include "model/pte_text.h"
#include "view/cells.h"
#include "view/pages.h"
#include "view/slots.h"

#include <inttypes.h>
#include <string.h>

#define BOX_ROWS   22
#define HELP_ROWS  24
#define BOX_COLS   80
#define HELP_COL   8
#define LEGEND_COL 61
#define TEXT_MAX   256

struct box {
    int row, col, rows, cols; /* inside */
    int top;                  /* the line of what is in it that is shown first */
};

static int box_rows(int rows, int wanted)
{
    return rows < wanted ? rows : wanted;
}

static int box_cols(int cols)
{
    return cols < BOX_COLS ? cols : BOX_COLS;
}

/* The row of a line; -1: it is not to be seen, and drawing there draws nothing. */
static int line_row(const struct box *b, int line)
{
    return line >= b->top && line - b->top < b->rows ? b->row + line - b->top : -1;
}

/* An empty box in the middle, of so many rows, or as the screen lets it be. */
static struct box open_box_of(struct canvas *c, const char *title, int wanted)
{
    int rows = box_rows((int)c->rows, wanted), cols = box_cols((int)c->cols);
    int row = ((int)c->rows - rows) / 2, col = ((int)c->cols - cols) / 2;

    if (rows < 3) {
        rows = c->rows;
        row = 0;
    }
    for (int r = 0; r < rows; r++)
        canvas_fill(c, row + r, col, cols, ROLE_TEXT, ' ');
    if (rows < 3)
        return (struct box){row, col, rows, cols, 0};
    canvas_box(c, row, col, rows, cols, ROLE_BORDER_FOCUS, title);
    return (struct box){row + 1, col + 2, rows - 2, cols - 4, 0};
}

/* The title and the key bar stay to be seen. */
static struct box open_box(struct canvas *c, const char *title)
{
    return open_box_of(c, title, box_rows((int)c->rows - 2, BOX_ROWS));
}

int layers_help_rows(int rows)
{
    return box_rows(rows, HELP_ROWS) - 2;
}

int layers_detail_rows(int rows)
{
    return box_rows(rows - 2, BOX_ROWS) - 2;
}

int layers_text_rows(int rows)
{
    return rows > 4 ? rows - 3 : rows - 2;
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

/* The help of one key from line on, in as many lines as it takes; returns the next one. b: where to
 * draw it, or c NULL. */
static int help_lines(struct canvas *c, const struct box *b, int line, const struct key_row *key)
{
    char name[KEY_TEXT_MAX], help[TEXT_MAX];
    const char *rest = help;

    key_group_name(key, name);
    key_group_help(key, help, sizeof(help));
    if (c)
        canvas_text(c, line_row(b, line), b->col, HELP_COL - 1, ROLE_KEY, name);
    do {
        size_t cut = page_fit(rest, (size_t)(b->cols - HELP_COL));

        if (c)
            canvas_printf(c, line_row(b, line), b->col + HELP_COL, b->cols - HELP_COL, ROLE_TEXT,
                          "%.*s", (int)cut, rest);
        rest += cut + (rest[cut] == ' ');
        line++;
    } while (*rest);
    return line;
}

static int draw_keys(struct canvas *c, const struct box *b)
{
    int line = 0;

    for (int i = 0; i < KEY_ROWS; i++) {
        if (key_rows()[i].name[0])
            line = help_lines(c, b, line, &key_rows()[i]);
    }
    return line;
}

unsigned int layers_help_lines(int cols)
{
    const struct box b = {.cols = box_cols(cols) - 4};

    return (unsigned int)draw_keys(NULL, &b);
}

static void draw_help(struct canvas *c, const struct ui *ui)
{
    struct box b = open_box_of(c, "keys", HELP_ROWS);

    b.top = (int)ui->box_top;
    draw_keys(c, &b);
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
static void draw_fields(struct canvas *c, const struct box *b, int line, lpae_t pte)
{
    struct pte_field field[PTE_FIELDS_MAX];
    int nr = pte_fields(pte, 2, field), spare = b->rows - line - nr;
    int wide = b->cols < BOX_COLS - 4 ? 3 : 14, at;

    for (int i = 0; i < nr; i++) {
        char bits[16], value[24];
        int row = line_row(b, line);

        if (spare < 0 && !field[i].value && !field[i].brief[0]) {
            spare++;
            continue;
        }
        if (field[i].hi == field[i].lo)
            snprintf(bits, sizeof(bits), "[%u]", field[i].lo);
        else
            snprintf(bits, sizeof(bits), "[%u:%u]", field[i].hi, field[i].lo);
        field_value(&field[i], value, sizeof(value));
        canvas_printf(c, row, b->col, b->cols, ROLE_DIM, "%7s", bits);
        at = 8 + canvas_printf(c, row, b->col + 8, b->cols - 8, ROLE_STRONG, "%*s", wide, value);
        canvas_text(c, row, b->col + at + 2, b->cols - at - 2, ROLE_TEXT, field[i].text);
        line++;
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
    b.top = (int)ui->box_top;
    canvas_printf(c, line_row(&b, 0), b.col, b.cols, ROLE_STRONG,
                  "%s, refs %u   va 0x%" PRIx64 "-0x%" PRIx64, slot_state_name(i.state), i.refs,
                  i.va, i.va + SLOT_SIZE - 1);
    canvas_text(c, line_row(&b, 1), b.col, b.cols, ROLE_WARN, i.fault);
    text[0] = '\0';
    if (i.has_home)
        snprintf(text, sizeof(text), "   home %u   probe %u", i.home, i.probe);
    if (i.state != SLOT_BROKEN && i.block)
        canvas_printf(c, line_row(&b, 1), b.col, b.cols, ROLE_TEXT,
                      "mfn 0x%" PRIx64 "   pa 0x%" PRIx64 "-0x%" PRIx64 "%s", i.mfn, i.pa,
                      i.pa + SLOT_SIZE - 1, text);
    canvas_printf(c, line_row(&b, 2), b.col, b.cols, ROLE_TEXT, "pte 0x%016" PRIx64, i.pte);
    if (marks_slot(f->marks, ui->cpu, ui->slot))
        canvas_printf(c, line_row(&b, 2), b.col + 26, b.cols - 26, ROLE_CHANGED,
                      "was 0x%016" PRIx64, f->marks->cpu[ui->cpu].was[ui->slot]);
    draw_fields(c, &b, 3, i.pte);
}

/* What a command printed, as much of it as the screen has room for. */
static void draw_text(struct canvas *c, const struct ui *ui)
{
    int rows = layers_text_rows((int)c->rows), row = 0;
    const char *line = ui->text ? ui->text : "";
    char title[LINE_MAX_CHARS + 32];
    unsigned int n = 0;

    snprintf(title, sizeof(title), ":%s  (Esc closes, arrows scroll)", ui->line);
    canvas_fill(c, 1, 0, c->cols, ROLE_TAB_FOCUS, ' ');
    canvas_text(c, 1, 1, (int)c->cols - 1, ROLE_TAB_FOCUS, title);
    for (int r = 0; r < rows; r++)
        canvas_fill(c, r + 2, 0, c->cols, ROLE_TEXT, ' ');
    for (; *line && row < rows; n++) {
        size_t len = strcspn(line, "\n");

        if (n >= ui->text_top && len > ui->text_left)
            canvas_printf(c, 2 + row, 0, c->cols, ROLE_TEXT, "%.*s", (int)(len - ui->text_left),
                          line + ui->text_left);
        row += n >= ui->text_top;
        line += len + (line[len] == '\n');
    }
}

void layers_draw(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    for (unsigned int i = 0; i < ui->nr_layers; i++) {
        if (ui->layer[i] == LAYER_HELP)
            draw_help(c, ui);
        else if (ui->layer[i] == LAYER_DETAIL)
            draw_detail(c, f, ui);
        else if (ui->layer[i] == LAYER_TEXT)
            draw_text(c, ui);
    }
    if (ui->nr_layers && !ui_top_is(ui, LAYER_GOTO) && !ui_top_is(ui, LAYER_PROMPT))
        c->cursor_row = c->cursor_col = -1;
}
