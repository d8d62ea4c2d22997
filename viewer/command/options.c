/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DIR_DEFAULT "build/run"

/* Which commands know an option. */
#define FOR_VIEW 1u
#define FOR_DUMP 2u
#define FOR_BOTH (FOR_VIEW | FOR_DUMP)

struct parser {
    struct options *o;
    struct failure *f;
    unsigned int used; /* bit n: row n of the table was given */
};

typedef int (*option_setter)(struct parser *p, const char *name, const char *value);

/* format takes two strings, whatever it does with them. */
static int usage(struct parser *p, const char *format, const char *a, const char *b)
{
    char text[FAILURE_TEXT_MAX];

    snprintf(text, sizeof(text), format, a, b);
    return failure_set(p->f, EXIT_USAGE, "%s", text);
}

/* A number and nothing else; 0x and leading 0 as in C would surprise: 0x only. */
static bool parse_u64(const char *text, uint64_t *value)
{
    bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
    const char *digits = hex ? text + 2 : text;
    char *end;

    if (!digits[0] ||
        strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789") != strlen(digits))
        return false;
    errno = 0;
    *value = strtoull(digits, &end, hex ? 16 : 10);
    return errno == 0 && *end == '\0';
}

static int set_dir(struct parser *p, const char *name, const char *value)
{
    if (!*value)
        return usage(p, "%s needs the name of a run directory%s", name, "");
    p->o->target.dir = value;
    return 0;
}

/* FILE@PA; a file whose name ends like that is taken as it is. */
static int set_ram(struct parser *p, const char *name, const char *value)
{
    struct target_spec *t = &p->o->target;
    const char *at = strrchr(value, '@');
    uint64_t pa = RAM_BASE;
    char *path;

    if (t->nr_ram == RAM_FILES_MAX)
        return usage(p, "%s: at most 8 RAM files can be given%s", name, "");
    if (at && access(value, F_OK) == 0)
        at = NULL;
    if (at && (!parse_u64(at + 1, &pa) || pa % 4096))
        return usage(p, "%s %s: behind the @ an address is needed, a multiple of 0x1000", name,
                     value);
    path = at ? strndup(value, at - value) : strdup(value);
    if (!path || !*path) {
        free(path);
        return usage(p, "%s needs the name of a RAM file%s", name, "");
    }
    p->o->ram_path[t->nr_ram] = path;
    t->ram[t->nr_ram++] = (struct ram_spec){path, pa};
    return 0;
}

static int set_beacon(struct parser *p, const char *name, const char *value)
{
    if (!parse_u64(value, &p->o->target.beacon_pa) || p->o->target.beacon_pa % 8)
        return usage(p, "%s %s: a physical address is needed, a multiple of 8, such as 0x40210000",
                     name, value);
    p->o->target.has_beacon = true;
    return 0;
}

static int set_cpus(struct parser *p, const char *name, const char *value)
{
    char *list = strdup(value), *rest = list, *item;
    int ret = list && *value ? 0 : -1;
    uint64_t cpu;

    while (ret == 0 && (item = strsep(&rest, ",")) != NULL) {
        if (!parse_u64(item, &cpu) || cpu >= BEACON_CPUS_MAX)
            ret = -1;
        else
            p->o->cpu_mask |= UINT64_C(1) << cpu;
    }
    free(list);
    if (ret)
        return usage(p, "%s %s: numbers of CPUs from 0 to 63 are needed, as in 0 or 0,2", name,
                     value);
    p->o->some_cpus = true;
    return 0;
}

static int set_hz(struct parser *p, const char *name, const char *value)
{
    uint64_t hz;

    if (!parse_u64(value, &hz) || hz < HZ_MIN || hz > HZ_MAX)
        return usage(p, "%s %s: a number from 1 to 60 is needed", name, value);
    p->o->hz = hz;
    return 0;
}

#define FLAG(field)                                                                                \
    static int set_##field(struct parser *p, const char *name, const char *value)                  \
    {                                                                                              \
        (void)name;                                                                                \
        (void)value;                                                                               \
        p->o->field = true;                                                                        \
        return 0;                                                                                  \
    }

FLAG(json)
FLAG(all)
FLAG(once)
FLAG(no_color)
FLAG(ascii)
FLAG(no_mouse)

static int set_help(struct parser *p, const char *name, const char *value)
{
    (void)name;
    (void)value;
    p->o->command = COMMAND_HELP;
    return 0;
}

static int set_version(struct parser *p, const char *name, const char *value)
{
    (void)name;
    (void)value;
    if (p->o->command != COMMAND_HELP)
        p->o->command = COMMAND_VERSION;
    return 0;
}

static const struct option_row {
    const char *name;
    const char *value; /* NULL: takes none */
    unsigned int commands;
    option_setter set;
    const char *help;
} option_table[] = {
    {"--dir", "DIR", FOR_BOTH, set_dir,
     "the machine of a run directory (default: $HVSCOPE_DIR,\nelse " DIR_DEFAULT ")"},
    {"--ram", "FILE[@PA]", FOR_BOTH, set_ram,
     "a RAM file alone, as a machine left it behind; PA is its\naddress (default 0x40000000); can "
     "be repeated"},
    {"--beacon", "PA", FOR_BOTH, set_beacon, "where the beacon is, if not where the image says"},
    {"--cpu", "N[,N...]", FOR_BOTH, set_cpus, "dump: only these CPUs; view: begin with this one"},
    {"--json", NULL, FOR_DUMP, set_json, "one JSON object on one line (hvscope.mapcache/1)"},
    {"--all", NULL, FOR_DUMP, set_all, "free slots too"},
    {"--hz", "N", FOR_VIEW, set_hz, "look N times a second, 1 to 60 (default 10)"},
    {"--once", NULL, FOR_VIEW, set_once, "print one picture as text and exit"},
    {"--no-color", NULL, FOR_BOTH, set_no_color, "no colours (also: NO_COLOR is set)"},
    {"--ascii", NULL, FOR_BOTH, set_ascii, "no characters but ASCII"},
    {"-M", NULL, FOR_VIEW, set_no_mouse, "leave the mouse to the terminal"},
    {"--help", NULL, FOR_BOTH, set_help, "this text"},
    {"-h", NULL, FOR_BOTH, set_help, NULL},
    {"--version", NULL, FOR_BOTH, set_version, "version, and the beacon version it reads"},
};

#define NR_OPTIONS (sizeof(option_table) / sizeof(option_table[0]))

static const struct command_row {
    const char *name;
    enum command command;
    unsigned int bit;
    const char *help;
} command_table[] = {
    {"view", COMMAND_VIEW, FOR_VIEW, "watch the mapcache on the terminal (default)"},
    {"dump", COMMAND_DUMP, FOR_DUMP, "print tables and slots of every CPU"},
};

#define NR_COMMANDS (sizeof(command_table) / sizeof(command_table[0]))

/* argv[*i] is an option; moves *i to the last word of it. */
static int parse_option(struct parser *p, int argc, char *const argv[], int *i)
{
    const char *word = argv[*i], *equals = strchr(word, '=');
    size_t len = equals ? (size_t)(equals - word) : strlen(word);

    for (size_t row = 0; row < NR_OPTIONS; row++) {
        const struct option_row *r = &option_table[row];

        if (strlen(r->name) != len || strncmp(r->name, word, len) != 0)
            continue;
        p->used |= 1u << row;
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

static int parse_command(struct parser *p, const char *word, bool *seen)
{
    if (*seen)
        return usage(p, "one argument too many: %s; see hvscope --help%s", word, "");
    *seen = true;
    for (size_t row = 0; row < NR_COMMANDS; row++) {
        if (strcmp(word, command_table[row].name) == 0) {
            if (p->o->command == COMMAND_VIEW)
                p->o->command = command_table[row].command;
            return 0;
        }
    }
    return usage(p, "unknown command %s: there are view and dump; see hvscope --help%s", word, "");
}

static int check_combination(struct parser *p)
{
    struct target_spec *t = &p->o->target;
    const char *env = getenv("HVSCOPE_DIR");

    for (size_t c = 0; c < NR_COMMANDS; c++) {
        for (size_t row = 0; row < NR_OPTIONS; row++) {
            if (p->o->command == command_table[c].command && (p->used & (1u << row)) &&
                !(option_table[row].commands & command_table[c].bit))
                return usage(p, "%s does not know %s: see hvscope --help", command_table[c].name,
                             option_table[row].name);
        }
    }
    if (t->dir && t->nr_ram)
        return usage(p, "--dir and --ram name two targets: give one of them%s%s", "", "");
    if (!t->dir)
        t->dir = env && *env ? env : DIR_DEFAULT;
    return 0;
}

int options_parse(struct options *o, int argc, char *const argv[], struct failure *f)
{
    struct parser p = {.o = o, .f = f};
    bool command_seen = false;
    const char *no_color = getenv("NO_COLOR");
    int ret = 0;

    *o = (struct options){.command = COMMAND_VIEW, .hz = HZ_DEFAULT};
    o->no_color = no_color && *no_color;
    for (int i = 1; i < argc && ret == 0; i++) {
        if (argv[i][0] == '-' && argv[i][1])
            ret = parse_option(&p, argc, argv, &i);
        else
            ret = parse_command(&p, argv[i], &command_seen);
    }
    return ret ? ret : check_combination(&p);
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

void options_print_help(FILE *out)
{
    fputs("hvscope - look into the mapcache of a running hypervisor\n\n"
          "usage: hvscope [options] [command] [options]\n\n",
          out);
    for (size_t i = 0; i < NR_COMMANDS; i++)
        fprintf(out, "  %-18s  %s\n", command_table[i].name, command_table[i].help);
    fputc('\n', out);
    for (size_t i = 0; i < NR_OPTIONS; i++) {
        if (option_table[i].help)
            print_option(out, &option_table[i]);
    }
    fputs("\nReading never stops the machine and never writes to it.\n"
          "Exit status: 0 done, 2 bad usage, 3 no target, 4 target not understood,\n"
          "5 no mapcache (yet), 130/143 interrupted.\n",
          out);
}
