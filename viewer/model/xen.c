/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/xen.h"

#include "model/stage.h"

#include <errno.h>
#include <hvscope/mapcache.h>
#include <string.h>

/* Of enum system_state: all before it is boot; suspend and resume follow. */
#define SYS_STATE_ACTIVE 3

enum {
    ONLINE,
    PRESENT,
    OFFSETS,
    PERCPU_START,
    PGTABLE,
    SHARED_PGTABLE,
    DOMMAP,
    CPU0_DOMMAP,
    SYSTEM_STATE,
    NAMES
};

static const char *const names[NAMES] = {
    [ONLINE] = "cpu_online_map",        [PRESENT] = "cpu_present_map",
    [OFFSETS] = "__per_cpu_offset",     [PERCPU_START] = "__per_cpu_start",
    [PGTABLE] = "per_cpu__xen_pgtable", [SHARED_PGTABLE] = "xen_pgtable",
    [DOMMAP] = "per_cpu__xen_dommap",   [CPU0_DOMMAP] = "cpu0_dommap",
    [SYSTEM_STATE] = "system_state",
};

/* What cannot be done without; NULL: all is there. */
static const char *missing_symbol(const struct elf_symbol symbol[])
{
    if (!symbol[ONLINE].va)
        return names[ONLINE];
    if (!symbol[PGTABLE].va)
        return symbol[SHARED_PGTABLE].va ? NULL : names[PGTABLE];
    if (!symbol[OFFSETS].va)
        return names[OFFSETS];
    return symbol[DOMMAP].va && !symbol[CPU0_DOMMAP].va ? names[CPU0_DOMMAP] : NULL;
}

static int take_slots(struct machine *m, const struct elf_symbol *map, struct failure *f)
{
    struct beacon *b = &m->beacon;

    b->domheap_entries = (uint32_t)(map->size / sizeof(lpae_t));
    b->domheap_size = b->domheap_entries * SLOT_SIZE;
    if (b->domheap_entries >= 1 && b->domheap_entries <= DOMHEAP_ENTRIES)
        return 0;
    return failure_set(f, EXIT_NOT_UNDERSTOOD,
                       "this Xen's mapcache has %u slots (cpu0_dommap has %llu bytes): from 1 to "
                       "%u are understood here",
                       b->domheap_entries, (unsigned long long)map->size, DOMHEAP_ENTRIES);
}

int xen_symbols(const char *path, struct elf_image *elf, struct machine *m, struct failure *f)
{
    struct elf_symbol symbol[NAMES];
    const char *missing;

    if (source_read_elf(path, names, NAMES, elf, symbol, f))
        return -1;
    missing = missing_symbol(symbol);
    if (missing)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "%s has no symbol %s: are these the symbols of a Xen?", path, missing);
    if (!elf->build_id_size)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "%s has no build ID: whether it belongs to the Xen that runs cannot be "
                           "known",
                           path);
    m->xen = (struct machine_xen){
        .online = symbol[ONLINE].va,
        .mask_bytes = symbol[ONLINE].size < 8 ? (unsigned int)symbol[ONLINE].size : 8,
        .present = symbol[PRESENT].va,
        .offsets = symbol[OFFSETS].va,
        .percpu_start = symbol[PERCPU_START].va,
        .pgtable = symbol[PGTABLE].va,
        .shared_pgtable = symbol[PGTABLE].va ? 0 : symbol[SHARED_PGTABLE].va,
        .dommap = symbol[DOMMAP].va,
        .system_state = symbol[SYSTEM_STATE].va,
    };
    return m->xen.dommap ? take_slots(m, &symbol[CPU0_DOMMAP], f) : 0;
}

static bool in_image(const struct machine *m, uint64_t va)
{
    return va >= m->beacon.image_va && va - m->beacon.image_va < m->beacon.image_size;
}

bool xen_walk(const struct source *src, const struct machine *m, uint64_t root, uint64_t va,
              uint64_t *pa)
{
    struct machine_memory memory = machine_memory(src, m);
    struct stage_cpu cpu =
        stage_cpu(src, m, BEACON_CPUS_MAX, &root); /* its registers are not asked */
    struct failure ignored;
    struct stage stage;
    struct walk w;

    if (stage_open(&cpu, REGIME_EL2, false, &stage, &ignored) ||
        walk_va(&stage.r, &memory.memory, root, va, &w, &ignored) || w.faults)
        return false;
    *pa = w.pa;
    return true;
}

bool xen_translate(const struct source *src, const struct machine *m, uint64_t va, uint64_t *pa)
{
    *pa = m->beacon.image_pa + (va - m->beacon.image_va);
    return in_image(m, va) || (m->xen.root && xen_walk(src, m, m->xen.root, va, pa));
}

static bool read_word(const struct source *src, const struct machine *m, uint64_t va,
                      uint64_t *value)
{
    uint64_t pa;

    *value = 0;
    return xen_translate(src, m, va, &pa) && source_read_phys(src, pa, value, m->xen.word) == 0;
}

bool xen_is_booted(const struct source *src, const struct machine *m)
{
    uint32_t state = 0;
    uint64_t pa;

    return m->xen.system_state && xen_translate(src, m, m->xen.system_state, &pa) &&
           source_read_phys(src, pa, &state, sizeof(state)) == 0 && state >= SYS_STATE_ACTIVE;
}

uint64_t xen_cpus(const struct source *src, const struct machine *m, uint64_t va)
{
    uint64_t pa, mask = 0;

    if (va && xen_translate(src, m, va, &pa))
        source_read_phys(src, pa, &mask, m->xen.mask_bytes);
    return mask;
}

bool xen_per_cpu(const struct source *src, const struct machine *m, uint64_t symbol,
                 unsigned int cpu, uint64_t *value)
{
    const struct machine_xen *x = &m->xen;
    uint64_t offset, word = x->word < 8 ? UINT32_MAX : UINT64_MAX;

    return read_word(src, m, x->offsets + (uint64_t)cpu * x->word, &offset) &&
           ((x->percpu_start + offset) & word) != 0 &&
           read_word(src, m, (symbol + offset) & word, value);
}

bool xen_cpu_root(const struct source *src, const struct machine *m, unsigned int cpu,
                  uint64_t *root)
{
    uint64_t va = m->xen.shared_pgtable;

    return (va || (xen_per_cpu(src, m, m->xen.pgtable, cpu, &va) && va)) &&
           xen_translate(src, m, va, root);
}

bool xen_find_root(const struct source *src, struct machine *m)
{
    uint64_t root, pa;

    m->xen.root = 0;
    if (!xen_cpu_root(src, m, 0, &root) || !xen_walk(src, m, root, m->beacon.image_va, &pa) ||
        pa != m->beacon.image_pa)
        return false;
    m->xen.root = root;
    return true;
}

/*
 * HTCR and VTCR as TCR_EL2 and VTCR_EL2 would be: T0SZ counts from 32 bits (in
 * VTCR it has a sign, bit 4), output addresses have 40 bits, the rest is alike.
 */
static uint64_t tcr_of_arm32(uint64_t tcr, bool stage2)
{
    uint64_t size = stage2 ? (tcr & 0xf) - (tcr & 0x10) : tcr & 7;

    return (tcr & 0x3fc0) | (32 + size) | UINT64_C(2) << 16;
}

int xen_arm32_register(const struct source *src, unsigned int cpu, const char *name,
                       uint64_t *value)
{
    static const struct {
        const char *name, *arm32;
    } other[] = {
        {"TTBR0_EL2", "HTTBR"}, {"HCR_EL2", "HCR"}, {"VTTBR_EL2", "VTTBR"}, {"VTCR_EL2", "VTCR"}};
    const char *asked = name;

    if (strcmp(name, "MAIR_EL2") == 0) { /* HMAIR0 and HMAIR1 are two registers */
        *value = MAIR_VALUE;
        return 0;
    }
    for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
        if (strcmp(name, other[i].name) == 0)
            asked = other[i].arm32;
    }
    if (source_register(src, cpu, asked, value) != 0)
        return -ENOENT;
    if (strcmp(name, "TCR_EL2") == 0 || strcmp(name, "VTCR_EL2") == 0)
        *value = tcr_of_arm32(*value, name[0] == 'V');
    return 0;
}
