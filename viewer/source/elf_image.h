/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hypervisor's ELF file: where it is linked, which build it is, where its
 * variables are. 32 and 64 bit, with or without debug information.
 */
#ifndef VIEWER_SOURCE_ELF_IMAGE_H
#define VIEWER_SOURCE_ELF_IMAGE_H

#include "source/failure.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_BUILD_ID_MAX 20
#define ELF_SYMBOLS_MAX  16 /* that can be asked for */

struct elf_symbol {
    uint64_t va; /* 0: there is none of this name */
    uint64_t size;
};

struct elf_image {
    bool is_arm32;        /* else it is arm64 */
    uint64_t va, size;    /* what is loaded, from the first byte to the last */
    uint64_t build_id_va; /* of the build ID's bytes; 0: it has none */
    uint8_t build_id[ELF_BUILD_ID_MAX];
    size_t build_id_size;
};

/*
 * Read the file at path, and its symbols called names[0] to names[nr - 1] into
 * symbol[]. The answer for an unchanged file and the same array of names is
 * remembered. 0, or -1 with f (EXIT_NOT_UNDERSTOOD).
 */
int source_read_elf(const char *path, const char *const names[], unsigned int nr,
                    struct elf_image *image, struct elf_symbol symbol[], struct failure *f);

#endif /* VIEWER_SOURCE_ELF_IMAGE_H */
