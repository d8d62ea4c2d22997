/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/chrome.h"

#include "model/profile.h"

#include <stdarg.h>
#include <string.h>

#define TAB_WIDTH 11
#define NAME_COLS 15 /* " hvscope CPU63 " */
#define NAMED_MAX 3  /* changed slots that the message line lists by number */

enum role chrome_state_role(enum run_word word)
{
    switch (word) {
    case RUN_LIVE:
        return ROLE_STATE_LIVE;
    case RUN_STOPPED:
    case RUN_REBOOTED:
        return ROLE_STATE_STOPPED;
    case RUN_PAUSED:
        return ROLE_STATE_PAUSED;
    case RUN_GONE:
    case RUN_PANICKED:
        return ROLE_STATE_BAD;
    default:
        return ROLE_STATE_WAITING;
    }
}

void chrome_state_text(const struct frame *f, char *buf, size_t size)
{
    if (f->word == RUN_LIVE && !f->note[0])
        snprintf(buf, size, "%s %uHz", run_word_text(f->word), f->hz);
    else if (f->note[0])
        snprintf(buf, size, "%s%s %s", run_word_text(f->word),
                 f->word == RUN_PANICKED || f->word == RUN_LIVE ? ":" : "", f->note);
    else
        snprintf(buf, size, "%s", run_word_text(f->word));
}

/* The end of a path says more than its beginning. */
static void draw_target(struct canvas *c, int col, int width, const char *target)
{
    int len = strlen(target);

    if (len <= width)
        canvas_text(c, 0, col, width, ROLE_TITLE, target);
    else if (width > 1)
        canvas_printf(c, 0, col, width, ROLE_TITLE, "\xe2\x80\xa6%s", target + len - width + 1);
}

/* The state has the right end and as much room as it wants, but for the name; alone if that is all
 * there is room for. */
void chrome_draw_title(struct canvas *c, const struct frame *f, const struct ui *ui)
{
    int cols = c->cols, room = cols >= NAME_COLS * 2 ? cols - NAME_COLS : cols, width, at;
    const struct machine *m = f->snap ? &f->snap->machine : NULL;
    char state[NOTE_MAX + 32];

    chrome_state_text(f, state, sizeof(state));
    width = (int)strlen(state) + 2 < room ? (int)strlen(state) + 2 : room;
    canvas_fill(c, 0, 0, cols, ROLE_TITLE, ' ');
    at = 1 + canvas_text(c, 0, 1, cols - width - 1, ROLE_TITLE_NAME, "hvscope");
    if (cols < SINGLE_COLS) {
        canvas_printf(c, 0, at + 1, cols - width - at - 1, ROLE_TITLE, "CPU%u", ui->cpu);
    } else {
        if (m)
            at += 2 + canvas_printf(c, 0, at + 2, cols - width - at - 3, ROLE_TITLE, "%s %s  %u %s",
                                    m->profile->counted      ? "engine"
                                    : m->profile->tells_cpus ? "Xen"
                                                             : "EL2",
                                    m->profile->counted ? machine_engine_name(m) : m->arch,
                                    f->snap->ncpu, f->snap->ncpu == 1 ? "CPU" : "CPUs");
        draw_target(c, at + 2, cols - width - at - 3, f->target);
    }
    canvas_fill(c, 0, cols - width, width, chrome_state_role(f->word), ' ');
    canvas_text(c, 0, cols - width + 1, width - 1, chrome_state_role(f->word), state);
    if ((int)strlen(state) > width - 1)
        canvas_put(c, 0, cols - 1, chrome_state_role(f->word), 0x2026);
}

/* The first tab on screen: all of them if they fit, else around the focus. */
static unsigned int first_tab(const struct frame *f, const struct ui *ui, int cols)
{
    unsigned int fit = cols / TAB_WIDTH, n = frame_ncpu(f);

    if (n <= fit || ui->cpu < fit / 2)
        return 0;
    return ui->cpu - fit / 2 + fit > n ? n - fit : ui->cpu - fit / 2;
}

static void draw_tab(struct canvas *c, int row, int col, const struct cpu_snapshot *cpu, bool here)
{
    enum role role = here ? ROLE_TAB_FOCUS : ROLE_TAB;
    unsigned int held = cpu->counts[SLOT_IN_USE] + cpu->counts[SLOT_SATURATED];
    char text[32];

    if (cpu->on)
        snprintf(text, sizeof(text), "CPU%u %u", cpu->cpu, held);
    else
        snprintf(text, sizeof(text), "CPU%u %s", cpu->cpu,
                 cpu->info.state == BEACON_CPU_OFF ? "off" : "--");
    canvas_fill(c, row, col, TAB_WIDTH - 1, role, ' ');
    canvas_text(c, row, col + 1, TAB_WIDTH - 2, role, text);
    if (cpu->on && cpu->counts[SLOT_BROKEN])
        canvas_put(c, row, col + TAB_WIDTH - 2, ROLE_BROKEN, '!');
}

void chrome_draw_tabs(struct canvas *c, int row, const struct frame *f, const struct ui *ui)
{
    unsigned int first = first_tab(f, ui, c->cols);

    if (!f->snap)
        return;
    for (unsigned int i = 0; (i + 1) * TAB_WIDTH <= c->cols && first + i < f->snap->ncpu; i++)
        draw_tab(c, row, i * TAB_WIDTH, &f->snap->cpu[first + i], first + i == ui->cpu);
}

int chrome_cpu_at(const struct frame *f, const struct ui *ui, const struct layout *l, int row,
                  int col)
{
    unsigned int cpu = first_tab(f, ui, l->cols) + col / TAB_WIDTH;

    if (l->kind != LAYOUT_SINGLE || row != 1 || (col / TAB_WIDTH + 1) * TAB_WIDTH > l->cols)
        return -1;
    return cpu < frame_ncpu(f) ? (int)cpu : -1;
}

void chrome_place_text(const struct frame *f, unsigned int cpu, char *buf, size_t size)
{
    const struct cpu_place *p = f->places && cpu < f->places->nr ? &f->places->cpu[cpu] : NULL;
    char at[128] = "";

    buf[0] = '\0';
    if (!p || !p->known)
        return;
    if (p->el == 2) /* a PC of EL1 is a guest's: no symbol of ours */
        symbols_at(f->symbols, p->pc, at, sizeof(at));
    if (at[0])
        snprintf(buf, size, "EL%u %s", p->el, at);
    else
        snprintf(buf, size, "EL%u 0x%llx", p->el, (unsigned long long)p->pc);
}

void chrome_draw_key_bar(struct canvas *c, int row)
{
    int at = 0;

    for (int i = 0; i < KEY_ROWS; i++) {
        const struct key_row *key = &key_rows()[i];
        char name[KEY_TEXT_MAX];

        if (!key->label[0] || at + 14 > (int)c->cols)
            continue;
        key_group_name(key, name);
        if (!name[0])
            continue;
        at += canvas_text(c, row, at, 8, ROLE_KEY, name);
        at += canvas_printf(c, row, at, 10, ROLE_KEY_LABEL, "%-6s", key->label) + 1;
    }
}

struct message {
    char text[MESSAGE_MAX];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void say(struct message *m, const char *format, ...)
{
    va_list args;
    int n;

    va_start(args, format);
    n = vsnprintf(m->text + m->len, sizeof(m->text) - m->len, format, args);
    va_end(args);
    m->len += n;
    if (m->len >= sizeof(m->text))
        m->len = sizeof(m->text) - 1;
}

/* The CPU in focus: which slots, and their counts before and after. */
static void say_here(struct message *m, const struct frame *f, unsigned int cpu)
{
    unsigned int n = marks_count(f->marks, cpu), named = 0;
    uint64_t operations = f->marks->cpu[cpu].operations;
    const struct cpu_snapshot *c = &f->snap->cpu[cpu];

    say(m, "CPU%u ", cpu);
    if (n == 0 && f->marks->settled && operations)
        say(m, "no slot differs, %llu %s", (unsigned long long)operations,
            operations == 1 ? "map or unmap" : "maps and unmaps");
    else if (n == 0)
        say(m, "no slot");
    else
        say(m, "%u %s", n, n == 1 ? "slot" : "slots");
    for (unsigned int slot = 0; n <= NAMED_MAX && named < n && slot < SLOTS_MAX; slot++) {
        if (!marks_slot(f->marks, cpu, slot))
            continue;
        say(m, "%s%u (%u\xe2\x86\x92%u)", named++ ? ", " : ": ", slot,
            pte_refs(f->marks->cpu[cpu].was[slot]), pte_refs(c->pte[slot]));
    }
}

static unsigned int first_mark(const struct frame *f, unsigned int cpu)
{
    unsigned int slot = 0;

    while (slot + 1 < SLOTS_MAX && !marks_slot(f->marks, cpu, slot))
        slot++;
    return slot;
}

/* The others: how much, so that nobody wonders where their changes came from. */
static void say_others(struct message *m, const struct frame *f, unsigned int here, bool stops)
{
    for (unsigned int cpu = 0; cpu < f->snap->ncpu; cpu++) {
        uint64_t marked = cpu == here ? 0 : marks_count(f->marks, cpu), n = marked;

        if (stops && cpu != here && f->marks->cpu[cpu].operations > n)
            n = f->marks->cpu[cpu].operations;
        if (n)
            say(m, "   CPU%u: %llu %s", cpu, (unsigned long long)n, n == 1 ? "change" : "changes");
        if (marked == 1 && n == 1)
            say(m, " (slot %u)", first_mark(f, cpu));
    }
}

static void say_changes(struct message *m, const struct frame *f, unsigned int here)
{
    bool stops = f->marks->settled && f->marks->compared;

    if (f->marks->pinned) {
        say(m, "since the mark: ");
        say_here(m, f, here);
        say_others(m, f, here, false);
        return;
    }
    if (f->marks->settled && !f->marks->compared) {
        say(m, "stopped: step, and what changes is marked");
        return;
    }
    say(m, stops ? "last step: " : "last 0.5 s: ");
    say_here(m, f, here);
    say_others(m, f, here, stops);
}

static const char *prompt_text(const struct ui *ui)
{
    switch (ui->prompt) {
    case PROMPT_SEARCH:
        return "/";
    case PROMPT_FILTER:
        return "only: ";
    case PROMPT_CPU:
        return "CPU: ";
    case PROMPT_CONTROL:
        return ui->asked == CONTROL_STOP ? "stop all CPUs? y: yes " : "continue all CPUs? y: yes ";
    default:
        return ":";
    }
}

void chrome_draw_message(struct canvas *c, int row, int col, int width, const struct frame *f,
                         const struct ui *ui)
{
    struct message m = {.len = 0};
    enum role role = ROLE_TEXT;

    if (ui->view_digit) {
        say(&m, "view: 1 Slots  2 Tables  3 Map  4 Events  5 Check  6 Stats  7 all CPUs");
        role = ROLE_WARN;
    } else if (ui_top_is(ui, LAYER_GOTO)) {
        say(&m, "go to slot (0-%u): %s", frame_entries(f) - 1, ui->input);
        role = ROLE_WARN;
        canvas_set_cursor(c, row, col + m.len < c->cols ? col + (int)m.len : col);
    } else if (ui_top_is(ui, LAYER_PROMPT)) {
        say(&m, "%s%s", prompt_text(ui), ui->line);
        role = ROLE_WARN;
        canvas_set_cursor(c, row, col + m.len < c->cols ? col + (int)m.len : col);
    } else if (ui->notice[0]) {
        say(&m, "%s", ui->notice);
        role = ROLE_WARN;
    } else if (!f->snap) {
        say(&m, "%s", f->waiting ? f->waiting : "");
        role = ROLE_WARN;
    } else if (f->word == RUN_GONE) {
        say(&m, "the machine has gone; this is its last picture. Waiting for a new one");
        role = ROLE_WARN;
    } else if (f->word == RUN_BUSY) {
        say(&m, "another program talks to QEMU; this is the last picture. Waiting for a turn");
        role = ROLE_WARN;
    } else if (frame_no_slots(f)) {
        say(&m, "no slots are known here: F3 its tables, F4 its address space");
    } else {
        say_changes(&m, f, ui->cpu);
    }
    if (canvas_text(c, row, col, width, role, m.text) == width && m.len > (size_t)width)
        canvas_put(c, row, col + width - 1, role, 0x2026);
}
