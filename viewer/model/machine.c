/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/profile.h"
#include "model/stream.h"

#include <errno.h>
#include <hvscope/mapcache.h>
#include <hvscope/trace_file.h>

static bool range_holds(uint64_t base, uint64_t size, uint64_t pa, uint64_t len)
{
    return pa >= base && len <= size && pa - base <= size - len;
}

bool machine_has_memory(const struct machine *m, uint64_t pa, uint64_t size)
{
    const struct beacon *b = &m->beacon;

    for (unsigned int i = 0; i < b->nr_banks; i++) {
        if (range_holds(b->bank[i].base, b->bank[i].size, pa, size))
            return true;
    }
    return range_holds(b->image_pa, b->image_size, pa, size) ||
           range_holds(m->events.pa, m->events.size, pa, size);
}

bool machine_slot_in_ram(const struct machine *m, uint64_t pa)
{
    for (unsigned int i = 0; i < m->beacon.nr_banks; i++) {
        const struct beacon_bank *bank = &m->beacon.bank[i];

        if (bank->size && bank->base < pa + SLOT_SIZE && pa < bank->base + bank->size)
            return true;
    }
    return false;
}

bool machine_is_same_boot(const struct source *src, const struct machine *m)
{
    return m->profile->is_same_boot(src, m);
}

int machine_read_cpu(const struct source *src, const struct machine *m, unsigned int cpu,
                     struct beacon_cpu *info)
{
    int ret = m->profile->read_cpu(src, m, cpu, info);

    if (ret == 0)
        stream_read_cpu(src, m, cpu, info);
    return ret;
}

int machine_read_register(const struct source *src, const struct machine *m, unsigned int cpu,
                          const char *name, uint64_t *value)
{
    return m->profile->read_register(src, m, cpu, name, value);
}

int machine_read_guest(const struct source *src, const struct machine *m, unsigned int cpu,
                       struct beacon_guest *g)
{
    if (!m->profile->read_guest || cpu >= m->beacon.ncpu)
        return -ENOENT;
    return m->profile->read_guest(src, m, cpu, g);
}

bool machine_counts(const struct machine *m)
{
    return m->profile->counted || m->events.pa == TRACE_FILE_PA;
}

const char *machine_region(const struct machine *m, uint64_t va)
{
    return m->profile->region ? m->profile->region(m, va) : NULL;
}

int machine_require_mapcache(const struct machine *m, struct failure *f)
{
    if (!m->profile->mapcache)
        return failure_set(f, EXIT_NO_MAPCACHE, "%s", m->profile->missing);
    if (stream_is_alone(m))
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "the trace has events, and no tables: name the machine's RAM too, with "
                           "another --ram before it");
    if (m->beacon.state != BEACON_MMU_ON)
        return 0;
    return failure_set(f, EXIT_NO_MAPCACHE,
                       "the mapcache is not set up yet (%s is booting): try again in a moment",
                       m->profile->counted ? "the image" : "Xen");
}

const char *machine_engine_name(const struct machine *m)
{
    static const char *const names[BEACON_ENGINES] = {
        [BEACON_ENGINE_XEN] = "xen", [BEACON_ENGINE_BBM] = "bbm", [BEACON_ENGINE_CLOCK] = "clock"};

    return m->profile->counted ? names[m->beacon.engine] : NULL;
}

const char *machine_state_text(const struct machine *m)
{
    static const char *const states[] = {
        [BEACON_MMU_ON] = "booting",
        [BEACON_MAPCACHE_READY] = "mapcache ready",
        [BEACON_PANICKED] = "panicked: ",
        [BEACON_OFF] = "powered off",
    };

    return states[m->beacon.state];
}

const char *machine_cpu_state_name(enum beacon_cpu_state state)
{
    switch (state) {
    case BEACON_CPU_OFF:
        return "off";
    case BEACON_CPU_MMU_OFF:
        return "mmu-off";
    default:
        return "on";
    }
}
