/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pieces of JSON. Keys, their order and every byte are shared with GDB's
 * commands, so it is written by hand, not by a library.
 */
#ifndef VIEWER_COMMAND_JSON_H
#define VIEWER_COMMAND_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

const char *boolean_text(bool value);

/* ,"key":"0x…" or ,"key":null; likewise the others. */
void put_hex(FILE *out, const char *key, bool known, uint64_t value);
void put_number(FILE *out, const char *key, bool known, uint64_t value);
void put_string(FILE *out, const char *key, const char *value); /* NULL: null */

/* "text" with what JSON does not allow in it escaped. */
void put_text(FILE *out, const char *text);

#endif /* VIEWER_COMMAND_JSON_H */
