/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/ram.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct ram_file {
    char *path;
    int fd;
    uint64_t base;
    uint64_t mapped; /* bytes that were mapped */
    uint64_t size;   /* bytes that the file still has, at most mapped */
    const char *map;
    dev_t dev;
    ino_t ino;
};

struct source_ram {
    struct source src;
    unsigned int nr;
    struct ram_file file[RAM_FILES_MAX];
};

static int ram_read(const struct source *src, uint64_t pa, void *buf, size_t len)
{
    const struct source_ram *ram = (const struct source_ram *)src;

    for (unsigned int i = 0; i < ram->nr; i++) {
        const struct ram_file *file = &ram->file[i];

        if (pa >= file->base && pa - file->base < file->size &&
            len <= file->size - (pa - file->base)) {
            source_copy(buf, file->map + (pa - file->base), len);
            return 0;
        }
    }
    return -EFAULT;
}

static int ram_piece(const struct source *src, unsigned int n, struct source_piece *piece)
{
    const struct source_ram *ram = (const struct source_ram *)src;

    if (n >= ram->nr)
        return -ENOENT;
    *piece = (struct source_piece){ram->file[n].base, ram->file[n].mapped};
    return 0;
}

/* Also takes over a smaller size: what is read must be inside the file. */
static enum source_health file_health(struct ram_file *file)
{
    struct stat now, name;

    if (fstat(file->fd, &now) == 0)
        file->size = (uint64_t)now.st_size < file->mapped ? (uint64_t)now.st_size : file->mapped;
    if (stat(file->path, &name) != 0)
        return SOURCE_GONE;
    if (name.st_dev != file->dev || name.st_ino != file->ino)
        return SOURCE_REPLACED;
    if (now.st_nlink == 0)
        return SOURCE_REPLACED;
    return file->size < file->mapped ? SOURCE_CUT : SOURCE_OK;
}

static enum source_health ram_health(struct source *src)
{
    struct source_ram *ram = (struct source_ram *)src;
    enum source_health worst = SOURCE_OK;

    for (unsigned int i = 0; i < ram->nr; i++) {
        enum source_health health = file_health(&ram->file[i]);

        if (health > worst)
            worst = health;
    }
    return worst;
}

static void ram_close(struct source *src)
{
    struct source_ram *ram = (struct source_ram *)src;

    for (unsigned int i = 0; i < ram->nr; i++) {
        struct ram_file *file = &ram->file[i];

        if (file->map)
            munmap((void *)(uintptr_t)file->map, file->mapped);
        if (file->fd >= 0)
            close(file->fd);
        free(file->path);
    }
    free(ram);
}

static const struct source_ops ram_ops = {
    .name = "ram",
    .read = ram_read,
    .health = ram_health,
    .piece = ram_piece,
    .close = ram_close,
};

static const char *file_kind(mode_t mode)
{
    if (S_ISDIR(mode))
        return "a directory (of a running machine? then --dir)";
    if (S_ISFIFO(mode))
        return "a pipe";
    if (S_ISSOCK(mode))
        return "a socket";
    return "a device";
}

/* O_NONBLOCK: opening a pipe that nobody writes to would wait for ever. */
static int file_open(struct ram_file *file, struct failure *f)
{
    struct stat st;

    file->fd = open(file->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file->fd < 0 && errno != ENXIO)
        return failure_set(f, EXIT_NO_TARGET, "cannot open the RAM file %s: %s", file->path,
                           strerror(errno));
    if (file->fd < 0 || fstat(file->fd, &st) != 0)
        return failure_set(f, EXIT_NO_TARGET, "%s is not a RAM file: name a regular file",
                           file->path);
    if (!S_ISREG(st.st_mode))
        return failure_set(f, EXIT_NO_TARGET, "%s is %s, not a RAM file: name a regular file",
                           file->path, file_kind(st.st_mode));
    if (st.st_size == 0)
        return failure_set(f, EXIT_NO_TARGET, "the RAM file %s is empty: has its machine started?",
                           file->path);
    file->dev = st.st_dev;
    file->ino = st.st_ino;
    file->mapped = file->size = st.st_size;
    return 0;
}

static int file_map(struct ram_file *file, struct failure *f)
{
    void *map = mmap(NULL, file->mapped, PROT_READ, MAP_SHARED | MAP_NORESERVE, file->fd, 0);

    if (map == MAP_FAILED)
        return failure_set(f, EXIT_NO_TARGET, "cannot map the RAM file %s: %s", file->path,
                           strerror(errno));
    file->map = map;
    return 0;
}

static int check_overlap(const struct source_ram *ram, const struct ram_file *file,
                         struct failure *f)
{
    if (file->base + file->size < file->base)
        return failure_set(f, EXIT_USAGE,
                           "the RAM file %s does not fit above 0x%llx: give "
                           "another address",
                           file->path, (unsigned long long)file->base);
    for (unsigned int i = 0; i < ram->nr; i++) {
        const struct ram_file *other = &ram->file[i];

        if (file->base < other->base + other->size && other->base < file->base + file->size)
            return failure_set(f, EXIT_USAGE,
                               "the RAM files %s and %s overlap: give their "
                               "addresses as FILE@PA",
                               other->path, file->path);
    }
    return 0;
}

static int ram_add(struct source_ram *ram, const struct ram_spec *spec, struct failure *f)
{
    struct ram_file *file = &ram->file[ram->nr];

    *file = (struct ram_file){.path = strdup(spec->path), .fd = -1, .base = spec->pa};
    if (!file->path)
        return failure_set(f, EXIT_NO_TARGET, "out of memory");
    if (file_open(file, f) || check_overlap(ram, file, f) || file_map(file, f)) {
        ram->nr++;
        return -1;
    }
    ram->nr++;
    return 0;
}

struct source *ram_open(const struct ram_spec *spec, unsigned int nr, struct failure *f)
{
    struct source_ram *ram = calloc(1, sizeof(*ram));

    if (!ram) {
        failure_set(f, EXIT_NO_TARGET, "out of memory");
        return NULL;
    }
    ram->src.ops = &ram_ops;
    source_arm_guard();
    for (unsigned int i = 0; i < nr && i < RAM_FILES_MAX; i++) {
        if (ram_add(ram, &spec[i], f)) {
            ram_close(&ram->src);
            return NULL;
        }
    }
    return &ram->src;
}

uint64_t ram_file_size(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
}
