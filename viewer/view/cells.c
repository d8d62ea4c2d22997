/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/cells.h"

uint32_t cell_glyph(unsigned int state, unsigned int refs)
{
    switch (state) {
    case SLOT_FREE:
        return GLYPH_FREE;
    case SLOT_CACHED:
        return 'o';
    case SLOT_IN_USE:
        return "0123456789ABCDE"[refs < PTE_REFS_MAX ? refs : 0];
    case SLOT_SATURATED:
        return 'F';
    case SLOT_BROKEN:
        return '!';
    default:
        return ' ';
    }
}

static enum role count_role(unsigned int refs)
{
    if (refs >= 12)
        return ROLE_COUNT_C;
    if (refs >= 8)
        return ROLE_COUNT_8;
    if (refs >= 4)
        return ROLE_COUNT_4;
    return refs == 3 ? ROLE_COUNT_3 : refs == 2 ? ROLE_COUNT_2 : ROLE_COUNT_1;
}

enum role cell_role(unsigned int state, unsigned int refs)
{
    switch (state) {
    case SLOT_CACHED:
        return ROLE_CACHED;
    case SLOT_IN_USE:
        return count_role(refs);
    case SLOT_SATURATED:
        return ROLE_SATURATED;
    case SLOT_BROKEN:
        return ROLE_BROKEN;
    default:
        return ROLE_FREE;
    }
}

static unsigned int weight(const struct cpu_snapshot *c, unsigned int slot)
{
    unsigned int state = c->state[slot];

    return state == SLOT_UNREAD ? 0 : (state + 1) * 16 + pte_refs(c->pte[slot]);
}

unsigned int cells_worst(const struct cpu_snapshot *c, unsigned int first, unsigned int nr)
{
    unsigned int worst = first;

    for (unsigned int slot = first + 1; slot < first + nr && slot < SLOTS_MAX; slot++) {
        if (weight(c, slot) > weight(c, worst))
            worst = slot;
    }
    return worst;
}

static bool any_mark(const struct frame *f, unsigned int cpu, unsigned int first, unsigned int nr)
{
    for (unsigned int slot = first; slot < first + nr && slot < SLOTS_MAX; slot++) {
        if (marks_slot(f->marks, cpu, slot))
            return true;
    }
    return false;
}

static enum role worst_role(const struct frame *f, unsigned int cpu, unsigned int first,
                            unsigned int nr)
{
    const struct cpu_snapshot *c = &f->snap->cpu[cpu];
    unsigned int worst = cells_worst(c, first, nr);

    if (any_mark(f, cpu, first, nr))
        return ROLE_CHANGED;
    if (c->state[worst] == SLOT_CACHED)
        return ROLE_MAP_CACHED;
    return cell_role(c->state[worst], pte_refs(c->pte[worst]));
}

void cells_put_pair(struct canvas *c, int row, int col, const struct frame *f, unsigned int cpu,
                    unsigned int top, unsigned int bottom, unsigned int nr)
{
    const struct cpu_snapshot *snap = &f->snap->cpu[cpu];
    unsigned int a, b, worst;
    enum role role;

    if (canvas_can_halves(c)) {
        canvas_halves(c, row, col, worst_role(f, cpu, top, nr), worst_role(f, cpu, bottom, nr));
        return;
    }
    a = cells_worst(snap, top, nr);
    b = cells_worst(snap, bottom, nr);
    worst = weight(snap, b) > weight(snap, a) ? b : a;
    role = cell_role(snap->state[worst], pte_refs(snap->pte[worst]));
    if (any_mark(f, cpu, top, nr) || any_mark(f, cpu, bottom, nr))
        role = ROLE_CHANGED;
    canvas_put(c, row, col, role, cell_glyph(snap->state[worst], pte_refs(snap->pte[worst])));
}
