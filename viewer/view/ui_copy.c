/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is selected, as a line of text: for the clipboard.
 */
#include "view/ui.h"

#include <inttypes.h>

static void slot_line(const struct ui *ui, const struct frame *f, char *text, size_t size)
{
    const struct cpu_snapshot *c = &f->snap->cpu[ui->cpu];
    struct slot_info i;

    if (!c->on || c->state[ui->slot] == SLOT_UNREAD)
        return;
    i = cpu_slot(&f->snap->machine, c, ui->slot);
    snprintf(text, size, "CPU%u slot %u va 0x%" PRIx64 " pte 0x%" PRIx64 " %s", ui->cpu, i.slot,
             i.va, i.pte, slot_state_name(i.state));
    if (i.block)
        snprintf(text, size,
                 "CPU%u slot %u va 0x%" PRIx64 " pte 0x%" PRIx64 " %s refs %u mfn 0x%" PRIx64,
                 ui->cpu, i.slot, i.va, i.pte, slot_state_name(i.state), i.refs, i.mfn);
}

static void entry_line(const struct ui *ui, const struct frame *f, char *text, size_t size)
{
    const struct table_page *t = f->table;

    if (t && t->readable && ui->entry < t->entries)
        snprintf(text, size, "L%d[%u] at 0x%" PRIx64 ": 0x%" PRIx64, t->level, ui->entry,
                 t->table[t->path.nr] + ui->entry * sizeof(lpae_t), t->pte[ui->entry]);
}

static void range_line(const struct ui *ui, const struct frame *f, char *text, size_t size)
{
    const struct range *r;

    if (!f->ranges || ui->row[VIEW_MAP] >= f->ranges->nr)
        return;
    r = &f->ranges->range[ui->row[VIEW_MAP]];
    snprintf(text, size, "va 0x%" PRIx64 " size 0x%" PRIx64 " pa 0x%" PRIx64 " %s", r->va, r->size,
             r->pa, r->region ? r->region : "");
}

static void event_line(const struct ui *ui, const struct frame *f, char *text, size_t size)
{
    const struct event *e = filter_event(&ui->filter, f, ui->row[VIEW_EVENTS]);
    char words[128];

    if (e && e->lost) {
        snprintf(text, size, "CPU%u %" PRIu64 " events lost", e->cpu, e->lost);
    } else if (e && !event_is_call(e)) {
        event_describe(e, words, sizeof(words));
        snprintf(text, size, "CPU%u %s %s", e->cpu, event_name(e), words);
    } else if (e) {
        snprintf(text, size, "CPU%u %s slot %u mfn 0x%" PRIx64 " refs %u caller 0x%" PRIx64, e->cpu,
                 event_name(e), e->slot, e->mfn, e->refs, e->caller);
    }
}

static void finding_line(const struct ui *ui, const struct frame *f, char *text, size_t size)
{
    const struct finding *n;

    if (!f->findings || ui->row[VIEW_CHECK] >= f->findings->nr)
        return;
    n = &f->findings->finding[ui->row[VIEW_CHECK]];
    snprintf(text, size, "CPU%u %s", n->cpu, n->text);
}

void ui_selected_text(const struct ui *ui, const struct frame *f, char *text, size_t size)
{
    text[0] = '\0';
    if (!f->snap)
        return;
    if (ui->view == VIEW_TABLES)
        entry_line(ui, f, text, size);
    else if (ui->view == VIEW_MAP)
        range_line(ui, f, text, size);
    else if (ui->view == VIEW_EVENTS)
        event_line(ui, f, text, size);
    else if (ui->view == VIEW_CHECK)
        finding_line(ui, f, text, size);
    else if (ui->view != VIEW_STATS)
        slot_line(ui, f, text, size);
}
