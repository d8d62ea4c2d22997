/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/console.h"
#include "core/printk.h"
#include "core/string.h"
#include "mm/page_alloc.h"
#include "work/work.h"

#define LINE_MAX 80

static void command_help(void);

static void command_stats(void)
{
    work_print_totals();
    printk("domheap: %lu of %lu pages free\n", domheap_free_pages(), domheap_total_pages());
}

static const struct command {
    const char *name;
    void (*run)(void);
    const char *help;
} commands[] = {
    {"help", command_help, "this list"},
    {"stats", command_stats, "maps, unmaps and work of each CPU; free memory"},
    {"off", work_stop, "finish the work, check the counts, power off with status 0"},
};

static void command_help(void)
{
    for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
        printk("%-6s %s\n", commands[i].name, commands[i].help);
}

static void line_run(const char *line)
{
    if (!*line)
        return;
    for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(line, commands[i].name) == 0) {
            commands[i].run();
            return;
        }
    }
    printk("unknown command: try help\n");
}

void console_poll(void)
{
    static char line[LINE_MAX];
    static unsigned int length;
    int c;

    while ((c = console_getc()) >= 0) {
        if (c == '\r' || c == '\n') {
            line[length] = '\0';
            length = 0;
            line_run(line);
        } else if (length < LINE_MAX - 1) {
            line[length++] = (char)c;
        }
    }
}
