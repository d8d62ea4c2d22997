/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/word.h"
#include "core/string.h"

struct word word_from(const char *s)
{
    return (struct word){s, strlen(s)};
}

bool word_is(struct word w, const char *s)
{
    return strlen(s) == w.n && strncmp(w.s, s, w.n) == 0;
}

int word_index(struct word w, const char *const *list)
{
    for (int i = 0; list[i]; i++) {
        if (word_is(w, list[i]))
            return i;
    }
    return -1;
}

struct word word_cut(struct word *rest, char separator)
{
    struct word w = {rest->s, 0};

    while (w.n < rest->n && w.s[w.n] != separator)
        w.n++;
    rest->s += w.n;
    rest->n -= w.n;
    if (rest->n) {
        rest->s++;
        rest->n--;
    }
    return w;
}

struct word word_next(struct word *rest)
{
    struct word w = {rest->s, 0};

    while (rest->n && !w.n)
        w = word_cut(rest, ' ');
    return w;
}

bool word_number(struct word w, uint64_t max, uint64_t *value)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < w.n; i++) {
        uint64_t digit = (uint64_t)(w.s[i] - '0');

        if (w.s[i] < '0' || w.s[i] > '9' || digit > max || sum > (max - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    if (w.n)
        *value = sum;
    return w.n;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool word_hex(struct word w, uint64_t *value)
{
    uint64_t sum = 0;

    if (w.n < 3 || w.s[0] != '0' || w.s[1] != 'x')
        return false;
    for (size_t i = 2; i < w.n; i++) {
        int digit = hex_digit(w.s[i]);

        if (digit < 0 || sum >> 60)
            return false;
        sum = sum << 4 | (uint64_t)digit;
    }
    *value = sum;
    return true;
}

const char *word_quote(char *out, size_t size, struct word w)
{
    size_t i;

    for (i = 0; i < w.n && i < size - 1; i++)
        out[i] = w.s[i] > ' ' && w.s[i] < 0x7f ? w.s[i] : '?';
    out[i] = '\0';
    return out;
}
