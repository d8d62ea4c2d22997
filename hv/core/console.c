/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/console.h"
#include "core/census.h"
#include "core/check.h"
#include "core/cmdline.h"
#include "core/panic.h"
#include "core/printk.h"
#include "guest/guest.h"
#include "mm/domain_page.h"
#include "mm/page_alloc.h"
#include "mm/walk_print.h"
#include "work/work.h"

#define LINE_MAX  200
#define DUMP_MAX  32
#define QUOTE_MAX 40

static void command_help(struct word rest);

static void command_load(struct word rest)
{
    struct word plan = word_next(&rest);

    if (!plan.n)
        work_print();
    else if (word_next(&rest).n)
        printk("load: one list, without blanks\n");
    else if (work_load(plan))
        printk("load: done\n");
}

static void command_pace(struct word rest)
{
    struct word number = word_next(&rest);
    uint64_t pace;

    if (!word_number(number, PACE_MAX, &pace) || word_next(&rest).n) {
        printk("pace: a number from 0 to %u, of maps and unmaps a second on each CPU\n", PACE_MAX);
        return;
    }
    __atomic_store_n(&options.pace, pace, __ATOMIC_RELAXED);
    printk("pace: %lu\n", pace);
}

static void command_stats(struct word rest)
{
    (void)rest;
    work_print_totals();
    check_print_totals();
    guests_print();
    printk("domheap: %lu of %lu pages free\n", domheap_free_pages(), domheap_total_pages());
}

static void command_census(struct word rest)
{
    (void)rest;
    for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
        if (cpu_online_map >> cpu & 1)
            census_print(cpu);
    }
}

static void command_walk(struct word rest)
{
    struct word address = word_next(&rest);
    uint64_t va;

    if (!word_hex(address, &va) || word_next(&rest).n)
        printk("walk: one address, as 0x7f8000000000\n");
    else if (va >> 48)
        printk("walk: 0x%lx has more than 48 bits\n", va);
    else
        walk_print(va);
}

static void slot_print(unsigned int slot, lpae_t pte)
{
    printk("  %4u  entry 0x%016lx  mfn 0x%lx  refs %2u  %s\n", slot, pte, mfn_x(pte_mfn(pte)),
           pte_refs(pte), slot_state_name(slot_state(pte, PTE_XEN_BLOCK & SLOT_ATTR_MASK, true)));
}

/* The slots that are held, or those that are not and have an entry; *n counts them. */
static void slots_print(bool held, unsigned int *n)
{
    const lpae_t *map = this_cpu(xen_dommap);

    for (unsigned int slot = 0; slot < DOMHEAP_ENTRIES; slot++) {
        if (map[slot] && (pte_refs(map[slot]) != 0) == held && (*n)++ < DUMP_MAX)
            slot_print(slot, map[slot]);
    }
}

static void command_dump(struct word rest)
{
    unsigned int n = 0;

    (void)rest;
    slots_print(true, &n);
    slots_print(false, &n);
    printk("CPU%u: %u slots are not free%s, %lu references\n", smp_processor_id(), n,
           n > DUMP_MAX ? " (not all are shown)" : "", mapcache_refs());
}

static void command_panic(struct word rest)
{
    (void)rest;
    panic("asked for on the console");
}

static void command_off(struct word rest)
{
    (void)rest;
    work_stop();
}

static const struct command {
    const char *name;
    const char *argument; /* NULL: there may be none */
    void (*run)(struct word rest);
    const char *help;
} commands[] = {
    {"help", NULL, command_help, "this list, and the options of the command line"},
    {"load", "[PLAN]", command_load, "other work, as workload= has it; alone: the workloads"},
    {"pace", "N", command_pace, "maps and unmaps a second on each CPU; 0 is no wait"},
    {"stats", NULL, command_stats, "maps, unmaps and work of each CPU; guests; free memory"},
    {"census", NULL, command_census, "who holds which maps (boot with census=on)"},
    {"walk", "VA", command_walk, "the boot CPU's tables for an address, level by level"},
    {"dump", NULL, command_dump, "the boot CPU's slots that are not free"},
    {"panic", NULL, command_panic, "end with a panic, status 1"},
    {"off", NULL, command_off, "finish the work, check the counts, power off with status 0"},
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void command_help(struct word rest)
{
    (void)rest;
    for (unsigned int i = 0; i < NR_COMMANDS; i++)
        printk("%-6s %-6s %s\n", commands[i].name, commands[i].argument ? commands[i].argument : "",
               commands[i].help);
    printk("options of the command line (QEMU's -append):\n");
    cmdline_help();
}

static void line_run(struct word line)
{
    struct word name = word_next(&line);
    char text[QUOTE_MAX];

    if (!name.n)
        return;
    for (unsigned int i = 0; i < NR_COMMANDS; i++) {
        struct word rest = line;

        if (!word_is(name, commands[i].name))
            continue;
        if (!commands[i].argument && word_next(&rest).n)
            printk("%s: takes no argument\n", commands[i].name);
        else
            commands[i].run(line);
        return;
    }
    printk("unknown command %s: try help\n", word_quote(text, sizeof(text), name));
}

void console_poll(void)
{
    static char line[LINE_MAX];
    static size_t length;
    int c;

    while ((c = console_getc()) >= 0) {
        if (c == '\r' || c == '\n') {
            struct word typed = {line, length < LINE_MAX ? length : 0};

            if (length >= LINE_MAX)
                printk("a line has at most %u characters\n", LINE_MAX - 1);
            length = 0;
            line_run(typed);
        } else if (length < LINE_MAX) {
            line[length++] = (char)c;
        }
    }
}
