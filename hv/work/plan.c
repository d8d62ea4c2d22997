/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "work/plan.h"
#include "core/printk.h"
#include "core/string.h"

/* Where a mistake is described. */
struct mistake {
    char *why;
    size_t size;
};

static bool wrong(const struct mistake *m, const char *format, struct word w, const char *more)
{
    char text[40];

    snprintk(m->why, m->size, format, word_quote(text, sizeof(text), w), more);
    return false;
}

static const struct workload *workload_find(struct word name)
{
    for (unsigned int i = 0; i < nr_workloads; i++) {
        if (word_is(name, workloads[i]->name))
            return workloads[i];
    }
    return NULL;
}

/* Take "cpuN:" off the front, if it is there. */
static bool cpu_take(struct word *text, unsigned int ncpu, int *cpu, const struct mistake *m)
{
    struct word rest = *text, first = word_cut(&rest, ':');
    uint64_t n;

    *cpu = PLAN_ALL;
    if (first.n <= 3 || strncmp(first.s, "cpu", 3) != 0)
        return true;
    if (!word_number((struct word){first.s + 3, first.n - 3}, ncpu - 1, &n))
        return wrong(m, "there is no %s%s", first, "");
    *cpu = (int)n;
    *text = rest;
    return true;
}

static bool entry_parse(struct word text, unsigned int ncpu, struct plan_entry *e,
                        const struct mistake *m)
{
    struct word name, all = text;

    if (!cpu_take(&text, ncpu, &e->cpu, m))
        return false;
    name = word_cut(&text, ':');
    e->work = workload_find(name);
    e->argument = 0;
    if (!e->work)
        return wrong(m, "no workload is called %s%s", name, "");
    if (text.s == name.s + name.n)
        return !e->work->argument_needed ||
               wrong(m, "%s: an argument is missing: %s", name, e->work->argument);
    if (!e->work->accepts)
        return wrong(m, "%s: there is no argument%s", all, "");
    return e->work->accepts(text, &e->argument) ||
           wrong(m, "%s: the argument is %s", all, e->work->argument);
}

/* A workload's state on a CPU is there once. */
static bool twice(const struct plan *plan, const struct plan_entry *e)
{
    for (unsigned int i = 0; i < plan->nr; i++) {
        if (plan->entry[i].work == e->work && plan->entry[i].cpu == e->cpu)
            return true;
    }
    return false;
}

bool plan_parse(struct word text, unsigned int ncpu, struct plan *plan, char *why, size_t size)
{
    const struct mistake m = {why, size};

    plan->nr = 0;
    if (text.n && text.s[text.n - 1] == ',')
        return wrong(&m, "%s ends with a comma%s", text, "");
    do {
        struct word w = word_cut(&text, ',');
        struct plan_entry *e = &plan->entry[plan->nr];

        if (plan->nr == PLAN_MAX)
            return wrong(&m, "%s is one too many%s", w, "");
        if (!entry_parse(w, ncpu, e, &m))
            return false;
        if (twice(plan, e))
            return wrong(&m, "%s is there twice%s", w, "");
        plan->nr++;
    } while (text.n);
    return true;
}

unsigned int plan_for(const struct plan *plan, unsigned int cpu, struct plan_entry *mine)
{
    int wanted = PLAN_ALL;
    unsigned int n = 0;

    for (unsigned int i = 0; i < plan->nr; i++) {
        if (plan->entry[i].cpu == (int)cpu)
            wanted = (int)cpu;
    }
    for (unsigned int i = 0; i < plan->nr && n < PLAN_CPU_MAX; i++) {
        if (plan->entry[i].cpu == wanted)
            mine[n++] = plan->entry[i];
    }
    return n;
}
