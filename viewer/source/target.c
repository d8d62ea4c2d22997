/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/target.h"

#include "source/backends.h"
#include "source/core.h"
#include "source/gdb.h"
#include "source/qmp.h"
#include "source/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <hvscope/trace_file.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CPSR_EL_SHIFT 2
#define CPSR_EL_MASK  3
#define CPSR_NRW      (UINT64_C(1) << 4) /* AArch32 */

#define HINT "start one with `make run`, or name its run directory with --dir"

static ssize_t read_small_file(int dir_fd, const char *name, char *buf, size_t size)
{
    int fd = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ssize_t n;

    if (fd < 0)
        return -1;
    n = read(fd, buf, size - 1);
    close(fd);
    if (n >= 0)
        buf[n] = '\0';
    return n;
}

bool process_alive(pid_t pid)
{
    char path[32], stat[512];
    const char *after_name;

    if (pid <= 0 || (kill(pid, 0) != 0 && errno != EPERM))
        return false;
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    if (read_small_file(AT_FDCWD, path, stat, sizeof(stat)) <= 0)
        return true; /* hidden /proc: the signal could be sent, so it is there */
    after_name = strrchr(stat, ')');
    return !after_name || strlen(after_name) < 3 || !strchr("ZXx", after_name[2]);
}

/* A pid from DIR/pid; 0 if there is none or it is no number. */
static pid_t read_pid(int dir_fd)
{
    char text[32], *end;
    long pid;

    if (read_small_file(dir_fd, "pid", text, sizeof(text)) <= 0)
        return 0;
    errno = 0;
    pid = strtol(text, &end, 10);
    if (errno || end == text || (*end != '\n' && *end != '\0') || pid <= 0 || pid > INT_MAX)
        return 0;
    return pid;
}

/* DIR/ram, DIR/ram1 … lie one behind the other from the start of RAM; DIR/trace is for events. */
static struct source *open_dir_ram(const char *dir, struct failure *f)
{
    char path[RAM_FILES_MAX][PATH_MAX], trace[PATH_MAX];
    struct ram_spec spec[RAM_FILES_MAX];
    uint64_t pa = RAM_BASE;
    unsigned int nr;

    for (nr = 0; nr < RAM_FILES_MAX; nr++) {
        if (nr == 0)
            snprintf(path[nr], PATH_MAX, "%s/ram", dir);
        else
            snprintf(path[nr], PATH_MAX, "%s/ram%u", dir, nr);
        spec[nr] = (struct ram_spec){path[nr], pa};
        if (nr > 0 && access(path[nr], F_OK) != 0)
            break;
        pa += ram_file_size(path[nr]);
    }
    snprintf(trace, sizeof(trace), "%s/" TRACE_FILE_NAME, dir);
    if (nr < RAM_FILES_MAX && ram_file_size(trace))
        spec[nr++] = (struct ram_spec){trace, TRACE_FILE_PA};
    return ram_open(spec, nr, f);
}

static int open_machine(struct target *target, const char *dir, struct failure *f)
{
    target->dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (target->dir_fd < 0)
        return failure_set(f, EXIT_NO_TARGET, "no machine in %s (%s): " HINT, dir, strerror(errno));
    target->pid = read_pid(target->dir_fd);
    if (target->pid == 0)
        return failure_set(f, EXIT_NO_TARGET, "no machine in %s (no pid file): " HINT, dir);
    if (!process_alive(target->pid))
        return failure_set(f, EXIT_NO_TARGET,
                           "no machine in %s (its QEMU, pid %ld, has ended): " HINT, dir,
                           (long)target->pid);
    target->qmp_dir = target->dir_fd;
    target->qmp_name = "qmp.sock";
    target->src = open_dir_ram(dir, f);
    return target->src ? 0 : -1;
}

/* Memory says nothing of whether the machine runs: that is asked, and acted on, through there. */
static void keep_socket(struct target *target, const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];

    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path + 1) : 1,
             slash ? path : ".");
    target->qmp_dir = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    target->qmp_name = slash ? slash + 1 : path;
}

/* All but a run directory. */
static struct source *open_source(const struct target_spec *spec, struct failure *f)
{
    if (spec->recording)
        return recording_open(spec->recording, f);
    if (spec->gdb)
        return gdb_open(spec->gdb, f);
    if (spec->core)
        return core_open(spec->core, f);
    if (spec->qmp)
        return backends_open(spec->qmp, f);
    return ram_open(spec->ram, spec->nr_ram, f);
}

bool target_is_directory(const struct target_spec *spec)
{
    return !spec->recording && !spec->gdb && !spec->core && !spec->qmp && !spec->nr_ram;
}

const char *target_name(const struct target_spec *spec)
{
    if (spec->recording)
        return spec->recording;
    if (spec->gdb)
        return spec->gdb;
    if (spec->core)
        return spec->core;
    if (spec->qmp)
        return spec->qmp;
    return spec->nr_ram ? spec->ram[0].path : spec->dir;
}

int target_open(struct target *target, const struct target_spec *spec, struct failure *f)
{
    *target = (struct target)TARGET_NONE;
    if (!target_is_directory(spec)) {
        target->src = open_source(spec, f);
        if (target->src && spec->qmp)
            keep_socket(target, spec->qmp);
        return target->src ? 0 : -1;
    }
    if (open_machine(target, spec->dir, f)) {
        target_close(target);
        return -1;
    }
    return 0;
}

void target_close(struct target *target)
{
    source_close(target->src);
    if (target->qmp_dir >= 0 && target->qmp_dir != target->dir_fd)
        close(target->qmp_dir);
    if (target->dir_fd >= 0)
        close(target->dir_fd);
    *target = (struct target)TARGET_NONE;
}

enum source_health target_health(const struct target *target)
{
    enum source_health health = source_health(target->src);

    if (target->dir_fd >= 0 && health != SOURCE_REPLACED && !process_alive(target->pid))
        return SOURCE_GONE;
    return health;
}

bool source_elf_path(const struct target_spec *spec, char *path, size_t size)
{
    if (spec->elf) {
        snprintf(path, size, "%s", spec->elf);
        return true;
    }
    if (!target_is_directory(spec) || !spec->dir)
        return false;
    snprintf(path, size, "%s/symbols", spec->dir);
    return access(path, F_OK) == 0;
}

static bool source_places(const struct source *src, struct places *places)
{
    unsigned int nr = source_cpus(src);
    bool any = false;

    *places = (struct places){.nr = nr < PLACES_MAX ? nr : PLACES_MAX};
    for (unsigned int i = 0; i < places->nr; i++) {
        struct cpu_place *p = &places->cpu[i];
        uint64_t cpsr;

        p->known = source_register(src, i, "PC", &p->pc) == 0 &&
                   source_register(src, i, "CPSR", &cpsr) == 0 && !(cpsr & CPSR_NRW);
        p->el = p->known ? cpsr >> CPSR_EL_SHIFT & CPSR_EL_MASK : 0;
        any |= p->known;
    }
    return any;
}

bool target_can_ask(const struct target *target)
{
    return target->qmp_dir >= 0;
}

enum qmp_result target_ask(const struct target *target, struct qmp *qmp, uint64_t now)
{
    if (source_is_shared(target->src))
        return source_ask(target->src, qmp);
    return qmp_start(qmp, target->qmp_dir, target->qmp_name, now);
}

bool target_places(const struct target *target, struct places *places)
{
    struct qmp qmp;

    if (!target->src)
        return false;
    if (source_places(target->src, places))
        return true;
    if (!target_can_ask(target))
        return false;
    if (!source_is_shared(target->src))
        return qmp_ask_places(target->qmp_dir, target->qmp_name, places);
    qmp_init(&qmp);
    if (source_ask(target->src, &qmp) != QMP_DONE || !qmp.registers)
        return false;
    *places = qmp.places;
    return true;
}
