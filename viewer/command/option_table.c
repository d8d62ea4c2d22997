/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/option_table.h"

#include "model/lookup.h"
#include "model/profile.h"
#include "model/regime.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Which commands know an option. */
#define BIT(command) (1u << COMMAND_##command)
#define FOR_ALL      (~0u)
#define FOR_DATA     (FOR_ALL & ~(BIT(VIEW) | BIT(SNAPSHOT) | BIT(RECORD)))
#define FOR_CPU      (BIT(VIEW) | FOR_DATA)
#define FOR_TARGET   FOR_ALL

int usage(struct parser *p, const char *format, const char *a, const char *b)
{
    char text[FAILURE_TEXT_MAX];

    snprintf(text, sizeof(text), format, a, b);
    return failure_set(p->f, EXIT_USAGE, "%s", text);
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
    if (at && (!parse_number(at + 1, &pa) || pa % 4096))
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

static int set_recording(struct parser *p, const char *name, const char *value)
{
    if (!*value)
        return usage(p, "%s needs the name of a snapshot or recording%s", name, "");
    p->o->target.recording = value;
    return 0;
}

static int set_qmp(struct parser *p, const char *name, const char *value)
{
    if (!*value)
        return usage(p, "%s needs the name of a QMP socket%s", name, "");
    p->o->target.qmp = value;
    return 0;
}

static int set_gdb(struct parser *p, const char *name, const char *value)
{
    if (!*value)
        return usage(p, "%s needs the address of a gdb stub, such as build/run/gdb.sock%s", name,
                     "");
    p->o->target.gdb = value;
    return 0;
}

static int set_core(struct parser *p, const char *name, const char *value)
{
    if (!*value)
        return usage(p, "%s needs the name of a file of QEMU's dump-guest-memory%s", name, "");
    p->o->target.core = value;
    return 0;
}

static int set_elf(struct parser *p, const char *name, const char *value)
{
    if (!*value)
        return usage(p, "%s needs the name of the image's ELF file%s", name, "");
    p->o->elf = p->o->target.elf = value;
    return 0;
}

static int set_beacon(struct parser *p, const char *name, const char *value)
{
    if (!parse_number(value, &p->o->target.beacon_pa) || p->o->target.beacon_pa % 8)
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
        if (!parse_number(item, &cpu) || cpu >= BEACON_CPUS_MAX)
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

static int set_profile(struct parser *p, const char *name, const char *value)
{
    char names[64];

    profile_names(names, sizeof(names));
    if (!profile_find(value))
        return usage(p, "there is no profile %s; there are %s", value, names);
    (void)name;
    p->o->target.profile = value;
    return 0;
}

static int set_regime(struct parser *p, const char *name, const char *value)
{
    if (regime_find(value) == REGIMES && strcmp(value, "guest") != 0)
        return usage(p, "%s %s: there are el2, el2-e2h, el1 and s2, and guest for a walk", name,
                     value);
    p->o->regime = value;
    return 0;
}

static int set_hz(struct parser *p, const char *name, const char *value)
{
    uint64_t hz;

    if (!parse_number(value, &hz) || hz < HZ_MIN || hz > HZ_MAX)
        return usage(p, "%s %s: a number from 1 to 60 is needed", name, value);
    p->o->hz = hz;
    p->o->has_hz = true;
    return 0;
}

static int set_root(struct parser *p, const char *name, const char *value)
{
    if (!parse_number(value, &p->o->target.root))
        return usage(p, "%s %s: the physical address of a root table is needed", name, value);
    p->o->target.has_root = true;
    return 0;
}

/* Seconds, with a fraction if need be. */
static int set_timeout(struct parser *p, const char *name, const char *value)
{
    char *end;
    double seconds = strtod(value, &end);

    if (end == value || *end || !(seconds >= 0) || seconds > 1e9)
        return usage(p, "%s %s: a number of seconds is needed, such as 10 or 0.5", name, value);
    p->o->timeout_ns = (uint64_t)(seconds * 1e9);
    p->o->has_timeout = true;
    return 0;
}

static int set_max_size(struct parser *p, const char *name, const char *value)
{
    static const char units[] = "KMG";
    char digits[24];
    size_t len = strlen(value);
    const char *unit = len ? strchr(units, value[len - 1]) : NULL;

    snprintf(digits, sizeof(digits), "%.*s", (int)(unit ? len - 1 : len), value);
    if (!parse_number(digits, &p->o->max_size) || !p->o->max_size ||
        p->o->max_size > UINT64_C(1) << 40)
        return usage(p, "%s %s: a size is needed, such as 256M", name, value);
    p->o->max_size <<= unit ? 10 * (unit - units + 1) : 0;
    return 0;
}

/* text and json: another way to say --json, or not. */
static int set_format(struct parser *p, const char *name, const char *value)
{
    p->o->json = strcmp(value, "json") == 0;
    p->o->casemate = strcmp(value, "casemate") == 0;
    if (p->o->json || p->o->casemate || strcmp(value, "text") == 0)
        return 0;
    return usage(p, "%s %s: there are text, json and casemate", name, value);
}

static int set_output(struct parser *p, const char *name, const char *value)
{
    if (!*value)
        return usage(p, "%s needs the beginning of the files' names%s", name, "");
    p->o->output = value;
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
FLAG(allow_control)
FLAG(follow)
FLAG(events)
FLAG(af0)

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

const struct option_row option_table[] = {
    {"--dir", "DIR", FOR_TARGET, set_dir,
     "the machine of a run directory (default: $HVSCOPE_DIR,\nelse " DIR_DEFAULT ")"},
    {"--qmp", "SOCK", FOR_TARGET, set_qmp,
     "the machine behind a QMP socket: QEMU says which files its\nRAM is in; without any it "
     "saves what is needed, between\nother programs' turns at the socket"},
    {"--ram", "FILE[@PA]", FOR_TARGET, set_ram,
     "a RAM file alone, as a machine left it behind; PA is its\naddress (default 0x40000000); can "
     "be repeated"},
    {"--gdb", "ADDR", FOR_TARGET & ~BIT(WAIT), set_gdb,
     "a gdb stub, a socket or HOST:PORT; HALTS the machine as\nlong as hvscope runs; all "
     "registers are known then"},
    {"--core", "FILE", FOR_TARGET & ~BIT(WAIT), set_core, "what QEMU's dump-guest-memory wrote"},
    {"--recording", "FILE", FOR_TARGET, set_recording, "what hvscope snapshot or record wrote"},
    {"--beacon", "PA", FOR_TARGET, set_beacon, "where the beacon is, if not where the image says"},
    {"--elf", "FILE", FOR_TARGET, set_elf,
     "symbols (default: the image's hv.elf beside DIR, if its\nbuild id is that of the image)"},
    {"--cpu", "N[,N...]", FOR_CPU, set_cpus, "only these CPUs; view: begin with this one"},
    {"--json", NULL, FOR_DATA, set_json, "one JSON object on one line, with its \"schema\""},
    {"--all", NULL, BIT(DUMP), set_all, "free slots too"},
    {"--profile", "NAME", FOR_TARGET, set_profile,
     "hv: our image; xen: by its symbols; el2: any EL2, by\nits registers or --root (default: what "
     "is found)"},
    {"--root", "PA", BIT(WALK) | BIT(MAP), set_root, "from this root table, not the CPU's"},
    {"--regime", "R", BIT(WALK) | BIT(MAP), set_regime,
     "el2, el2-e2h, el1 or s2 (default: EL2's own); a walk also\nguest: through both stages"},
    {"--follow", NULL, BIT(EVENTS), set_follow, "go on as they come, until interrupted"},
    {"--format", "FORMAT", BIT(EVENTS), set_format,
     "text; json: one object a line; casemate: for that checker"},
    {"--output", "PREFIX", BIT(EVENTS), set_output, "casemate: to PREFIX.cpu0, PREFIX.cpu1 ..."},
    {"--af0", NULL, BIT(EVENTS), set_af0, "casemate: descriptors with AF cleared"},
    {"--timeout", "S", BIT(WAIT), set_timeout, "give up after S seconds (default: never)"},
    {"--events", NULL, BIT(RECORD), set_events,
     "look often enough that rings do not overflow, 500 times a\nsecond at most"},
    {"--max-size", "SIZE", BIT(RECORD), set_max_size, "end before FILE is larger (256M)"},
    {"--hz", "N", BIT(VIEW) | BIT(RECORD), set_hz, "look N times a second, 1 to 60 (default 10)"},
    {"--once", NULL, BIT(VIEW), set_once, "print one picture as text and exit"},
    {"--no-color", NULL, FOR_ALL, set_no_color, "no colours (also: NO_COLOR is set)"},
    {"--ascii", NULL, FOR_ALL, set_ascii, "no characters but ASCII"},
    {"--allow-control", NULL, BIT(VIEW), set_allow_control,
     "S stops the machine and C continues it; it asks first"},
    {"-M", NULL, BIT(VIEW), set_no_mouse, "leave the mouse to the terminal"},
    {"--help", NULL, FOR_ALL, set_help, "this text"},
    {"-h", NULL, FOR_ALL, set_help, NULL},
    {"--version", NULL, FOR_ALL, set_version, "version, and the beacon version it reads"},
};

const unsigned int nr_options = sizeof(option_table) / sizeof(option_table[0]);

const struct command_row command_table[] = {
    {"view", COMMAND_VIEW, 0, "", "watch the mapcache on the terminal (default)"},
    {"dump", COMMAND_DUMP, 0, "", "tables and slots of every CPU"},
    {"walk", COMMAND_WALK, 1, "VA", "one address through the tables, entry by entry"},
    {"map", COMMAND_MAP, 0, "", "a CPU's address space as ranges"},
    {"cpus", COMMAND_CPUS, 0, "", "the CPUs: state, root, inside map or unmap or not"},
    {"stats", COMMAND_STATS, 0, "", "counters, and how counts and probes are spread"},
    {"events", COMMAND_EVENTS, 0, "", "what the rings hold: calls; with trace=all all else"},
    {"check", COMMAND_CHECK, 0, "", "tables and break-before-make: clean, findings, incomplete"},
    {"find", COMMAND_FIND, 1, "WHAT", "which slots map it: mfn:N, pa:N, va:N or a number"},
    {"explain", COMMAND_EXPLAIN, 1, "MFN", "what map_domain_page(MFN) would do now, and why"},
    {"wait", COMMAND_WAIT, 1, "EXPR", "until it is true: cpu0.slot36.refs>=2"},
    {"diff", COMMAND_DIFF, 2, "A B", "slots that differ between snapshots; - is the target"},
    {"record", COMMAND_RECORD, 1, "FILE", "the same again and again, until interrupted"},
    {"snapshot", COMMAND_SNAPSHOT, 1, "FILE", "keep tables, rings and beacon in a file"},
    {"config", COMMAND_CONFIG, 0, "", "the settings, as ~/.config/hvscope/config has them"},
};

const unsigned int nr_commands = sizeof(command_table) / sizeof(command_table[0]);
