/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HVSCOPE_TRACER_SYMBOLS_H
#define HVSCOPE_TRACER_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

#define SYMBOL_PARTS_MAX 16

/* A function: VA, and bytes of code. */
struct symbol {
    uint64_t va, size;
};

/*
 * The function `name` in the symbol table of an ELF file, and behind it all that its
 * code branches to without a link, and what these do: a tail call returns from there,
 * and compilers split functions. How many, the nearest ones if there are too many; 0:
 * the file is none, or has no such function, or not how long it is.
 */
unsigned int symbol_parts(const char *path, const char *name,
                          struct symbol parts[SYMBOL_PARTS_MAX]);

#endif /* HVSCOPE_TRACER_SYMBOLS_H */
