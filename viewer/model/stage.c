/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/stage.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HCR_E2H PTE_BIT(34)
#define WHOLE   (UINT64_C(1) << 48) /* an identity, in one piece */

static const struct {
    const char *name;
    size_t at; /* in struct beacon_guest */
} guest_registers[] = {
    {"HCR_EL2", offsetof(struct beacon_guest, hcr)},
    {"VTCR_EL2", offsetof(struct beacon_guest, vtcr)},
    {"VTTBR_EL2", offsetof(struct beacon_guest, vttbr)},
    {"SCTLR_EL1", offsetof(struct beacon_guest, sctlr)},
    {"TCR_EL1", offsetof(struct beacon_guest, tcr)},
    {"TTBR0_EL1", offsetof(struct beacon_guest, ttbr[0])},
    {"TTBR1_EL1", offsetof(struct beacon_guest, ttbr[1])},
    {"MAIR_EL1", offsetof(struct beacon_guest, mair)},
};

struct stage_cpu stage_cpu(const struct source *src, const struct machine *m, unsigned int cpu,
                           const uint64_t *root)
{
    struct stage_cpu c = {src, m, cpu, root, .guest_error = -ENOENT};

    c.guest_error = machine_read_guest(src, m, cpu, &c.guest);
    return c;
}

static int guest_register(const struct stage_cpu *c, const char *name, uint64_t *value)
{
    if (c->guest_error)
        return c->guest_error;
    for (size_t i = 0; i < sizeof(guest_registers) / sizeof(guest_registers[0]); i++) {
        if (strcmp(guest_registers[i].name, name) == 0) {
            memcpy(value, (const char *)&c->guest + guest_registers[i].at, sizeof(*value));
            return 0;
        }
    }
    return -ENOENT;
}

/* The CPU's own, where it can be asked; else what the machine says of it. */
static int read_register(const void *of, const char *name, uint64_t *value)
{
    const struct stage_cpu *c = of;

    if (machine_read_register(c->src, c->m, c->cpu, name, value) == 0)
        return 0;
    return guest_register(c, name, value);
}

struct registers stage_registers(const struct stage_cpu *c)
{
    return (struct registers){read_register, c};
}

int stage_require_guest(const struct stage_cpu *c, struct failure *f)
{
    uint64_t hcr;

    if (c->guest_error != -EAGAIN ||
        machine_read_register(c->src, c->m, c->cpu, "HCR_EL2", &hcr) == 0)
        return 0;
    return failure_set(f, EXIT_NOT_UNDERSTOOD,
                       "CPU%u is between two guests: its registers are being loaded; try again in "
                       "a moment",
                       c->cpu);
}

enum regime_name stage_own(const struct stage_cpu *c)
{
    uint64_t hcr;

    return read_register(c, "HCR_EL2", &hcr) == 0 && (hcr & HCR_E2H) ? REGIME_EL2_E2H : REGIME_EL2;
}

/* Our CPUs say where their root is, also while they have not switched to it. */
static bool published_root(const struct stage_cpu *c, uint64_t *root)
{
    struct beacon_cpu info;

    if (c->cpu >= c->m->beacon.ncpu || machine_read_cpu(c->src, c->m, c->cpu, &info) != 0 ||
        info.state != BEACON_CPU_ON || !info.root)
        return false;
    *root = info.root;
    return true;
}

int stage_open(const struct stage_cpu *c, enum regime_name name, bool high, struct stage *s,
               struct failure *f)
{
    struct registers regs = stage_registers(c);
    bool known = c->root || (name == REGIME_EL2 && published_root(c, &s->root));

    if (c->root)
        s->root = *c->root;
    if ((name == REGIME_EL1 || name == REGIME_S2) && stage_require_guest(c, f))
        return -1;
    if (!known && !regime_is_on(name, &regs, f))
        return -1;
    return regime_decode(&s->r, name, high, &regs, known ? NULL : &s->root, f);
}

int stage_below(const struct stage_cpu *c, enum regime_name name, struct stage *s,
                struct failure *f)
{
    struct registers regs = stage_registers(c);
    struct failure off;

    if (name != REGIME_EL1 || c->root || !regime_is_on(REGIME_S2, &regs, &off))
        return 0;
    return regime_decode(&s->r, REGIME_S2, false, &regs, &s->root, f) ? -1 : 1;
}

/* What is left when a stage is off: the address itself. */
static void identity(uint64_t ipa, struct walk *w)
{
    *w = (struct walk){.va = ipa, .pa = ipa, .size = WHOLE};
    w->a = (struct attributes){"rwx", "rwx", "normal-wb", "none", 0};
}

static void combine(struct guest_walk *g)
{
    struct walk *both = &g->both;

    *both = g->has_stage1 ? g->first : g->second;
    if (!g->has_ipa)
        return;
    both->faults = g->second.faults;
    both->fault_level = g->second.fault_level;
    if (g->second.faults)
        snprintf(both->fault, sizeof(both->fault), "stage 2: %.64s", g->second.fault);
    both->pa = g->second.pa;
    if (g->has_stage1) {
        both->size = g->first.size < g->second.size ? g->first.size : g->second.size;
        attributes_combine(&both->a, &g->second.a);
    }
}

static int walk_first(struct table_memory *memory, uint64_t va, struct guest_walk *g,
                      struct failure *f)
{
    struct guest_memory through = guest_memory(memory, &g->stage2.r, g->stage2.root);

    if (!g->has_stage1) {
        g->has_ipa = true;
        g->ipa = va;
        return 0;
    }
    if (walk_va(&g->stage1.r, g->has_stage2 ? &through.memory : memory, g->stage1.root, va,
                &g->first, f))
        return -1;
    g->has_ipa = !g->first.faults;
    g->ipa = g->first.pa;
    return 0;
}

int stage_walk_guest(const struct registers *regs, struct table_memory *memory, uint64_t va,
                     struct guest_walk *g, struct failure *f)
{
    struct failure off;

    *g = (struct guest_walk){0};
    g->has_stage1 = regime_is_on(REGIME_EL1, regs, &off);
    g->has_stage2 = regime_is_on(REGIME_S2, regs, &off);
    if ((g->has_stage1 && regime_decode(&g->stage1.r, REGIME_EL1, regime_is_high(REGIME_EL1, va),
                                        regs, &g->stage1.root, f)) ||
        (g->has_stage2 &&
         regime_decode(&g->stage2.r, REGIME_S2, false, regs, &g->stage2.root, f)) ||
        walk_first(memory, va, g, f))
        return -1;
    if (g->has_ipa && !g->has_stage2)
        identity(g->ipa, &g->second);
    else if (g->has_ipa && walk_va(&g->stage2.r, memory, g->stage2.root, g->ipa, &g->second, f))
        return -1;
    combine(g);
    return 0;
}
