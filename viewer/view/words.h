/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words of the config file's language. NAMES_LIKE_THIS of the .def tables are
 * names-like-this there.
 */
#ifndef VIEWER_VIEW_WORDS_H
#define VIEWER_VIEW_WORDS_H

#include <stdbool.h>
#include <stddef.h>

/* Cuts the next word off; NULL if there is none. Words stand between blanks. */
char *word_next(char **rest);

/* Is that the word for the table's name? */
bool word_is(const char *word, const char *name);

/* The word for the table's name. */
void word_of(const char *name, char *word, size_t size);

#endif /* VIEWER_VIEW_WORDS_H */
