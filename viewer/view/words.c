/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/words.h"

#include <ctype.h>
#include <string.h>

#define BLANKS   " \t\r\n"
#define WORD_MAX 64

char *word_next(char **rest)
{
    char *word;

    *rest += strspn(*rest, BLANKS);
    if (!**rest)
        return NULL;
    word = *rest;
    *rest += strcspn(*rest, BLANKS);
    if (**rest)
        *(*rest)++ = '\0';
    return word;
}

void word_of(const char *name, char *word, size_t size)
{
    size_t len = 0;

    for (; name[len] && len + 1 < size; len++)
        word[len] = name[len] == '_' ? '-' : (char)tolower((unsigned char)name[len]);
    word[len] = '\0';
}

bool word_is(const char *word, const char *name)
{
    char own[WORD_MAX];

    word_of(name, own, sizeof(own));
    return strcmp(word, own) == 0;
}
