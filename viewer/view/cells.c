/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/cells.h"

#include "model/profile.h"

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

/* A step of the ramp, 0 to 5. */
static enum role ramp(unsigned int step)
{
    static const enum role roles[] = {ROLE_COUNT_1, ROLE_COUNT_2, ROLE_COUNT_3,
                                      ROLE_COUNT_4, ROLE_COUNT_8, ROLE_COUNT_C};

    return roles[step < 6 ? step : 5];
}

/* How often 4 goes into n before nothing is left. */
static unsigned int log4(uint64_t n)
{
    unsigned int steps = 0;

    for (; n > 1; n /= 4)
        steps++;
    return steps;
}

const char *color_by_name(enum color_by color)
{
    static const char *const names[] = {"references", "age", "heat", "probe", "caller"};

    return names[color];
}

/* Of a valid slot that something is known of. The warmest end of the ramp: young, warm, far. */
static enum role dimension_role(const struct frame *f, const struct ui *ui,
                                const struct slot_info *i, const struct slot_activity *s)
{
    unsigned int heat, age;

    switch (ui->color) {
    case COLOR_BY_PROBE:
        return ramp(log4(i->probe) + (i->probe != 0));
    case COLOR_BY_HEAT:
        heat = s ? activity_heat(f->activity, s) : 0;
        return heat ? ramp(log4(heat)) : ROLE_CACHED;
    case COLOR_BY_AGE:
        if (!s || !s->last_map)
            return ROLE_CACHED;
        age = log4(activity_age(f->activity, s->last_map) / 10000000);
        return ramp(age < 6 ? 5 - age : 0);
    default:
        return s && s->nr ? ramp((unsigned int)(s->holder[s->nr - 1].caller >> 2) % 6)
                          : ROLE_CACHED;
    }
}

enum role cells_role(const struct frame *f, const struct ui *ui, unsigned int cpu,
                     unsigned int slot)
{
    const struct cpu_snapshot *c = &f->snap->cpu[cpu];
    unsigned int state = c->state[slot];
    struct slot_info i;

    if (ui->color == COLOR_BY_REFS || state == SLOT_FREE || state >= SLOT_BROKEN)
        return cell_role(state, pte_refs(c->pte[slot]));
    i = cpu_slot(&f->snap->machine, c, slot);
    return dimension_role(f, ui, &i, activity_slot(f->activity, cpu, slot));
}

bool cells_is_odd(const struct frame *f, unsigned int cpu, unsigned int slot)
{
    const struct machine *m = &f->snap->machine;
    const struct cpu_snapshot *c = &f->snap->cpu[cpu];

    return m->profile->foreign_pa && c->state[slot] < SLOT_STATES && cpu_slot(m, c, slot).odd;
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
    unsigned int worst = nr == 1 ? first : cells_worst(c, first, nr);

    if (nr == 1 ? marks_slot(f->marks, cpu, first) : any_mark(f, cpu, first, nr))
        return ROLE_CHANGED;
    if (c->state[worst] == SLOT_CACHED)
        return ROLE_MAP_CACHED;
    return c->state[worst] == SLOT_FREE ? ROLE_FREE
                                        : cell_role(c->state[worst], pte_refs(c->pte[worst]));
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
