/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables: one table at a time, from the root down, and one entry bit by bit.
 */
#include "model/pte_text.h"
#include "view/cells.h"
#include "view/pages.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define GRID_COL  5
#define TEXT_MAX  160
#define BITS_COLS 76 /* from here on there are two columns of bits */

static bool is_slots(const struct frame *f, const struct table_page *t)
{
    const struct beacon *b = &f->snap->machine.beacon;

    return t->r.name == REGIME_EL2 && t->level == 2 && t->va >= b->domheap_va &&
           t->va - b->domheap_va < b->domheap_size;
}

/* Slots look as in their own view; other entries show their kind. */
static uint32_t entry_glyph(const struct frame *f, const struct table_page *t, unsigned int i,
                            enum role *role)
{
    static const char glyphs[] = {'T', 'B', 'P', 0, '!'};
    static const enum role roles[] = {ROLE_COUNT_2, ROLE_COUNT_4, ROLE_COUNT_4, ROLE_FREE,
                                      ROLE_BROKEN};
    enum pte_kind kind = regime_kind(&t->r, t->pte[i], t->level);

    if (is_slots(f, t)) {
        struct slot_info s = slot_describe(&f->snap->machine, i, t->pte[i]);

        *role = cell_role(s.state, s.refs);
        return cell_glyph(s.state, s.refs);
    }
    *role = roles[kind];
    return kind == KIND_INVALID ? GLYPH_FREE : (unsigned char)glyphs[kind];
}

/* Returns the rows that it took. */
static int draw_grid(struct canvas *c, const struct frame *f, const struct ui *ui, int row,
                     int rows)
{
    const struct table_page *t = f->table;
    unsigned int columns = ui_table_columns(c->cols), lines = t->entries / columns, first;

    if (!lines)
        lines = 1;
    first = page_first(ui->entry / columns, lines, rows);
    for (unsigned int y = 0; (int)y < rows && first + y < lines; y++) {
        unsigned int start = (first + y) * columns;
        bool here = ui->entry / columns == first + y;

        canvas_printf(c, row + (int)y, 0, 4, here ? ROLE_LABEL_HERE : ROLE_LABEL, "%4u", start);
        for (unsigned int x = 0; x < columns && start + x < t->entries; x++) {
            enum role role;
            uint32_t ch = entry_glyph(f, t, start + x, &role);

            if (start + x == ui->entry) {
                canvas_set_cursor(c, row + (int)y, GRID_COL + (int)x);
                role = ROLE_CURSOR;
            }
            canvas_put(c, row + (int)y, GRID_COL + (int)x, role, ch);
            canvas_pick(c, row + (int)y, GRID_COL + (int)x, 1, start + x);
        }
    }
    return (int)lines < rows ? (int)lines : rows;
}

/* Software bits mean a count in slots alone. */
static const char *field_text(const struct pte_field *field, bool slots)
{
    return field->lo == 55 && field->hi == 58 && !slots ? "software's own" : field->text;
}

static void draw_bits(struct canvas *c, int row, int rows, const struct table_page *t, lpae_t pte,
                      bool slots)
{
    struct pte_field field[PTE_FIELDS_MAX];
    int nr = (int)pte_fields_in(t->r.name, pte, (unsigned int)t->level, field);
    int columns = (int)c->cols >= BITS_COLS && nr > rows ? 2 : 1;
    int per = columns == 2 ? (nr + 1) / 2 : nr;

    for (int i = 0; i < nr; i++) {
        int y = i % per, x = i / per * ((int)c->cols / 2);
        char bits[16];

        if (y >= rows || i / per >= columns)
            continue;
        snprintf(bits, sizeof(bits), field[i].hi == field[i].lo ? "[%u]" : "[%u:%u]", field[i].hi,
                 field[i].lo);
        canvas_printf(c, row + y, x, 8, ROLE_DIM, "%7s", bits);
        canvas_text(c, row + y, x + 8, (int)c->cols / columns - 9, ROLE_TEXT,
                    field_text(&field[i], slots));
    }
}

static void entry_text(const struct frame *f, const struct table_page *t, unsigned int i, char *buf,
                       size_t size)
{
    lpae_t pte = t->pte[i];
    enum pte_kind kind = regime_kind(&t->r, pte, t->level);
    struct attributes a;

    if (kind == KIND_TABLE)
        snprintf(buf, size, "table at 0x%" PRIx64 ": Enter opens it",
                 regime_output(&t->r, pte, t->r.page_shift));
    else if (kind == KIND_INVALID || kind == KIND_RESERVED)
        snprintf(buf, size, "%s: an access faults", pte_kind_name(kind));
    else {
        leaf_attributes(&t->r, t->above, pte, &a);
        snprintf(buf, size, "%s 0x%" PRIx64 " %s %s, software %u", pte_kind_name(kind),
                 regime_output(&t->r, pte, regime_shift(&t->r, t->level)), a.perm, a.type,
                 a.software);
    }
    (void)f;
}

static void draw_entry(struct canvas *c, const struct frame *f, const struct ui *ui, int row,
                       int rows)
{
    const struct table_page *t = f->table;
    unsigned int i = ui->entry < t->entries ? ui->entry : 0;
    unsigned int shift = regime_shift(&t->r, t->level);
    uint64_t va = t->va + ((uint64_t)i << shift);
    const char *region = t->r.name == REGIME_EL2 ? machine_region(&f->snap->machine, va) : NULL;
    char text[TEXT_MAX];
    int at;

    if (rows < 1)
        return;
    at = canvas_printf(c, row, 0, c->cols, ROLE_LABEL_HERE, "L%d[%u]", t->level, i);
    entry_text(f, t, i, text, sizeof(text));
    canvas_printf(c, row, at + 1, (int)c->cols - at - 1, ROLE_STRONG,
                  c->cols < SINGLE_COLS ? " 0x%" PRIx64 "  %s" : " 0x%016" PRIx64 "  %s", t->pte[i],
                  text);
    if (rows > 1)
        canvas_printf(c, row + 1, 0, c->cols, ROLE_TEXT, "%s 0x%" PRIx64 "-0x%" PRIx64 "  %s",
                      t->r.name == REGIME_S2 ? "ipa" : "va", va, va + (UINT64_C(1) << shift) - 1,
                      region ? region : "");
    draw_bits(c, row + 2, rows - 2, t, t->pte[i], is_slots(f, t));
}

static void heading(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    const struct table_page *t = f->table;
    char text[TEXT_MAX];
    int len = 0;

    if (!t || !f->snap) {
        page_heading(c, ui, "Tables", "CPU%u%s", ui->cpu, shown_text(f->shown));
        return;
    }
    text[0] = '\0';
    if (!is_slots(f, t))
        page_moment(f, f->live_table, false, text, sizeof(text));
    len = (int)strlen(text);
    len += snprintf(text + len, sizeof(text) - len, "CPU%u%s", ui->cpu, shown_text(f->shown));
    if (c->cols >= SINGLE_COLS || !t->path.nr)
        len += snprintf(text + len, sizeof(text) - len, " root 0x%" PRIx64, t->table[0]);
    for (unsigned int i = 0; i < t->path.nr && len < TEXT_MAX; i++)
        len += snprintf(text + len, sizeof(text) - len, " \xe2\x96\xb8 L%u[%u]",
                        (unsigned int)t->r.start_level + i, t->path.index[i]);
    page_heading(c, ui, "Tables", "%s%s", text,
                 t->path.nr || f->position || f->live_table ? ""
                                                            : "  (Enter: down, Esc: up, s: stage)");
}

void tables_draw(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    struct area a = page_area(c);
    int used, grid = a.rows > 12 ? a.rows - 10 : a.rows - 2;

    heading(c, f, ui);
    if (!f->snap)
        return;
    if (!f->table) {
        page_why(c, f);
        return;
    }
    if (!f->table->readable) {
        canvas_text(c, a.row, 1, a.cols, ROLE_WARN, f->table->why);
        return;
    }
    used = draw_grid(c, f, ui, a.row, grid < 1 ? 1 : grid);
    used += a.rows > 20 ? 1 : 0;
    draw_entry(c, f, ui, a.row + used, a.rows - used);
}
