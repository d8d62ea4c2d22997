/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/core.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define SEGMENTS_MAX 16
#define CPUS_MAX     512

/* Of struct elf_prstatus of arm64: x0 to x30, sp, pc, pstate lie behind signal and times. */
#define PRSTATUS_REGS 112
#define PRSTATUS_PC   (PRSTATUS_REGS + 32 * 8)
#define PRSTATUS_CPSR (PRSTATUS_REGS + 33 * 8)
#define PRSTATUS_SIZE (PRSTATUS_REGS + 34 * 8)

struct segment {
    uint64_t pa, size, offset;
};

struct source_core {
    struct source src;
    const char *map; /* the whole file, private */
    uint64_t size;
    unsigned int nr_segments, nr_cpus;
    struct segment segment[SEGMENTS_MAX];
    uint64_t status[CPUS_MAX]; /* offset of each CPU's struct elf_prstatus */
};

static int core_read(const struct source *src, uint64_t pa, void *buf, size_t len)
{
    const struct source_core *c = (const struct source_core *)src;

    for (unsigned int i = 0; i < c->nr_segments; i++) {
        const struct segment *s = &c->segment[i];

        if (pa >= s->pa && pa - s->pa < s->size && len <= s->size - (pa - s->pa)) {
            source_copy(buf, c->map + s->offset + (pa - s->pa), len);
            return 0;
        }
    }
    return -EFAULT;
}

static enum source_health core_health(struct source *src)
{
    (void)src;
    return SOURCE_OK;
}

static int core_piece(const struct source *src, unsigned int n, struct source_piece *piece)
{
    const struct source_core *c = (const struct source_core *)src;

    if (n >= c->nr_segments)
        return -ENOENT;
    *piece = (struct source_piece){c->segment[n].pa, c->segment[n].size};
    return 0;
}

static unsigned int core_cpus(const struct source *src)
{
    return ((const struct source_core *)src)->nr_cpus;
}

static int core_register(const struct source *src, unsigned int cpu, const char *name,
                         uint64_t *value)
{
    const struct source_core *c = (const struct source_core *)src;
    bool pc = strcmp(name, "PC") == 0;

    if (cpu >= c->nr_cpus || (!pc && strcmp(name, "CPSR") != 0))
        return -ENOENT;
    memcpy(value, c->map + c->status[cpu] + (pc ? PRSTATUS_PC : PRSTATUS_CPSR), sizeof(*value));
    return 0;
}

static void core_close(struct source *src)
{
    struct source_core *c = (struct source_core *)src;

    if (c->map)
        munmap((void *)(uintptr_t)c->map, c->size);
    free(c);
}

static const struct source_ops core_ops = {
    .name = "core",
    .read = core_read,
    .health = core_health,
    .piece = core_piece,
    .close = core_close,
    .cpus = core_cpus,
    .reg = core_register,
};

static int load_file(struct source_core *c, const char *path, struct failure *f)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    void *map = MAP_FAILED;

    if (fd < 0)
        return failure_set(f, EXIT_NO_TARGET, "cannot open the core %s: %s", path, strerror(errno));
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
        c->size = (uint64_t)st.st_size;
        map = mmap(NULL, c->size, PROT_READ, MAP_PRIVATE | MAP_NORESERVE, fd, 0);
    }
    close(fd);
    if (map == MAP_FAILED)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "%s is no core: name a file that QEMU's "
                           "dump-guest-memory wrote",
                           path);
    c->map = map;
    return 0;
}

/* A NOTE segment: one NT_PRSTATUS a CPU, in the order of the CPUs. */
static void take_notes(struct source_core *c, Elf *elf, const GElf_Phdr *p)
{
    Elf_Data *data = elf_getdata_rawchunk(elf, (int64_t)p->p_offset, p->p_filesz, ELF_T_NHDR);
    size_t at = 0, next, name, desc;
    GElf_Nhdr note;

    while (data && (next = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
        if (note.n_type == NT_PRSTATUS && note.n_descsz >= PRSTATUS_SIZE && c->nr_cpus < CPUS_MAX)
            c->status[c->nr_cpus++] = p->p_offset + desc;
        at = next;
    }
}

static int take_segments(struct source_core *c, Elf *elf, bool arm64, const char *path,
                         struct failure *f)
{
    GElf_Phdr p;
    size_t nr;

    if (elf_getphdrnum(elf, &nr) != 0)
        nr = 0;
    for (size_t i = 0; i < nr && gelf_getphdr(elf, (int)i, &p); i++) {
        if (p.p_filesz > c->size || p.p_offset > c->size - p.p_filesz)
            return failure_set(f, EXIT_NOT_UNDERSTOOD,
                               "the core %s is truncated: it ends at byte %llu, but memory at "
                               "0x%llx is said to be behind that; write it again",
                               path, (unsigned long long)c->size, (unsigned long long)p.p_paddr);
        if (p.p_type == PT_NOTE && arm64)
            take_notes(c, elf, &p);
        else if (p.p_type == PT_LOAD && p.p_filesz && c->nr_segments < SEGMENTS_MAX &&
                 p.p_paddr + p.p_filesz > p.p_paddr)
            c->segment[c->nr_segments++] = (struct segment){p.p_paddr, p.p_filesz, p.p_offset};
    }
    if (c->nr_segments)
        return 0;
    return failure_set(f, EXIT_NOT_UNDERSTOOD, "the core %s holds no memory", path);
}

static int load_elf(struct source_core *c, Elf *elf, const char *path, struct failure *f)
{
    GElf_Ehdr head;

    if (c->size > 8 && memcmp(c->map, "KDUMP   ", 8) == 0)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "%s is a compressed dump: write it without -z, -l or -s", path);
    if (!elf || elf_kind(elf) != ELF_K_ELF || !gelf_getehdr(elf, &head))
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "%s is no core: name a file that QEMU's "
                           "dump-guest-memory wrote",
                           path);
    if (head.e_type != ET_CORE)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "%s is a program, not a core: did you mean --elf?", path);
    if (head.e_machine != EM_AARCH64 && head.e_machine != EM_ARM)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "the core %s is of another machine (ELF machine %u), not of an Arm one",
                           path, head.e_machine);
    return take_segments(c, elf, head.e_machine == EM_AARCH64, path, f);
}

struct source *core_open(const char *path, struct failure *f)
{
    struct source_core *c = calloc(1, sizeof(*c));
    Elf *elf;
    int ret;

    if (!c) {
        failure_set(f, EXIT_NO_TARGET, "out of memory");
        return NULL;
    }
    c->src.ops = &core_ops;
    source_arm_guard();
    ret = load_file(c, path, f);
    if (ret == 0) {
        elf_version(EV_CURRENT);
        elf = elf_memory((char *)(uintptr_t)c->map, c->size);
        ret = load_elf(c, elf, path, f);
        elf_end(elf);
    }
    if (ret) {
        core_close(&c->src);
        return NULL;
    }
    return &c->src;
}
