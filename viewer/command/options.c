/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/options.h"

#include "command/option_table.h"

#include <stdlib.h>
#include <string.h>

/* argv[*i] is an option; moves *i to the last word of it. */
static int parse_option(struct parser *p, int argc, char *const argv[], int *i)
{
    const char *word = argv[*i], *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);

    for (size_t row = 0; row < nr_options; row++) {
        const struct option_row *r = &option_table[row];

        if (strlen(r->name) != len || strncmp(r->name, word, len) != 0)
            continue;
        p->used |= UINT64_C(1) << row;
        if (!r->value && equals)
            return usage(p, "%s takes no value: leave out %s", r->name, equals);
        if (!r->value)
            return r->set(p, r->name, NULL);
        if (equals)
            return r->set(p, r->name, equals + 1);
        if (++*i >= argc)
            return usage(p, "%s needs a value: %s", r->name, r->value);
        return r->set(p, r->name, argv[*i]);
    }
    return usage(p, "unknown option %s: see hvscope --help%s", word, "");
}

/* The command, then what it works on. */
static int parse_word(struct parser *p, const char *word, const struct command_row **command)
{
    if (*command && p->o->nr_operands < (*command)->operands) {
        p->o->operand[p->o->nr_operands++] = word;
        return 0;
    }
    if (*command)
        return usage(p, "one argument too many: %s; see hvscope --help%s", word, "");
    for (size_t row = 0; row < nr_commands; row++) {
        if (strcmp(word, command_table[row].name) == 0)
            *command = &command_table[row];
    }
    if (!*command)
        return usage(p, "unknown command %s: see hvscope --help%s", word, "");
    if (p->o->command == COMMAND_VIEW)
        p->o->command = (*command)->command;
    return 0;
}

static int check_operands(struct parser *p, const struct command_row *command)
{
    if (!command || p->o->command != command->command || p->o->nr_operands == command->operands)
        return 0;
    return usage(p, "%s needs %s: see hvscope --help", command->name, command->operand);
}

static int check_combination(struct parser *p)
{
    struct target_spec *t = &p->o->target;
    const char *env = getenv("HVSCOPE_DIR");

    for (size_t c = 0; c < nr_commands; c++) {
        for (size_t row = 0; row < nr_options; row++) {
            if (p->o->command == command_table[c].command && (p->used >> row & 1) &&
                !(option_table[row].commands >> command_table[c].command & 1))
                return usage(p, "%s does not know %s: see hvscope --help", command_table[c].name,
                             option_table[row].name);
        }
    }
    if ((t->dir != NULL) + (t->nr_ram > 0) + (t->recording != NULL) + (t->qmp != NULL) +
            (t->gdb != NULL) + (t->core != NULL) >
        1)
        return usage(p,
                     "two targets are named: give one of --dir, --qmp, --ram, --gdb, --core, "
                     "--recording%s%s",
                     "", "");
    if (!t->dir)
        t->dir = env && *env ? env : DIR_DEFAULT;
    return 0;
}

int options_parse(struct options *o, int argc, char *const argv[], struct failure *f)
{
    struct parser p = {.o = o, .f = f};
    const struct command_row *command = NULL;
    const char *no_color = getenv("NO_COLOR");
    int ret = 0;

    *o = (struct options){.command = COMMAND_VIEW, .hz = HZ_DEFAULT, .max_size = 256u << 20};
    o->no_color = no_color && *no_color;
    for (int i = 1; i < argc && ret == 0; i++) {
        if (argv[i][0] == '-' && argv[i][1])
            ret = parse_option(&p, argc, argv, &i);
        else
            ret = parse_word(&p, argv[i], &command);
    }
    return ret || check_operands(&p, command) ? -1 : check_combination(&p);
}

void options_free(struct options *o)
{
    for (unsigned int i = 0; i < RAM_FILES_MAX; i++)
        free(o->ram_path[i]);
}

int options_check_cpus(const struct options *o, unsigned int ncpu, struct failure *f)
{
    unsigned int cpu = 0;

    if (!o->some_cpus || ncpu >= BEACON_CPUS_MAX || !(o->cpu_mask >> ncpu))
        return 0;
    while (cpu < ncpu || !(o->cpu_mask >> cpu & 1))
        cpu++;
    if (ncpu == 1)
        return failure_set(f, EXIT_USAGE, "no CPU%u: this machine has 1 (0)", cpu);
    return failure_set(f, EXIT_USAGE, "no CPU%u: this machine has %u (0-%u)", cpu, ncpu, ncpu - 1);
}

static void print_option(FILE *out, const struct option_row *r)
{
    char left[32];

    snprintf(left, sizeof(left), "%s%s%s", r->name, r->value ? " " : "", r->value ? r->value : "");
    fprintf(out, "  %-18s  ", left);
    for (const char *c = r->help; *c; c++) {
        fputc(*c, out);
        if (*c == '\n')
            fprintf(out, "%22s", "");
    }
    fputc('\n', out);
}

static const char schema_help[] =
    "\n"
    "JSON, one object a line; addresses are strings in hexadecimal, counts numbers,\n"
    "null what has no meaning:\n"
    "  hvscope.mapcache/1  dump     hvscope.walk/1  walk     hvscope.ranges/1  map\n"
    "  hvscope.event/1    events: seq, t (ns), cpu, event, then what it has:\n"
    "                     map, unmap, bypass: slot, mfn, refs, hit, probe, caller,\n"
    "                     where; pte: regime, pa, old, new, level, ticket; tlbi: op,\n"
    "                     va, size, scope; dsb, isb: domain, type; ttbr: value; irq,\n"
    "                     finding, panic, boot: message; lost: count\n"
    "  hvscope.check/1    verdict (clean, findings, incomplete), read: entries,\n"
    "                     events, lost, unjudged; findings: rule, severity, tier,\n"
    "                     certain, cpu, slot, count, window_events, window_ns,\n"
    "                     window_irqs (the longest, until the completed TLBI),\n"
    "                     where, message\n"
    "  hvscope.cpus/1     target, state, cpus: cpu, state, root, generation, inside,\n"
    "                     thread, el, mmu, pc, symbol (null while it runs; thread and\n"
    "                     mmu: with --gdb)\n"
    "  hvscope.stats/1    cpus: cpu, state, counts, maps, unmaps, hits,\n"
    "                     commandeers, probes, bypasses, work, verified, refs (slots\n"
    "                     by count 0-15), probe (slots by distance: 0, 1, 2-3, 4-7,\n"
    "                     ..., 512-1023)\n"
    "  hvscope.find/1     what, read_as, mfn, pa, slots: cpu, slot, va, state, refs,\n"
    "                     home, probe\n"
    "  hvscope.explain/1  an object a CPU: cpu, engine, mfn, home, verdict (hit,\n"
    "                     take, commandeer, full, bypass; clock: remake, flush,\n"
    "                     reclaim), slot, refs, probe, steps: slot, pte, refs,\n"
    "                     reason; duplicates: other slots that map it; chain of\n"
    "                     the frame, flushed, victims: slots freed first (clock)\n"
    "  hvscope.diff/1     a, b, cpus: cpu, slots: slot, a, b (entries)\n"
    "  hvscope.wait/1     expr, value, waited_ns\n"
    "\n"
    "check: rules are those of the Arm ARM (DDI 0487, break-before-make): a hazard\n"
    "is a live entry overwritten in a table that one CPU walks (RFVQCK), a violation\n"
    "in one that several walk (RWHZWS); RDDMVT: made before the break was complete.\n"
    "casemate: one EL2 root a file, vae2/vale2/ranges as vae2is (a 2 MiB block each),\n"
    "alle2 as alle2is, dsb nsh/osh/sy as ish, the st ones as ishst, ld ones left out.\n"
    "\n"
    "wait: cpuN.slotM.refs|state|mfn|pa, cpuN.free|cached|in-use|saturated|broken,\n"
    "cpuN.refs|maps|unmaps|hits|commandeers|probes|bypasses|work|state; or state;\n"
    "then == != >= <= > < and a number or a state (ready, panicked, off, in-use...).\n";

static void print_command(FILE *out, const struct command_row *r)
{
    char left[32];

    snprintf(left, sizeof(left), "%s %s", r->name, r->operand);
    fprintf(out, "  %-18s  %s\n", left, r->help);
}

void options_print_help(FILE *out)
{
    fputs("hvscope - look into the mapcache of a running hypervisor\n\n"
          "usage: hvscope [options] [command] [options]\n\n",
          out);
    for (size_t i = 0; i < nr_commands; i++)
        print_command(out, &command_table[i]);
    fputc('\n', out);
    for (size_t i = 0; i < nr_options; i++) {
        if (option_table[i].help)
            print_option(out, &option_table[i]);
    }
    fputs("\nReading never stops the machine (but for --gdb) and never writes to it.\n"
          "Exit status: 0 done, 1 check has findings or wait timed out, 2 bad usage,\n"
          "3 no target, 4 target not understood, 5 no mapcache (yet), 6 check is\n"
          "incomplete, 130/143 interrupted.\n"
          "The patch, and the smallest change that makes it break before it makes:\n"
          "README.md, \"One minute for a Xen developer\".\n",
          out);
    fputs(schema_help, out);
}
