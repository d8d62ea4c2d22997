/* SPDX-License-Identifier: GPL-2.0-or-later */
#define QEMU_PLUGIN_VERSION 4
#include "tracer/guest.h"
#include "tracer/qemu_plugin.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define FRAME_SHIFT 12
#define NR_CORE     31

#define CPSR_AARCH32      (1u << 4)
#define CPSR_MODE_MASK    0x1fu
#define CPSR_MODE_USER    0x10u
#define CPSR_MODE_MONITOR 0x16u
#define CPSR_MODE_HYP     0x1au
#define CPSR_EL(cpsr)     ((cpsr) >> 2 & 3)

/* One CPU's handles; value is where reads of its thread go. */
struct registers {
    struct qemu_plugin_register *core[NR_CORE];
    struct qemu_plugin_register *sp, *lr, *cpsr;
    struct qemu_plugin_register *system[GUEST_SYSTEM_REGISTERS];
    GByteArray *value;
};

static struct guest_bank banks[GUEST_BANKS_MAX];
static unsigned int nr_banks;
static struct registers registers[GUEST_CPUS_MAX];
static bool is_aarch32;

bool guest_ram_add(const char *path, uint64_t pa)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat status;
    void *memory;

    if (fd < 0 || fstat(fd, &status) != 0 || nr_banks == GUEST_BANKS_MAX) {
        fprintf(stderr, "tracer: RAM file %s cannot be read\n", path);
        return false;
    }
    memory = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (memory == MAP_FAILED) {
        fprintf(stderr, "tracer: RAM file %s cannot be mapped\n", path);
        return false;
    }
    banks[nr_banks++] = (struct guest_bank){memory, pa, (uint64_t)status.st_size};
    return true;
}

const struct guest_bank *guest_bank_of(uint64_t pa)
{
    for (unsigned int i = 0; i < nr_banks; i++) {
        if (pa - banks[i].base < banks[i].size)
            return &banks[i];
    }
    return NULL;
}

uint64_t guest_frames_before(const struct guest_bank *bank)
{
    uint64_t frames = 0;

    for (const struct guest_bank *b = banks; b < bank; b++)
        frames += b->size >> FRAME_SHIFT;
    return frames;
}

uint64_t guest_frames(void)
{
    return guest_frames_before(banks + nr_banks);
}

uint64_t guest_load(uint64_t pa)
{
    const struct guest_bank *bank = guest_bank_of(pa);

    return bank ? __atomic_load_n((const uint64_t *)(bank->memory + (pa - bank->base)),
                                  __ATOMIC_RELAXED)
                : 0;
}

void guest_set_aarch32(bool aarch32)
{
    is_aarch32 = aarch32;
}

bool guest_is_aarch32(void)
{
    return is_aarch32;
}

/* Of one of GDB's names x0 … x30, or r0 … r12; NR_CORE of any other. */
static unsigned int core_number(const char *name)
{
    unsigned long n;
    char *end;

    if (name[0] != (is_aarch32 ? 'r' : 'x') || name[1] < '0' || name[1] > '9')
        return NR_CORE;
    n = strtoul(name + 1, &end, 10);
    return *end == '\0' && n < NR_CORE ? (unsigned int)n : NR_CORE;
}

static void take_core(struct registers *r, const struct qemu_plugin_reg_descriptor *d)
{
    unsigned int n = core_number(d->name);

    if (n < NR_CORE)
        r->core[n] = d->handle;
    else if (strcmp(d->name, "sp") == 0)
        r->sp = d->handle;
    else if (strcmp(d->name, "lr") == 0)
        r->lr = d->handle;
    else if (strcmp(d->name, "cpsr") == 0)
        r->cpsr = d->handle;
}

static void take_system(struct registers *r, const struct qemu_plugin_reg_descriptor *d)
{
    static const struct {
        enum guest_system_register which;
        const char *name;
    } names[] = {
        {GUEST_TCR_EL2, "TCR_EL2"}, {GUEST_TCR_EL2, "HTCR"},
        {GUEST_HCR_EL2, "HCR_EL2"}, {GUEST_VTCR_EL2, "VTCR_EL2"},
        {GUEST_VTCR_EL2, "VTCR"},   {GUEST_MMFR2_EL1, "ID_AA64MMFR2_EL1"},
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(d->name, names[i].name) == 0)
            r->system[names[i].which] = d->handle;
    }
}

void guest_cpu_init(unsigned int cpu)
{
    struct registers *r = &registers[cpu];
    GArray *all = qemu_plugin_get_registers();
    const struct qemu_plugin_reg_descriptor *d = (const void *)all->data;

    r->value = g_byte_array_new();
    for (unsigned int i = 0; i < all->len; i++) {
        take_core(r, &d[i]);
        take_system(r, &d[i]);
    }
    if (is_aarch32)
        r->core[14] = r->lr;
    else
        r->lr = r->core[30];
    g_array_free(all, true);
}

static uint64_t read_register(unsigned int cpu, struct qemu_plugin_register *handle)
{
    GByteArray *buf = registers[cpu].value;
    uint64_t value = 0;

    if (!handle)
        return 0;
    g_byte_array_set_size(buf, 0);
    qemu_plugin_read_register(handle, buf);
    memcpy(&value, buf->data, buf->len < sizeof(value) ? buf->len : sizeof(value));
    return value;
}

uint64_t guest_register(unsigned int cpu, unsigned int n)
{
    return n < NR_CORE ? read_register(cpu, registers[cpu].core[n]) : 0;
}

uint64_t guest_link_register(unsigned int cpu)
{
    return read_register(cpu, registers[cpu].lr);
}

uint64_t guest_stack_pointer(unsigned int cpu)
{
    return read_register(cpu, registers[cpu].sp);
}

uint64_t guest_cpsr(unsigned int cpu)
{
    return read_register(cpu, registers[cpu].cpsr);
}

uint64_t guest_system_register(unsigned int cpu, enum guest_system_register which)
{
    return read_register(cpu, registers[cpu].system[which]);
}

unsigned int guest_el(unsigned int cpu)
{
    uint64_t cpsr = guest_cpsr(cpu);

    if (!(cpsr & CPSR_AARCH32) == is_aarch32)
        return 3;
    if (!is_aarch32)
        return CPSR_EL(cpsr);
    switch (cpsr & CPSR_MODE_MASK) {
    case CPSR_MODE_USER:
        return 0;
    case CPSR_MODE_HYP:
        return 2;
    case CPSR_MODE_MONITOR:
        return 3;
    default:
        return 1;
    }
}

/* Arm ARM F1.3.1: [3:1] name a test, [0] turns it round. */
bool guest_condition_holds(unsigned int cpu, unsigned int condition)
{
    uint64_t cpsr;
    bool n, z, c, v, holds;

    if (condition >= 14)
        return true;
    cpsr = guest_cpsr(cpu);
    n = cpsr >> 31 & 1;
    z = cpsr >> 30 & 1;
    c = cpsr >> 29 & 1;
    v = cpsr >> 28 & 1;
    holds = (bool[]){z, c, n, v, c && !z, n == v, n == v && !z}[condition >> 1];
    return holds != (condition & 1);
}
