/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RAM files: the memory backends of a QEMU that runs, or what one left behind.
 */
#ifndef VIEWER_SOURCE_RAM_H
#define VIEWER_SOURCE_RAM_H

#include "source/failure.h"
#include "source/source.h"

#define RAM_FILES_MAX 8
#define RAM_BASE      UINT64_C(0x40000000) /* where QEMU's virt machine has its RAM */

/* A file and the physical address of its first byte (a multiple of 4 KiB). */
struct ram_spec {
    const char *path;
    uint64_t pa;
};

/*
 * Map nr (1 to RAM_FILES_MAX) files, read-only and shared. Only regular files;
 * a pipe is not waited for. NULL and f filled in (EXIT_NO_TARGET; EXIT_USAGE if
 * two of them overlap) on failure. The paths are copied.
 */
struct source *ram_open(const struct ram_spec *spec, unsigned int nr, struct failure *f);

/* Bytes of the regular file at path, 0 if there is none. */
uint64_t ram_file_size(const char *path);

#endif /* VIEWER_SOURCE_RAM_H */
