/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any hypervisor: what its control registers say, or one root table that a
 * person names. Tables can be walked; no mapcache is known.
 */
#include "model/profile.h"
#include "model/regime.h"

#include <errno.h>
#include <string.h>

#define SCTLR_M PTE_BIT(0)

/* Without a register: 4 KiB pages, 48-bit addresses in and out, as most hypervisors have it. */
#define TCR_ASSUMED (UINT64_C(16) | UINT64_C(5) << 16)

static void take_banks(const struct source *src, struct beacon *b)
{
    struct source_piece piece;

    for (unsigned int i = 0; i < BEACON_BANKS_MAX && source_piece(src, i, &piece) == 0; i++)
        b->bank[b->nr_banks++] = (struct beacon_bank){piece.base, piece.size};
}

/* A core has general registers only. */
static bool knows_registers(const struct source *src)
{
    uint64_t tcr;

    return source_register(src, 0, "TCR_EL2", &tcr) == 0;
}

static enum machine_status find(const struct source *src, const struct target_spec *spec,
                                struct machine *m, struct failure *f)
{
    unsigned int ncpu = knows_registers(src) ? source_cpus(src) : 0;

    if (ncpu == 0 && !spec->has_root) {
        m->wants_registers = true;
        failure_set(f, EXIT_NOT_UNDERSTOOD,
                    "no control register can be read from this target: --profile el2 has its gdb "
                    "stub asked once, --gdb halts it; or name a root table with --root");
        return MACHINE_FOREIGN;
    }
    if (ncpu == 0) {
        m->root = spec->root;
        m->note = "no control register is known: 4K pages and 48-bit addresses are assumed";
    }
    m->beacon.state = BEACON_MAPCACHE_READY;
    m->beacon.ncpu = ncpu == 0 ? 1 : ncpu < BEACON_CPUS_MAX ? ncpu : BEACON_CPUS_MAX;
    take_banks(src, &m->beacon);
    return MACHINE_OK;
}

static bool same_boot(const struct source *src, const struct machine *m)
{
    (void)src;
    (void)m;
    return true;
}

static int read_register(const struct source *src, const struct machine *m, unsigned int cpu,
                         const char *name, uint64_t *value)
{
    static const struct {
        const char *name;
        uint64_t value;
    } assumed[] = {{"TCR_EL2", TCR_ASSUMED}, {"SCTLR_EL2", SCTLR_M}};

    if (source_register(src, cpu, name, value) == 0)
        return 0;
    if (!m->note)
        return -ENOENT;
    for (size_t i = 0; i < sizeof(assumed) / sizeof(assumed[0]); i++) {
        if (strcmp(name, assumed[i].name) == 0) {
            *value = assumed[i].value;
            return 0;
        }
    }
    *value = m->root;
    return strcmp(name, "TTBR0_EL2") == 0 ? 0 : -ENOENT;
}

static int read_cpu(const struct source *src, const struct machine *m, unsigned int cpu,
                    struct beacon_cpu *info)
{
    uint64_t sctlr = 0;

    *info = (struct beacon_cpu){.state = BEACON_CPU_MMU_OFF};
    if (read_register(src, m, cpu, "SCTLR_EL2", &sctlr) == 0 && (sctlr & SCTLR_M))
        info->state = BEACON_CPU_ON;
    return 0;
}

const struct profile profile_el2 = {
    .name = "el2",
    .missing =
        "the target is understood, but it has no mapcache: walk, map and cpus can look at it",
    .find = find,
    .is_same_boot = same_boot,
    .read_cpu = read_cpu,
    .read_register = read_register,
};
