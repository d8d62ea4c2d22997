/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A folder of a test's own, as a run directory is. */
#ifndef TESTS_VIEWER_DIR_H
#define TESTS_VIEWER_DIR_H

#include <stddef.h>
#include <stdint.h>

extern char dir[];

/* Set-up and tear-down of a group: it is made, and removed with the files that are a machine's. */
int dir_make(void **state);
int dir_remove(void **state);

/* A path in it; good until three others were asked for. */
const char *in_dir(const char *name);

/* A file in it that begins with this word, if it has any size. */
void make_file(const char *name, size_t size, uint64_t first);

#endif /* TESTS_VIEWER_DIR_H */
