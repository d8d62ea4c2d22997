/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/cmdline.h"
#include "arch/percpu.h"
#include "core/printk.h"
#include "core/string.h"
#include "guest/guest.h"
#include "work/plan.h"

struct options options = {
    .trace = TRACE_API,
    .zap_limit = 64,
    .workload = {WORKLOAD_DEFAULT, sizeof(WORKLOAD_DEFAULT) - 1},
};

/* Physical addresses have 48 bits. */
#define MEM_MAX (UINT64_C(1) << 48)

static bool set_bool(struct word value, bool *option)
{
    static const char *const off_on[] = {"off", "on", NULL};
    int i = word_index(value, off_on);

    if (i >= 0)
        *option = i;
    return i >= 0;
}

static bool set_directmap(struct word value)
{
    return set_bool(value, &options.directmap);
}

static bool set_census(struct word value)
{
    return set_bool(value, &options.census);
}

static bool set_check(struct word value)
{
    return set_bool(value, &options.check);
}

static bool set_trace(struct word value)
{
    static const char *const modes[] = {
        [TRACE_OFF] = "off", [TRACE_API] = "api", [TRACE_ALL] = "all", NULL};
    int i = word_index(value, modes);

    if (i >= 0)
        options.trace = (enum trace_mode)i;
    return i >= 0;
}

static bool set_fault(struct word value)
{
    int i = word_index(value, fault_names);

    if (i >= 0)
        options.fault = (enum fault)i;
    return i >= 0;
}

static bool set_guests(struct word value)
{
    uint64_t n;

    if (!word_number(value, NR_DOMAINS_MAX, &n))
        return false;
    nr_guests = (unsigned int)n;
    return true;
}

static bool set_mapcache(struct word value)
{
    static const char *const policies[] = {
        [CLOCK_LAZY] = "lazy", [CLOCK_ZAP] = "zap", [CLOCK_STRICT] = "strict", NULL};
    int i = word_index(value, policies);

    if (i >= 0)
        options.mapcache = (enum clock_policy)i;
    return i >= 0;
}

static bool set_zap_limit(struct word value)
{
    uint64_t n;

    if (!word_number(value, DOMHEAP_ENTRIES, &n) || !n)
        return false;
    options.zap_limit = (uint16_t)n;
    return true;
}

static bool set_pace(struct word value)
{
    return word_number(value, PACE_MAX, &options.pace);
}

/* Which CPUs there are is not known yet: work_load() looks again. */
static bool set_workload(struct word value)
{
    struct plan plan;
    char why[80];

    if (!plan_parse(value, NR_CPUS, &plan, why, sizeof(why))) {
        printk("workload: %s\n", why);
        return false;
    }
    options.workload = value;
    return true;
}

/* An address or size: 0x..., or a decimal number that may end with K, M, G or T. */
static bool parse_bytes(struct word w, uint64_t *bytes)
{
    static const char *const units[] = {"K", "M", "G", "T", NULL};
    int unit = w.n ? word_index((struct word){w.s + w.n - 1, 1}, units) : -1;
    unsigned int shift = 10 * (unsigned int)(unit + 1);

    if (word_hex(w, bytes))
        return *bytes <= MEM_MAX;
    w.n -= unit >= 0;
    if (!word_number(w, MEM_MAX >> shift, bytes))
        return false;
    *bytes <<= shift;
    return true;
}

static bool parse_region(struct word w, struct region *r)
{
    struct word size = word_cut(&w, '@');
    uint64_t bytes;

    if (!parse_bytes(size, &bytes) || !parse_bytes(w, &r->start) || !bytes)
        return false;
    r->end = r->start + bytes;
    return r->end <= MEM_MAX && (r->start & PAGE_MASK) == 0 && (bytes & PAGE_MASK) == 0;
}

static bool overlaps(const struct region *list, unsigned int nr, struct region r)
{
    for (unsigned int i = 0; i < nr; i++) {
        if (r.start < list[i].end && list[i].start < r.end)
            return true;
    }
    return false;
}

static bool set_mem(struct word value)
{
    struct region list[BEACON_BANKS_MAX];
    unsigned int nr = 0;

    do {
        struct region r;

        if (nr == BEACON_BANKS_MAX || !parse_region(word_cut(&value, ','), &r) ||
            overlaps(list, nr, r))
            return false;
        list[nr++] = r;
    } while (value.n);
    options.nr_mem = nr;
    memcpy(options.mem, list, nr * sizeof(list[0]));
    return true;
}

static const struct option {
    const char *name;
    bool (*set)(struct word value);
    const char *values;
} table[] = {
    {"census", set_census, "on, off"},
    {"check", set_check, "on, off"},
    {"directmap", set_directmap, "on, off"},
    {"fault", set_fault, FAULT_NAMES},
    {"guests", set_guests, "0 to 8"},
    {"mapcache", set_mapcache, "lazy, zap, strict; engine clock only"},
    {"mem", set_mem, "SIZE@PA[,SIZE@PA...], whole pages, at most 8, apart: 1G@0x40000000"},
    {"pace", set_pace, "maps and unmaps a second, up to 100000000; 0 is no wait"},
    {"trace", set_trace, "off, api, all"},
    {"workload", set_workload, "[cpuN:]NAME[:ARGUMENT],...; the command load lists the names"},
    {"zap-limit", set_zap_limit, "1 to 1024"},
};

#define NR_OPTIONS (sizeof(table) / sizeof(table[0]))

static void option_set(struct word name, struct word value)
{
    char text[64];

    for (unsigned int i = 0; i < NR_OPTIONS; i++) {
        if (!word_is(name, table[i].name))
            continue;
        if (!table[i].set(value))
            printk("command line: %s=%s is not understood (%s): the default stays\n", table[i].name,
                   word_quote(text, sizeof(text), value), table[i].values);
        return;
    }
    printk("command line: unknown option %s: ignored\n", word_quote(text, sizeof(text), name));
}

void cmdline_parse(const char *line)
{
    struct word rest = word_from(line), value, name;

    while ((value = word_next(&rest)).n) {
        name = word_cut(&value, '=');
        if (name.n)
            option_set(name, value);
    }
}

void cmdline_help(void)
{
    for (unsigned int i = 0; i < NR_OPTIONS; i++)
        printk("  %s=%s\n", table[i].name, table[i].values);
}
