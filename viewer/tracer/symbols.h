/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HVSCOPE_TRACER_SYMBOLS_H
#define HVSCOPE_TRACER_SYMBOLS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Value and size of the function `name` in the symbol table of an ELF file.
 * False if the file is none, or has no such function, or not how long it is.
 */
bool symbol_find(const char *path, const char *name, uint64_t *value, uint64_t *size);

#endif /* HVSCOPE_TRACER_SYMBOLS_H */
