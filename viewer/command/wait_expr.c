/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/wait.h"

#include "model/lookup.h"

#include <stdlib.h>
#include <string.h>

#define TERM_MAX 64

static const char *const operators[] = {"==", "!=", ">=", "<=", ">", "<"};

/* Fields of a slot, of a CPU, of the machine, and where they come from. */
enum source_of { OF_SLOT, OF_CPU, OF_COUNTER, OF_MACHINE };

static const struct field {
    const char *name;
    enum source_of of;
    size_t at; /* OF_COUNTER: offset in struct beacon_cpu; OF_CPU: enum slot_state */
} fields[] = {
    {"refs", OF_SLOT, 0},
    {"state", OF_SLOT, 1},
    {"mfn", OF_SLOT, 2},
    {"pa", OF_SLOT, 3},
    {"free", OF_CPU, SLOT_FREE},
    {"cached", OF_CPU, SLOT_CACHED},
    {"in-use", OF_CPU, SLOT_IN_USE},
    {"saturated", OF_CPU, SLOT_SATURATED},
    {"broken", OF_CPU, SLOT_BROKEN},
    {"refs", OF_CPU, SLOT_STATES},
    {"state", OF_CPU, SLOT_STATES + 1},
    {"maps", OF_COUNTER, offsetof(struct beacon_cpu, maps)},
    {"unmaps", OF_COUNTER, offsetof(struct beacon_cpu, unmaps)},
    {"hits", OF_COUNTER, offsetof(struct beacon_cpu, hits)},
    {"commandeers", OF_COUNTER, offsetof(struct beacon_cpu, commandeers)},
    {"probes", OF_COUNTER, offsetof(struct beacon_cpu, probes)},
    {"bypasses", OF_COUNTER, offsetof(struct beacon_cpu, bypasses)},
    {"work", OF_COUNTER, offsetof(struct beacon_cpu, work)},
    {"state", OF_MACHINE, 0},
};

#define NR_FIELDS (sizeof(fields) / sizeof(fields[0]))

/* Words that stand for numbers, by what they are the state of. */
static const struct {
    enum source_of of;
    const char *word;
    uint64_t value;
} words[] = {
    {OF_SLOT, "free", SLOT_FREE},
    {OF_SLOT, "cached", SLOT_CACHED},
    {OF_SLOT, "in-use", SLOT_IN_USE},
    {OF_SLOT, "saturated", SLOT_SATURATED},
    {OF_SLOT, "broken", SLOT_BROKEN},
    {OF_CPU, "off", BEACON_CPU_OFF},
    {OF_CPU, "mmu-off", BEACON_CPU_MMU_OFF},
    {OF_CPU, "on", BEACON_CPU_ON},
    {OF_MACHINE, "mmu-on", BEACON_MMU_ON},
    {OF_MACHINE, "ready", BEACON_MAPCACHE_READY},
    {OF_MACHINE, "panicked", BEACON_PANICKED},
    {OF_MACHINE, "off", BEACON_OFF},
};

static int bad(struct failure *f, const char *text)
{
    return failure_set(f, EXIT_USAGE,
                       "%s is no expression: write it like cpu0.slot36.refs>=2; "
                       "see hvscope --help",
                       text);
}

/* "cpu0." or "slot36." in front: the number, and *text behind it; -1 if it is not there. */
static int take_index(const char **text, const char *prefix, uint64_t below)
{
    size_t len = strlen(prefix);
    char *end;
    unsigned long n;

    if (strncmp(*text, prefix, len) != 0 || (*text)[len] < '0' || (*text)[len] > '9')
        return -1;
    n = strtoul(*text + len, &end, 10);
    if (*end != '.' || n >= below)
        return -1;
    *text = end + 1;
    return (int)n;
}

static bool find_field(struct wait_expr *e, const char *name)
{
    for (unsigned int i = 0; i < NR_FIELDS; i++) {
        enum source_of of = fields[i].of;

        if (strcmp(fields[i].name, name) == 0 && (of == OF_SLOT) == (e->slot >= 0) &&
            (of == OF_MACHINE) == (e->cpu < 0)) {
            e->field = i;
            return true;
        }
    }
    return false;
}

static bool parse_value(struct wait_expr *e, const char *text)
{
    bool state = strcmp(fields[e->field].name, "state") == 0;

    for (size_t i = 0; state && i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i].of == fields[e->field].of && strcmp(words[i].word, text) == 0) {
            e->value = words[i].value;
            return true;
        }
    }
    return !state && parse_number(text, &e->value);
}

int wait_parse(const char *text, struct wait_expr *e, struct failure *f)
{
    size_t len = strcspn(text, "=!<>");
    const char *rest = text;
    char term[TERM_MAX];
    int op = 0;

    while (op < 6 && strncmp(text + len, operators[op], strlen(operators[op])) != 0)
        op++;
    e->cpu = take_index(&rest, "cpu", BEACON_CPUS_MAX);
    e->slot = e->cpu >= 0 ? take_index(&rest, "slot", SLOTS_MAX) : -1;
    if (op == 6 || rest > text + len || (size_t)(text + len - rest) >= sizeof(term))
        return bad(f, text);
    snprintf(term, sizeof(term), "%.*s", (int)(text + len - rest), rest);
    e->op = (enum wait_operator)op;
    if (!find_field(e, term) || !parse_value(e, text + len + strlen(operators[op])))
        return bad(f, text);
    return 0;
}

static bool slot_value(const struct field *field, const struct snapshot *snap,
                       const struct cpu_snapshot *c, unsigned int slot, uint64_t *value)
{
    struct slot_info i;

    if (slot >= snap->machine.beacon.domheap_entries || c->state[slot] == SLOT_UNREAD)
        return false;
    i = cpu_slot(&snap->machine, c, slot);
    *value = field->at == 0 ? i.refs : field->at == 1 ? i.state : field->at == 2 ? i.mfn : i.pa;
    return field->at < 2 || i.block;
}

bool wait_is_counter(const struct wait_expr *e)
{
    return fields[e->field].of == OF_COUNTER;
}

bool wait_value(const struct wait_expr *e, const struct snapshot *snap, uint64_t *value)
{
    const struct field *field = &fields[e->field];
    const struct cpu_snapshot *c;

    if (field->of == OF_MACHINE) {
        *value = snap->machine.beacon.state;
        return true;
    }
    if ((unsigned int)e->cpu >= snap->ncpu)
        return false;
    c = &snap->cpu[e->cpu];
    if (field->of == OF_CPU && field->at == SLOT_STATES + 1) {
        *value = c->info.state;
        return true;
    }
    if (!c->on)
        return false;
    if (field->of == OF_SLOT)
        return slot_value(field, snap, c, (unsigned int)e->slot, value);
    if (field->of == OF_CPU)
        *value = field->at == SLOT_STATES ? c->refs : c->counts[field->at];
    else
        memcpy(value, (const char *)&c->info + field->at, sizeof(*value));
    return true;
}

bool wait_holds(const struct wait_expr *e, uint64_t value)
{
    switch (e->op) {
    case WAIT_EQ:
        return value == e->value;
    case WAIT_NE:
        return value != e->value;
    case WAIT_GE:
        return value >= e->value;
    case WAIT_LE:
        return value <= e->value;
    case WAIT_GT:
        return value > e->value;
    default:
        return value < e->value;
    }
}
