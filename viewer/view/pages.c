/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/pages.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#define TEXT_MAX 256

struct area page_area(const struct canvas *c)
{
    struct layout l = layout_of(c->rows, c->cols);

    if (l.kind == LAYOUT_SMALL)
        return (struct area){.row = 2, .cols = l.cols, .rows = l.rows - 3};
    return (struct area){.row = 2, .cols = l.cols, .rows = l.rows - 4};
}

void page_heading(struct canvas *c, const struct ui *ui, const char *name, const char *format, ...)
{
    char text[TEXT_MAX];
    va_list args;
    int at;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    at = canvas_printf(c, 1, 0, c->cols, ROLE_TAB_FOCUS, " %u %s ", (unsigned int)ui->view + 1,
                       name);
    canvas_text(c, 1, at + 1, (int)c->cols - at - 1, ROLE_TEXT, text);
}

void page_moment(const struct frame *f, bool live, bool slots, char *buf, size_t size)
{
    const char *when = live ? "as it is now" : "of the pause";

    buf[0] = '\0';
    if (f->position && slots)
        snprintf(buf, size, "slots of #%u, the rest %s: ", f->position, when);
    else if (f->position)
        snprintf(buf, size, "%s, not #%u: ", when, f->position);
    else if (live)
        snprintf(buf, size, "%s: ", when);
}

size_t page_fit(const char *text, size_t room)
{
    size_t len = strlen(text), cut = room ? room : 1;

    if (len <= cut)
        return len;
    while (cut > 1 && text[cut] != ' ')
        cut--;
    return text[cut] == ' ' ? cut : room ? room : 1;
}

/* In two rows if it is long: a sentence, or its end, must not be lost. */
void page_why(struct canvas *c, const struct frame *f)
{
    struct area a = page_area(c);
    const char *why = f->stage_why ? f->stage_why : "";
    int room = a.cols > 2 ? a.cols - 2 : 1;

    for (int row = 0; row < a.rows && *why; row++) {
        size_t cut = page_fit(why, (size_t)room);

        canvas_printf(c, a.row + row, 1, room, ROLE_WARN, "%.*s", (int)cut, why);
        why += cut + (why[cut] == ' ');
    }
}

const char *shown_text(enum shown_stage shown)
{
    static const char *const words[SHOWN_STAGES] = {
        [SHOWN_EL2] = "",
        [SHOWN_S2] = " stage 2",
        [SHOWN_EL1] = " EL1 TTBR0 (IPAs)",
        [SHOWN_EL1_HIGH] = " EL1 TTBR1 (IPAs)",
    };

    return words[shown];
}

unsigned int page_first(unsigned int selected, unsigned int n, int rows)
{
    unsigned int room = rows > 0 ? (unsigned int)rows : 1, first;

    if (n <= room || selected < room / 2)
        return 0;
    first = selected - room / 2;
    return first + room > n ? n - room : first;
}

void where_text(const struct frame *f, uint64_t caller, bool lines, char *buf, size_t size)
{
    char line[64] = "";
    size_t len;

    symbols_where(f->symbols, caller, buf, size);
    if (!buf[0])
        snprintf(buf, size, "0x%" PRIx64, caller);
    if (lines)
        symbols_line(f->symbols, caller, line, sizeof(line));
    len = strlen(buf);
    if (line[0] && len < size)
        snprintf(buf + len, size - len, " %s", line);
}

/* The same caller is named once, with how often. */
void holders_text(const struct frame *f, unsigned int cpu, unsigned int slot, unsigned int refs,
                  char *buf, size_t size)
{
    const struct slot_activity *s = activity_slot(f->activity, cpu, slot);
    unsigned int known = s ? s->nr : 0;
    size_t len = 0;

    buf[0] = '\0';
    for (unsigned int i = 0; i < known && len < size; i++) {
        unsigned int n = 0, before = 0;
        char where[96];

        for (unsigned int j = 0; j < known; j++) {
            n += s->holder[j].caller == s->holder[i].caller;
            before += j < i && s->holder[j].caller == s->holder[i].caller;
        }
        if (before)
            continue;
        where_text(f, s->holder[i].caller, false, where, sizeof(where));
        len += snprintf(buf + len, size - len, "%s%s x%u", len ? ", " : "", where, n);
    }
    if (refs > known && len < size)
        snprintf(buf + len, size - len, "%s%u before the first event", len ? ", " : "",
                 refs - known);
}
