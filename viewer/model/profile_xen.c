/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A Xen, arm32 or arm64, by its symbols and its memory alone.
 *
 * Its build ID, at the places where QEMU loads a Xen, says where its image is;
 * from there per-CPU data, roots and tables are followed as Xen does. On arm32
 * the root is at level 1, and every Xen has the mapcache; on arm64 only one
 * with the patch series that adds it. Nothing of the layout is assumed: where
 * the slots are follows from the root's entry that leads to them.
 */
#include "model/profile.h"
#include "model/regime.h"
#include "model/xen.h"

#include <errno.h>
#include <hvscope/mapcache.h>
#include <limits.h>
#include <string.h>

#define SCTLR_M   PTE_BIT(0)
#define SCTLR_WXN PTE_BIT(19)

/* TCR_EL2 that Xen/arm64 sets, and what HTCR of Xen/arm32 comes to: 32-bit addresses, 40 bits out.
 */
#define TCR_ARM64 (UINT64_C(16) | UINT64_C(5) << 16)
#define TCR_ARM32 (UINT64_C(32) | UINT64_C(2) << 16)

static const struct profile xen_without_mapcache;

/* Where QEMU puts a kernel, from the start of RAM: arm32 zImage, arm64 Image (two kinds). */
static const uint64_t load_offsets[] = {0x10000, 0x200000, 0x80000, 0x8000, 0};

static bool holds_build_id(const struct source *src, uint64_t pa, const uint8_t *id, size_t size)
{
    uint8_t found[ELF_BUILD_ID_MAX];

    return source_read_phys(src, pa, found, size) == 0 && memcmp(found, id, size) == 0;
}

static uint64_t build_id_pa(const struct machine *m)
{
    return m->beacon.image_pa + (m->xen.build_id - m->beacon.image_va);
}

/* Firmware may have loaded it anywhere: it is where CPU0's root maps it, if that is known. */
static bool place_by_root(const struct source *src, struct machine *m)
{
    uint64_t root, pa;

    if (source_register(src, 0, m->beacon.root_level ? "HTTBR" : "TTBR0_EL2", &root) != 0 ||
        !xen_walk(src, m, root & PTE_ADDR_MASK, m->beacon.image_va, &pa))
        return false;
    m->beacon.image_pa = pa;
    return holds_build_id(src, build_id_pa(m), m->beacon.build_id, m->beacon.build_id_size);
}

static bool place_image(const struct source *src, struct machine *m)
{
    struct source_piece piece;

    for (unsigned int i = 0; source_piece(src, i, &piece) == 0; i++) {
        for (size_t n = 0; n < sizeof(load_offsets) / sizeof(load_offsets[0]); n++) {
            m->beacon.image_pa = piece.base + load_offsets[n];
            if (holds_build_id(src, build_id_pa(m), m->beacon.build_id, m->beacon.build_id_size))
                return true;
        }
    }
    return place_by_root(src, m);
}

static void take_banks(const struct source *src, struct beacon *b)
{
    struct source_piece piece;

    for (unsigned int i = 0; i < BEACON_BANKS_MAX && source_piece(src, i, &piece) == 0; i++)
        b->bank[b->nr_banks++] = (struct beacon_bank){piece.base, piece.size};
}

static unsigned int count_cpus(const struct source *src, const struct machine *m)
{
    uint64_t online = xen_cpus(src, m, m->xen.online), all = xen_cpus(src, m, m->xen.present);

    all |= online;
    return online && all ? 64 - (unsigned int)__builtin_clzll(all) : 0;
}

/* The root's first entry that leads to the slots of CPU0; false if none does. */
static bool find_domheap(const struct source *src, struct machine *m, uint64_t slots)
{
    struct beacon *b = &m->beacon;
    unsigned int entries = b->root_level ? 4 : PT_ENTRIES;
    lpae_t pte;

    for (unsigned int i = 0; i < entries; i++) {
        if (source_read_u64(src, m->xen.root + i * sizeof(pte), &pte) != 0 ||
            !pte_is_table(pte, b->root_level))
            continue;
        if (b->root_level == 0 &&
            (source_read_u64(src, paddr_x(pte_paddr(pte)), &pte) != 0 || !pte_is_table(pte, 1)))
            continue;
        if (paddr_x(pte_paddr(pte)) != slots)
            continue;
        b->l0_index = i;
        b->domheap_va = (uint64_t)i << pt_level_shift(b->root_level);
        return true;
    }
    return false;
}

/* Before CPU0 has its slots: BEACON_MMU_ON, as our image says it. */
static void find_slots(const struct source *src, struct machine *m)
{
    uint64_t va, pa;

    m->beacon.state = BEACON_MMU_ON;
    if (xen_per_cpu(src, m, m->xen.dommap, 0, &va) && va && xen_translate(src, m, va, &pa) &&
        find_domheap(src, m, pa))
        m->beacon.state = BEACON_MAPCACHE_READY;
}

static enum machine_status find_roots(const struct source *src, struct machine *m,
                                      struct failure *f)
{
    m->beacon.ncpu = count_cpus(src, m);
    m->xen.booted = xen_is_booted(src, m);
    if (m->beacon.ncpu && xen_find_root(src, m) && m->beacon.ncpu <= BEACON_CPUS_MAX)
        return MACHINE_OK;
    failure_set(f, EXIT_NOT_UNDERSTOOD,
                "Xen has not started yet, or is booting: its final page tables are not in use; "
                "try again in a moment");
    return MACHINE_WAITING;
}

static void take_elf(struct machine *m, const struct elf_image *elf)
{
    struct beacon *b = &m->beacon;

    m->arch = elf->is_arm32 ? "arm32" : "arm64";
    b->root_level = elf->is_arm32;
    b->image_va = elf->va;
    b->image_size = elf->size;
    b->build_id_size = (uint32_t)elf->build_id_size;
    memcpy(b->build_id, elf->build_id, elf->build_id_size);
    m->xen.build_id = elf->build_id_va;
    m->xen.word = elf->is_arm32 ? 4 : 8;
}

static enum machine_status find_xen(const struct source *src, const char *path, struct machine *m,
                                    struct failure *f)
{
    struct elf_image elf;

    if (xen_symbols(path, &elf, m, f))
        return MACHINE_FOREIGN;
    take_elf(m, &elf);
    take_banks(src, &m->beacon); /* a walk, which may be what finds the image, stays in RAM */
    if (!place_image(src, m)) {
        failure_set(f, EXIT_NOT_UNDERSTOOD,
                    "memory does not hold the build that %s is of (by its build ID, where QEMU "
                    "loads a Xen): name the symbols of the Xen that runs with --elf, or if "
                    "firmware loaded it elsewhere, --gdb",
                    path);
        return MACHINE_FOREIGN;
    }
    if (find_roots(src, m, f) != MACHINE_OK)
        return MACHINE_WAITING;
    m->beacon.state = BEACON_MAPCACHE_READY;
    m->beacon.slot_attr = PTE_XEN_BLOCK & SLOT_ATTR_MASK;
    if (!m->xen.dommap)
        m->profile = &xen_without_mapcache;
    else
        find_slots(src, m);
    return MACHINE_OK;
}

/* All that find() reads, and the CPUs. */
static void visit(const struct source *src, const struct machine *m)
{
    struct machine again = *m;
    struct beacon_cpu info;
    struct failure ignored;

    place_image(src, &again);
    find_roots(src, &again, &ignored);
    find_slots(src, &again);
    for (unsigned int cpu = 0; cpu < m->beacon.ncpu; cpu++)
        m->profile->read_cpu(src, m, cpu, &info);
}

static enum machine_status find(const struct source *src, const struct target_spec *spec,
                                struct machine *m, struct failure *f)
{
    char path[PATH_MAX];

    if (source_elf_path(spec, path, sizeof(path)))
        return find_xen(src, path, m, f);
    failure_set(f, EXIT_NOT_UNDERSTOOD,
                "for a Xen its symbols are needed: name them with --elf (xen-syms)");
    return MACHINE_FOREIGN;
}

static bool same_boot(const struct source *src, const struct machine *m)
{
    return holds_build_id(src, build_id_pa(m), m->beacon.build_id, m->beacon.build_id_size) &&
           xen_cpus(src, m, m->xen.online);
}

static int read_cpu(const struct source *src, const struct machine *m, unsigned int cpu,
                    struct beacon_cpu *info)
{
    *info = (struct beacon_cpu){.state = BEACON_CPU_OFF};
    if (!(xen_cpus(src, m, m->xen.online) >> cpu & 1))
        return 0;
    info->state = xen_cpu_root(src, m, cpu, &info->root) ? BEACON_CPU_ON : BEACON_CPU_MMU_OFF;
    return 0;
}

/* What every Xen sets up. */
static int usual_register(const struct source *src, const struct machine *m, unsigned int cpu,
                          const char *name, uint64_t *value)
{
    struct beacon_cpu info;

    if (strcmp(name, "TCR_EL2") == 0)
        *value = m->beacon.root_level ? TCR_ARM32 : TCR_ARM64;
    else if (strcmp(name, "MAIR_EL2") == 0)
        *value = MAIR_VALUE;
    else if (strcmp(name, "SCTLR_EL2") == 0)
        *value = SCTLR_M | SCTLR_WXN;
    else if (strcmp(name, "TTBR0_EL2") == 0 && read_cpu(src, m, cpu, &info) == 0 &&
             info.state == BEACON_CPU_ON)
        *value = info.root;
    else
        return -ENOENT;
    return 0;
}

/* Of arm32, the AArch64 register whose meaning is the same; else the register itself. */
static int read_register(const struct source *src, const struct machine *m, unsigned int cpu,
                         const char *name, uint64_t *value)
{
    if (cpu >= source_cpus(src))
        return usual_register(src, m, cpu, name, value);
    if (m->beacon.root_level)
        return xen_arm32_register(src, cpu, name, value);
    return source_register(src, cpu, name, value);
}

static const char *region(const struct machine *m, uint64_t va)
{
    const struct beacon *b = &m->beacon;

    if (b->domheap_size && va >= b->domheap_va && va - b->domheap_va < b->domheap_size)
        return "domheap";
    return va >= b->image_va && va - b->image_va < b->image_size ? "image" : NULL;
}

const struct profile profile_xen = {
    .name = "xen",
    .mapcache = true,
    .foreign_pa = true,
    .tells_cpus = true,
    .find = find,
    .is_same_boot = same_boot,
    .visit = visit,
    .read_cpu = read_cpu,
    .read_register = read_register,
    .region = region,
};

static const struct profile xen_without_mapcache = {
    .name = "xen",
    .missing = "this Xen has no mapcache (it has no per_cpu__xen_dommap): walk, map and cpus can "
               "look at it",
    .tells_cpus = true,
    .find = find,
    .is_same_boot = same_boot,
    .visit = visit,
    .read_cpu = read_cpu,
    .read_register = read_register,
    .region = region,
};
