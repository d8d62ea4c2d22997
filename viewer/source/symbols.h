/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions and lines of the image's ELF file.
 */
#ifndef VIEWER_SOURCE_SYMBOLS_H
#define VIEWER_SOURCE_SYMBOLS_H

#include "source/failure.h"

#include <stddef.h>
#include <stdint.h>

struct symbols;

/*
 * Read the file's functions and line table. build_id: of the image that runs;
 * a file that is not its own would mislead and is refused. NULL with f
 * (EXIT_NOT_UNDERSTOOD) on failure.
 */
struct symbols *symbols_open(const char *path, const uint8_t *build_id, size_t build_id_size,
                             struct failure *f);
void symbols_close(struct symbols *s);

/* "map_domain_page+0x9c" of the function that a call returned to; "" if none, or s is NULL. */
void symbols_where(const struct symbols *s, uint64_t address, char *buf, size_t size);

/* "map_domain_page+0x9c", or the name alone, of the function that address is in; "" if none. */
void symbols_at(const struct symbols *s, uint64_t address, char *buf, size_t size);

/* The name alone; NULL if none. */
const char *symbols_function(const struct symbols *s, uint64_t address);

/* "copy.c:120", of the call; "" if none. */
void symbols_line(const struct symbols *s, uint64_t address, char *buf, size_t size);

/* First address of the function that is called name; 0 if there is none. */
uint64_t symbols_address(const struct symbols *s, const char *name);

#endif /* VIEWER_SOURCE_SYMBOLS_H */
