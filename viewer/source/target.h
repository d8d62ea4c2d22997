/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The target that a person named: the machine of a run directory, one behind a
 * QMP socket or a gdb stub, or what a machine left behind.
 */
#ifndef VIEWER_SOURCE_TARGET_H
#define VIEWER_SOURCE_TARGET_H

#include "source/failure.h"
#include "source/qmp.h"
#include "source/ram.h"
#include "source/source.h"

#include <stdbool.h>
#include <sys/types.h>

/* What the command line says: at most one of the first five, else dir. */
struct target_spec {
    const char *gdb;       /* address of a gdb stub: halts the machine */
    const char *core;      /* a file of QEMU's dump-guest-memory */
    const char *recording; /* or a snapshot */
    const char *qmp;       /* a QMP socket: QEMU says where its RAM is */
    struct ram_spec ram[RAM_FILES_MAX];
    unsigned int nr_ram;
    const char *dir;
    bool has_beacon; /* the beacon is at beacon_pa: do not look for an image */
    uint64_t beacon_pa;
    const char *elf;     /* the hypervisor's symbols; NULL: those in the run directory, if any */
    const char *profile; /* what kind of hypervisor it is; NULL: to be found out */
    bool has_root;       /* tables begin at root, whatever the CPU's register says */
    uint64_t root;
};

#define TARGET_NOTE_MAX 160

/* Closed when src is NULL. */
struct target {
    struct source *src;
    int dir_fd;                 /* of the run directory; -1: none was named */
    pid_t pid;                  /* of its QEMU; 0: not known */
    int qmp_dir;                /* the folder of the QMP socket; -1: none to ask through */
    const char *qmp_name;       /* the socket in it */
    bool asked;                 /* its gdb stub was, or could not be: not again */
    struct failure refusal;     /* why it could not be */
    char note[TARGET_NOTE_MAX]; /* what that did to the machine, for a person; "": nothing */
};

#define TARGET_NONE                                                                                \
    {                                                                                              \
        .dir_fd = -1, .qmp_dir = -1                                                                \
    }

/* Is it the machine of spec->dir; and the file, socket or folder that a person named. */
bool target_is_directory(const struct target_spec *spec);
const char *target_name(const struct target_spec *spec);

/* Attach. 0, or -1 with f filled in (no machine: EXIT_NO_TARGET). */
int target_open(struct target *target, const struct target_spec *spec, struct failure *f);
void target_close(struct target *target);

/* The file of symbols: what spec names, else DIR/symbols if it is there. False: none. */
bool source_elf_path(const struct target_spec *spec, char *path, size_t size);

/*
 * Is it still the machine that was attached to? SOURCE_GONE also when its QEMU
 * does not run any more. RAM files without a machine are never "gone" for that.
 */
enum source_health target_health(const struct target *target);

/* Is there a QEMU that can be asked for its status? */
bool target_can_ask(const struct target *target);

/*
 * Ask it. QMP_PENDING: go on with qmp_step(). A shared source asks for us in its
 * turn, and waits for the answer.
 */
enum qmp_result target_ask(const struct target *target, struct qmp *qmp, uint64_t now);

/*
 * Where the CPUs of a halted machine stand: by the source's own registers, else
 * through QMP. False if it runs, is closed, or nobody can be asked.
 */
bool target_places(const struct target *target, struct places *places);

/* Is there a process pid that still runs (not a zombie)? */
bool process_alive(pid_t pid);

#endif /* VIEWER_SOURCE_TARGET_H */
