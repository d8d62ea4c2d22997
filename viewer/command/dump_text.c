/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text form. GDB's mapcache-dump prints the same bytes.
 */
#include "command/context.h"
#include "command/dump.h"

#include <inttypes.h>

static void hex(char *buf, size_t size, bool known, uint64_t value)
{
    if (known)
        snprintf(buf, size, "0x%" PRIx64, value);
    else
        snprintf(buf, size, "-");
}

static void decimal(char *buf, size_t size, bool known, unsigned int value)
{
    if (known)
        snprintf(buf, size, "%u", value);
    else
        snprintf(buf, size, "-");
}

static void print_chain_entry(FILE *out, const struct machine *m, const struct chain_entry *e)
{
    unsigned int first = (unsigned int)e->page * PT_ENTRIES;
    unsigned int last = first + PT_ENTRIES - 1;
    char name[16], pte[24];

    if (last >= m->beacon.domheap_entries)
        last = m->beacon.domheap_entries - 1;
    snprintf(name, sizeof(name), "L%u[%u]", e->level, e->index);
    snprintf(pte, sizeof(pte), "0x%" PRIx64, e->pte);
    fprintf(out, "  %-7s  %-18s  -> ", name, pte);
    if (e->end == CHAIN_INVALID)
        fprintf(out, "nothing: invalid entry\n");
    else if (e->end == CHAIN_BLOCK)
        fprintf(out, "nothing: a block, not a table\n");
    else if (e->end == CHAIN_OUTSIDE)
        fprintf(out, "nothing: 0x%" PRIx64 " is outside RAM\n", e->next);
    else if (e->page < 0)
        fprintf(out, "L1 at 0x%" PRIx64 "\n", e->next);
    else
        fprintf(out, "L2 at 0x%" PRIx64 ", slots %u-%u\n", e->next, first, last);
}

static void print_slot(FILE *out, const struct slot_info *i)
{
    char va[24], mfn[24], pa[24], home[16], probe[16];

    hex(va, sizeof(va), true, i->va);
    hex(mfn, sizeof(mfn), i->block, i->mfn);
    hex(pa, sizeof(pa), i->block, i->pa);
    decimal(home, sizeof(home), i->block && i->has_home, i->home);
    decimal(probe, sizeof(probe), i->block && i->has_home, i->probe);
    fprintf(out, "  %4u  %-14s  %-9s  %-14s  %4u  %-9s  %4s  %5s\n", i->slot, va, mfn, pa, i->refs,
            slot_state_name(i->state), home, probe);
}

static void print_slots(FILE *out, const struct machine *m, const struct cpu_snapshot *c,
                        const struct options *o)
{
    bool head = false;

    for (unsigned int slot = 0; slot < m->beacon.domheap_entries; slot++) {
        struct slot_info info;

        if (!dump_wants_slot(o, c, slot))
            continue;
        if (!head)
            fprintf(out, "  slot  va              mfn        pa              refs  state      "
                         "home  probe\n");
        head = true;
        info = cpu_slot(m, c, slot);
        print_slot(out, &info);
    }
}

static void print_cpu(FILE *out, const struct machine *m, const struct cpu_snapshot *c,
                      const struct options *o)
{
    if (!c->on) {
        fprintf(out, "CPU%u  %s\n", c->cpu, machine_cpu_state_name(c->info.state));
        return;
    }
    fprintf(out, "CPU%u  root 0x%" PRIx64 "%s\n", c->cpu, c->info.root,
            c->consistent ? "" : "  (changing while it was read)");
    for (unsigned int i = 0; i < c->chain.nr; i++)
        print_chain_entry(out, m, &c->chain.entry[i]);
    print_slots(out, m, c, o);
    fprintf(out, "  %u free, %u cached, %u in-use, %u saturated, %u broken; %u refs\n",
            c->counts[SLOT_FREE], c->counts[SLOT_CACHED], c->counts[SLOT_IN_USE],
            c->counts[SLOT_SATURATED], c->counts[SLOT_BROKEN], c->refs);
}

void dump_text(FILE *out, const struct snapshot *snap, const struct options *o)
{
    context_text_head(out, &snap->machine);
    for (unsigned int i = 0; i < snap->ncpu; i++) {
        if (dump_wants_cpu(o, i))
            print_cpu(out, &snap->machine, &snap->cpu[i], o);
    }
}
