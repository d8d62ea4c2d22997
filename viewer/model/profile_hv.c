/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our own image: it says where everything is, in its beacon.
 */
#include "model/profile.h"
#include "model/stream.h"

#include <errno.h>
#include <hvscope/mapcache.h>
#include <string.h>

#define IMAGE_SIZE_MAX (UINT64_C(1) << 30) /* an image that claims more is not believed */
#define PA_END         (UINT64_C(1) << 52)
#define STRIDE_MAX     65536
#define GUEST_TRIES    4
#define SCTLR_M        PTE_BIT(0)
#define SCTLR_WXN      PTE_BIT(19)

static int bad_beacon(const struct machine *m, struct failure *f, const char *what, uint64_t value)
{
    return failure_set(f, EXIT_NOT_UNDERSTOOD,
                       "the beacon at 0x%llx cannot be understood: "
                       "its %s is %llu",
                       (unsigned long long)m->pa, what, (unsigned long long)value);
}

static bool range_ok(uint64_t base, uint64_t size)
{
    return base < PA_END && size <= PA_END - base;
}

static bool range_holds(uint64_t base, uint64_t size, uint64_t pa, uint64_t len)
{
    return pa >= base && len <= size && pa - base <= size - len;
}

static int check_identity(const struct machine *m, struct failure *f)
{
    const struct beacon *b = &m->beacon;

    if (b->version != BEACON_VERSION)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "the beacon at 0x%llx has version %u, this hvscope knows %u: use the "
                           "one that was built with the image",
                           (unsigned long long)m->pa, b->version, BEACON_VERSION);
    if (b->size < sizeof(*b))
        return bad_beacon(m, f, "size", b->size);
    if (b->state < BEACON_MMU_ON || b->state > BEACON_OFF)
        return bad_beacon(m, f, "state", b->state);
    if (b->engine >= BEACON_ENGINES)
        return bad_beacon(m, f, "engine", b->engine);
    return 0;
}

static int check_memory(const struct machine *m, struct failure *f)
{
    const struct beacon *b = &m->beacon;

    if (b->nr_banks < 1 || b->nr_banks > BEACON_BANKS_MAX)
        return bad_beacon(m, f, "number of RAM banks", b->nr_banks);
    for (unsigned int i = 0; i < b->nr_banks; i++) {
        if (!range_ok(b->bank[i].base, b->bank[i].size))
            return bad_beacon(m, f, "RAM bank without an end: the number of it", i);
    }
    if (!range_ok(b->image_pa, b->image_size))
        return bad_beacon(m, f, "image size", b->image_size);
    return 0;
}

static int check_domheap(const struct machine *m, struct failure *f)
{
    const struct beacon *b = &m->beacon;

    if (b->domheap_entries < 1 || b->domheap_entries > DOMHEAP_ENTRIES)
        return bad_beacon(m, f, "number of slots", b->domheap_entries);
    if (b->root_level != 0)
        return bad_beacon(m, f, "root level", b->root_level);
    if (b->l0_index >= PT_ENTRIES)
        return bad_beacon(m, f, "domheap's index in the root", b->l0_index);
    return 0;
}

static int check_cpus(const struct machine *m, struct failure *f)
{
    const struct beacon *b = &m->beacon;

    if (b->ncpu < 1 || b->ncpu > BEACON_CPUS_MAX)
        return bad_beacon(m, f, "number of CPUs", b->ncpu);
    if (b->cpu_stride < sizeof(struct beacon_cpu) || b->cpu_stride % 8 ||
        b->cpu_stride > STRIDE_MAX)
        return bad_beacon(m, f, "size of a CPU's block", b->cpu_stride);
    if (b->cpu_offset % 8 ||
        !machine_has_memory(m, m->pa + b->cpu_offset, (uint64_t)b->ncpu * b->cpu_stride))
        return bad_beacon(m, f, "offset of the CPUs' blocks, outside RAM,", b->cpu_offset);
    return 0;
}

static void copy_message(struct machine *m)
{
    size_t i;

    for (i = 0; i < BEACON_MESSAGE_MAX && m->beacon.message[i]; i++) {
        unsigned char c = m->beacon.message[i];

        m->message[i] = c >= 0x20 && c < 0x7f ? (char)c : '?';
    }
    m->message[i] = '\0';
}

/* PA of the beacon, by the image header at pa; MACHINE_OK if there is one. */
static enum machine_status find_at(const struct source *src, uint64_t pa, uint64_t *beacon_pa,
                                   struct failure *f)
{
    struct image_header h;
    uint64_t size;

    if (source_read_phys(src, pa, &h, sizeof(h)) != 0 || h.magic != IMAGE_MAGIC ||
        h.beacon_magic != BEACON_IMAGE_MAGIC) {
        failure_set(f, EXIT_NOT_UNDERSTOOD,
                    "memory at 0x%llx holds no hvscope image: boot one, "
                    "or name the beacon with --beacon",
                    (unsigned long long)pa);
        return MACHINE_FOREIGN;
    }
    size = h.image_size < IMAGE_SIZE_MAX ? h.image_size : IMAGE_SIZE_MAX;
    if (h.beacon_offset % 8 || h.beacon_offset < sizeof(h) ||
        !range_holds(0, size, h.beacon_offset, sizeof(struct beacon))) {
        failure_set(f, EXIT_NOT_UNDERSTOOD,
                    "the image header at 0x%llx says that the beacon is "
                    "outside the image",
                    (unsigned long long)pa);
        return MACHINE_FOREIGN;
    }
    *beacon_pa = pa + h.beacon_offset;
    return MACHINE_OK;
}

/* The first failure is the one to tell: the image is in the first piece of RAM. */
static enum machine_status find_image(const struct source *src, uint64_t *beacon_pa,
                                      struct failure *f)
{
    struct failure other;
    struct source_piece piece;

    for (unsigned int i = 0; source_piece(src, i, &piece) == 0; i++) {
        if (find_at(src, piece.base + BEACON_LOAD_OFFSET, beacon_pa, i ? &other : f) == MACHINE_OK)
            return MACHINE_OK;
    }
    return MACHINE_FOREIGN;
}

static enum machine_status read_beacon(const struct source *src, struct machine *m,
                                       struct failure *f)
{
    int ret = m->pa % 8 ? -1 : source_read_phys(src, m->pa, &m->beacon, sizeof(m->beacon));

    if (ret == 0 && m->beacon.magic == 0) {
        failure_set(f, EXIT_NOT_UNDERSTOOD,
                    "the image has not started yet, or is booting: it has "
                    "published no beacon; try again in a moment");
        return MACHINE_WAITING;
    }
    if (ret != 0 || m->beacon.magic != BEACON_MAGIC) {
        failure_set(f, EXIT_NOT_UNDERSTOOD,
                    "memory at 0x%llx holds no beacon: check --beacon, or "
                    "the build of the image",
                    (unsigned long long)m->pa);
        return MACHINE_FOREIGN;
    }
    if (check_identity(m, f) || check_memory(m, f) || check_domheap(m, f) || check_cpus(m, f))
        return MACHINE_FOREIGN;
    copy_message(m);
    m->events = (struct machine_events){
        .pa = m->pa, .cpu_offset = m->beacon.cpu_offset, .cpu_stride = m->beacon.cpu_stride};
    return MACHINE_OK;
}

enum machine_status machine_read(const struct source *src, const uint64_t *beacon_pa,
                                 struct machine *m, struct failure *f)
{
    enum machine_status status;

    *m = (struct machine){.profile = &profile_hv, .arch = "arm64"};
    if (beacon_pa) {
        m->pa = *beacon_pa;
    } else {
        status = find_image(src, &m->pa, f);
        if (status != MACHINE_OK)
            return status;
    }
    return read_beacon(src, m, f);
}

static bool same_boot(const struct source *src, const struct machine *m)
{
    uint64_t magic, boot_id;

    return source_read_u64(src, m->pa + offsetof(struct beacon, boot_id), &boot_id) == 0 &&
           source_read_u64(src, m->pa, &magic) == 0 && magic == BEACON_MAGIC &&
           boot_id == m->beacon.boot_id;
}

static int read_cpu(const struct source *src, const struct machine *m, unsigned int cpu,
                    struct beacon_cpu *info)
{
    uint64_t pa = m->pa + m->beacon.cpu_offset + (uint64_t)cpu * m->beacon.cpu_stride;

    return source_read_phys(src, pa, info, sizeof(*info));
}

/* Of one moment, or not at all: a halted CPU may be in the middle of it. */
static int read_guest(const struct source *src, const struct machine *m, unsigned int cpu,
                      struct beacon_guest *g)
{
    uint64_t pa = m->pa + m->beacon.cpu_offset + (uint64_t)cpu * m->beacon.cpu_stride +
                  offsetof(struct beacon_cpu, guest);
    uint64_t after;

    for (int i = 0; i < GUEST_TRIES; i++) {
        if (source_read_phys(src, pa, g, sizeof(*g)) != 0)
            return -EIO;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        if (source_read_u64(src, pa, &after) == 0 && after == g->generation && after % 2 == 0)
            return 0;
    }
    return -EAGAIN;
}

static enum machine_status find(const struct source *src, const struct target_spec *spec,
                                struct machine *m, struct failure *f)
{
    /* A tracer's file beside the RAM has its events, and the image is what it is. */
    if (stream_is_asked(spec) && machine_read(src, NULL, m, f) == MACHINE_OK)
        return MACHINE_OK;
    return machine_read(src, spec->has_beacon ? &spec->beacon_pa : NULL, m, f);
}

/* What the image sets up on every CPU, whether its MMU is on already or not. */
static int published_register(const struct machine *m, const char *name, uint64_t *value)
{
    if (strcmp(name, "TCR_EL2") == 0)
        *value = m->beacon.tcr;
    else if (strcmp(name, "MAIR_EL2") == 0)
        *value = MAIR_VALUE;
    else if (strcmp(name, "ID_AA64MMFR0_EL1") == 0)
        *value = m->beacon.mmfr0;
    else if (strcmp(name, "ID_AA64MMFR1_EL1") == 0)
        *value = m->beacon.mmfr1;
    else
        return -ENOENT;
    return *value ? 0 : -ENOENT;
}

/* Of a CPU that nobody can ask. */
static int own_register(const struct source *src, const struct machine *m, unsigned int cpu,
                        const char *name, uint64_t *value)
{
    struct beacon_cpu info;

    *value = SCTLR_M | SCTLR_WXN;
    if (strcmp(name, "SCTLR_EL2") == 0)
        return 0;
    if (strcmp(name, "TTBR0_EL2") != 0)
        return published_register(m, name, value);
    if (read_cpu(src, m, cpu, &info) != 0 || info.state != BEACON_CPU_ON)
        return -ENOENT;
    *value = info.root;
    return 0;
}

/* A CPU whose MMU is off has registers that say nothing yet of the tables that it will use. */
static int read_register(const struct source *src, const struct machine *m, unsigned int cpu,
                         const char *name, uint64_t *value)
{
    uint64_t sctlr;

    if (source_register(src, cpu, "SCTLR_EL2", &sctlr) == 0 && !(sctlr & SCTLR_M) &&
        published_register(m, name, value) == 0)
        return 0;
    if (source_register(src, cpu, name, value) == 0)
        return 0;
    return own_register(src, m, cpu, name, value);
}

static const struct layout_region {
    uint64_t va, size;
    const char *name;
} regions[] = {
    {0, IDENTITY_VIRT_END, "identity"},
    {XEN_VIRT_START, XEN_VIRT_SIZE, "image"},
    {FIXMAP_VIRT_START, FIXMAP_VIRT_SIZE, "fixmap"},
    {BOOT_FDT_VIRT_START, BOOT_FDT_VIRT_SIZE, "fdt"},
    {VMAP_VIRT_START, VMAP_VIRT_SIZE, "vmap"},
    {FRAMETABLE_VIRT_START, FRAMETABLE_SIZE, "frametable"},
    {DIRECTMAP_VIRT_START, DIRECTMAP_SIZE, "directmap"},
};

static const char *region(const struct machine *m, uint64_t va)
{
    const struct beacon *b = &m->beacon;

    if (va >= b->domheap_va && va - b->domheap_va < b->domheap_size)
        return "domheap";
    for (size_t i = 0; i < sizeof(regions) / sizeof(regions[0]); i++) {
        if (va >= regions[i].va && va - regions[i].va < regions[i].size)
            return regions[i].name;
    }
    return NULL;
}

const struct profile profile_hv = {
    .name = "hv",
    .mapcache = true,
    .counted = true,
    .tells_cpus = true,
    .find = find,
    .is_same_boot = same_boot,
    .read_cpu = read_cpu,
    .read_register = read_register,
    .read_guest = read_guest,
    .region = region,
};
