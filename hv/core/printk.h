/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The console: a PL011, polled. */
#ifndef HV_CORE_PRINTK_H
#define HV_CORE_PRINTK_H

#include <hvscope/addr.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Map the UART; before this, printk() prints nothing. */
void console_init(paddr_t uart);

/*
 * Print. Conversions: %c %s %d %u %x %p, l for 64 bits, width, 0 and '-'
 * flags. A call is printed whole, not mixed with another CPU's.
 */
void printk(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same to a buffer, always terminated; at most size - 1 characters. */
void snprintk(char *buffer, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void vsnprintk(char *buffer, size_t size, const char *format, va_list args);

/* Ignore the console's lock: a CPU is about to die, perhaps holding it. */
void console_force(void);

/* The next character typed, -1 if there is none. */
int console_getc(void);

#endif /* HV_CORE_PRINTK_H */
