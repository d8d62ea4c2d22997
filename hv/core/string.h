/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few string functions that a freestanding image needs, as in C. */
#ifndef HV_CORE_STRING_H
#define HV_CORE_STRING_H

#include <stddef.h>

void *memset(void *p, int c, size_t n);
void *memcpy(void *to, const void *from, size_t n);
int memcmp(const void *a, const void *b, size_t n);
size_t strlen(const char *s);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);

#endif /* HV_CORE_STRING_H */
