/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The line at the bottom: search, filter, commands.
 */
#include "model/lookup.h"
#include "view/ui.h"

#include <stdio.h>
#include <string.h>

void ui_prompt_open(struct ui *ui, char prompt)
{
    ui->prompt = prompt;
    ui->line[0] = '\0';
    if (prompt == PROMPT_FILTER)
        snprintf(ui->line, sizeof(ui->line), "%s", ui->filter.text);
    ui_open_layer(ui, LAYER_PROMPT);
}

static bool parse_kind(struct event_filter *filter, const char *word)
{
    filter->kind = event_kind_of(word);
    filter->has_kind = filter->kind != 0;
    return filter->has_kind;
}

/* A VA of the domheap is a slot. */
static bool parse_va(struct event_filter *filter, const char *word, const struct frame *f)
{
    uint64_t va;

    if (!f->snap || !parse_number(word, &va) || va < f->snap->machine.beacon.domheap_va ||
        va - f->snap->machine.beacon.domheap_va >= f->snap->machine.beacon.domheap_size)
        return false;
    filter->slot = (va - f->snap->machine.beacon.domheap_va) / SLOT_SIZE;
    filter->has_slot = true;
    return true;
}

static bool parse_word(struct event_filter *filter, const char *word, const struct frame *f)
{
    uint64_t n;

    if (strncmp(word, "fn:", 3) == 0 && word[3]) {
        snprintf(filter->function, sizeof(filter->function), "%s", word + 3);
        return true;
    }
    if (strncmp(word, "kind:", 5) == 0)
        return parse_kind(filter, word + 5);
    if (strncmp(word, "va:", 3) == 0)
        return parse_va(filter, word + 3, f);
    if (strncmp(word, "cpu:", 4) == 0 && parse_number(word + 4, &n) && n < BEACON_CPUS_MAX) {
        filter->cpu = n;
        return filter->has_cpu = true;
    }
    if (strncmp(word, "slot:", 5) == 0 && parse_number(word + 5, &n) && n < SLOTS_MAX) {
        filter->slot = n;
        return filter->has_slot = true;
    }
    if (strncmp(word, "mfn:", 4) == 0 && parse_number(word + 4, &filter->mfn))
        return filter->has_mfn = true;
    if (strncmp(word, "pa:", 3) == 0 && parse_number(word + 3, &n)) {
        filter->mfn = n >> PAGE_SHIFT;
        return filter->has_mfn = true;
    }
    if (parse_number(word, &filter->mfn))
        return filter->has_mfn = true;
    return false;
}

bool filter_parse(struct event_filter *filter, const char *text, const struct frame *f)
{
    struct event_filter new = {.text = ""};
    char copy[LINE_MAX_CHARS + 1], *rest = copy, *word;

    snprintf(copy, sizeof(copy), "%s", text);
    snprintf(new.text, sizeof(new.text), "%s", text);
    while ((word = strsep(&rest, " ")) != NULL) {
        if (*word && !parse_word(&new, word, f))
            return false;
    }
    *filter = new;
    return true;
}

static bool is_function(const struct frame *f, uint64_t caller, const char *name)
{
    const char *function = symbols_function(f->symbols, caller);

    return function && strcmp(function, name) == 0;
}

bool filter_matches(const struct event_filter *filter, const struct frame *f, const struct event *e)
{
    if (filter->has_cpu && e->cpu != filter->cpu)
        return false;
    if (e->lost)
        return !filter->has_kind && !filter->has_slot && !filter->has_mfn && !filter->function[0];
    if ((filter->has_kind && e->kind != filter->kind) ||
        (filter->has_slot && (!event_has_slot(e) || e->slot != filter->slot)) ||
        (filter->has_mfn &&
         (!event_is_call(e) || e->mfn >> SLOT_MFN_SHIFT != filter->mfn >> SLOT_MFN_SHIFT)))
        return false;
    return !filter->function[0] || is_function(f, e->caller, filter->function);
}

const struct event *filter_event(const struct event_filter *filter, const struct frame *f,
                                 unsigned int back)
{
    if (!f->events)
        return NULL;
    if (!filter->text[0])
        return back < f->events->nr ? event_at(f->events, f->events->nr - 1 - back) : NULL;
    for (unsigned int i = f->events->nr; i > 0; i--) {
        const struct event *e = event_at(f->events, i - 1);

        if (filter_matches(filter, f, e) && back-- == 0)
            return e;
    }
    return NULL;
}

static bool held_by(const struct frame *f, unsigned int cpu, unsigned int slot, const char *name)
{
    const struct slot_activity *s = activity_slot(f->activity, cpu, slot);

    for (unsigned int i = 0; s && i < s->nr; i++) {
        if (is_function(f, s->holder[i].caller, name))
            return true;
    }
    return false;
}

static bool slot_matches(const struct event_filter *s, const struct frame *f, unsigned int cpu,
                         unsigned int slot)
{
    const struct cpu_snapshot *c = &f->snap->cpu[cpu];

    return c->on && (!s->has_cpu || s->cpu == cpu) && (!s->has_slot || s->slot == slot) &&
           (!s->has_mfn || slot_maps(c, slot, s->mfn)) &&
           (!s->function[0] || held_by(f, cpu, slot, s->function));
}

/* Round all slots of all CPUs, from the one that is selected. */
static bool search_slots(struct ui *ui, const struct frame *f, int direction)
{
    unsigned int entries = frame_entries(f), all = f->snap->ncpu * entries;
    unsigned int at = ui->cpu * entries + ui->slot;

    for (unsigned int i = 0; i < all; i++) {
        at = (at + all + (unsigned int)direction) % all;
        if (slot_matches(&ui->search, f, at / entries, at % entries)) {
            ui->cpu = at / entries;
            ui->slot = at % entries;
            return true;
        }
    }
    return false;
}

/* Among those that are listed; n goes to older ones. */
static bool search_events(struct ui *ui, const struct frame *f, int direction)
{
    unsigned int n = ui_rows(ui, f), at = ui->row[VIEW_EVENTS];

    for (unsigned int i = 0; i < n; i++) {
        const struct event *e;

        at = (at + n + (unsigned int)direction) % n;
        e = filter_event(&ui->filter, f, at);
        if (e && filter_matches(&ui->search, f, e)) {
            ui->row[VIEW_EVENTS] = at;
            return true;
        }
    }
    return false;
}

static bool search_ranges(struct ui *ui, const struct frame *f, int direction)
{
    unsigned int n = ui_rows(ui, f), at = ui->row[VIEW_MAP];
    uint64_t pa = ui->search.mfn << PAGE_SHIFT, va = 0;

    if (ui->search.has_slot)
        va = slot_va(&f->snap->machine, ui->search.slot);
    for (unsigned int i = 0; i < n; i++) {
        const struct range *r;

        at = (at + n + (unsigned int)direction) % n;
        r = &f->ranges->range[at];
        if ((ui->search.has_mfn && pa >= r->pa && pa - r->pa < r->size) ||
            (ui->search.has_slot && va >= r->va && va - r->va < r->size)) {
            ui->row[VIEW_MAP] = at;
            return true;
        }
    }
    return false;
}

void ui_search(struct ui *ui, const struct frame *f, int direction)
{
    bool found;

    if (!ui->search.text[0])
        snprintf(ui->notice, sizeof(ui->notice), "nothing is looked for: / asks what");
    if (!f->snap || !ui->search.text[0])
        return;
    if (ui->view == VIEW_EVENTS)
        found = search_events(ui, f, direction);
    else if (ui->view == VIEW_MAP)
        found = search_ranges(ui, f, direction);
    else
        found = search_slots(ui, f, direction);
    if (!found)
        snprintf(ui->notice, sizeof(ui->notice), "%.50s is not to be found", ui->search.text);
}

/* The frame of the selected event, or of the selected slot. */
static bool selected_frame(const struct ui *ui, const struct frame *f, uint64_t *mfn,
                           unsigned int *cpu)
{
    const struct event *e =
        ui->view == VIEW_EVENTS ? filter_event(&ui->filter, f, ui->row[VIEW_EVENTS]) : NULL;
    const struct cpu_snapshot *c = &f->snap->cpu[ui->cpu];
    struct slot_info i;

    *cpu = e ? e->cpu : ui->cpu;
    *mfn = e ? e->mfn : 0;
    if (e || !c->on || c->state[ui->slot] == SLOT_UNREAD)
        return e && !e->lost && e->mfn;
    i = cpu_slot(&f->snap->machine, c, ui->slot);
    *mfn = i.mfn;
    return i.block;
}

void ui_explain(struct ui *ui, const struct frame *f)
{
    unsigned int cpu;
    uint64_t mfn;

    if (!f->snap || !selected_frame(ui, f, &mfn, &cpu)) {
        snprintf(ui->notice, sizeof(ui->notice),
                 "nothing selected that maps a frame: select one, or : explain MFN");
        return;
    }
    snprintf(ui->line, sizeof(ui->line), "explain 0x%llx --cpu %u", (unsigned long long)mfn, cpu);
    ui->command = true;
}

static void pick_cpu(struct ui *ui, const struct frame *f)
{
    uint64_t cpu;

    if (parse_number(ui->line, &cpu) && cpu < frame_ncpu(f))
        ui->cpu = (unsigned int)cpu;
    else
        snprintf(ui->notice, sizeof(ui->notice), "there is no CPU %.20s: they are 0 to %u",
                 ui->line, frame_ncpu(f) - 1);
}

/* Some are about the viewer itself: who knows vi types them. */
static void obey_command(struct ui *ui)
{
    if (strcmp(ui->line, "q") == 0 || strcmp(ui->line, "quit") == 0)
        ui->quit = true;
    else if (strcmp(ui->line, "help") == 0)
        ui_open_layer(ui, LAYER_HELP);
    else
        ui->command = ui->line[0] != '\0';
}

static void obey_line(struct ui *ui, const struct frame *f)
{
    struct event_filter *target = ui->prompt == PROMPT_SEARCH ? &ui->search : &ui->filter;

    if (ui->prompt == PROMPT_COMMAND) {
        obey_command(ui);
        return;
    }
    if (ui->prompt == PROMPT_CPU) {
        pick_cpu(ui, f);
        return;
    }
    if (!filter_parse(target, ui->line, f))
        snprintf(ui->notice, sizeof(ui->notice), "%.40s is not understood: see ?", ui->line);
    else if (ui->prompt == PROMPT_SEARCH)
        ui_search(ui, f, 1);
    else
        ui->row[VIEW_EVENTS] = 0;
}

/* Anything but y is no. */
static void answer(struct ui *ui, int code)
{
    ui->nr_layers--;
    if (code == 'y' || code == 'Y')
        ui->control = ui->asked;
    else
        snprintf(ui->notice, sizeof(ui->notice), "the machine was left alone");
    ui->asked = CONTROL_NONE;
}

void ui_prompt_key(struct ui *ui, const struct frame *f, int code)
{
    size_t len = strlen(ui->line);

    if (ui->prompt == PROMPT_CONTROL) {
        answer(ui, code);
        return;
    }
    if (code >= 0x20 && code < 0x7f && len < LINE_MAX_CHARS) {
        ui->line[len] = (char)code;
        ui->line[len + 1] = '\0';
    } else if (code == UI_KEY_BACKSPACE && len > 0) {
        ui->line[len - 1] = '\0';
    } else if (code == CTRL('U')) {
        ui->line[0] = '\0';
    } else if (code == '\r' || code == '\n' || code == UI_KEY_ENTER) {
        ui->nr_layers--;
        obey_line(ui, f);
    } else if (code == UI_KEY_ESC || code == UI_KEY_BACKSPACE) {
        ui->nr_layers--;
    }
}
