/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Words of a line that someone typed: parts of a string, not terminated. */
#ifndef HV_CORE_WORD_H
#define HV_CORE_WORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct word {
    const char *s;
    size_t n;
};

/* All of a string. */
struct word word_from(const char *s);

/* Is it this string? */
bool word_is(struct word w, const char *s);

/* Index of a word in a list that ends with NULL, -1 if it is not there. */
int word_index(struct word w, const char *const *list);

/* Take what is before the separator off the front; without one, everything. */
struct word word_cut(struct word *rest, char separator);

/* The next word between blanks; empty when none is left. */
struct word word_next(struct word *rest);

/* A decimal number from 0 to max, digits only. False: it is none, and *value stays. */
bool word_number(struct word w, uint64_t max, uint64_t *value);

/* A hexadecimal number, "0x" first. */
bool word_hex(struct word w, uint64_t *value);

/* For the console: bounded, and without control bytes. Returns out. */
const char *word_quote(char *out, size_t size, struct word w);

#endif /* HV_CORE_WORD_H */
