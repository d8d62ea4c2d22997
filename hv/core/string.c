/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/string.h"
#include <stdint.h>

/* Whole words where the address allows: pages are cleared and copied all the time. */
void *memset(void *p, int c, size_t n)
{
    char *to = p;
    uint64_t word = 0x0101010101010101ul * (unsigned char)c;

    for (; n && (uintptr_t)to % 8; n--)
        *to++ = (char)c;
    for (; n >= 8; n -= 8, to += 8)
        *(uint64_t *)(void *)to = word;
    for (; n; n--)
        *to++ = (char)c;
    return p;
}

void *memcpy(void *to, const void *from, size_t n)
{
    char *t = to;
    const char *f = from;

    if ((((uintptr_t)t | (uintptr_t)f) & 7) == 0) {
        for (; n >= 8; n -= 8, t += 8, f += 8)
            *(uint64_t *)(void *)t = *(const uint64_t *)(const void *)f;
    }
    for (; n; n--)
        *t++ = *f++;
    return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;

    for (; n; n--, x++, y++) {
        if (*x != *y)
            return *x - *y;
    }
    return 0;
}

size_t strlen(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t n)
{
    for (; n && *a && *a == *b; n--)
        a++, b++;
    return n ? (unsigned char)*a - (unsigned char)*b : 0;
}
