/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ending a run. Every failure prints what and where, leaves its status in the
 * beacon and powers the machine off: a failing run ends.
 */
#ifndef HV_CORE_PANIC_H
#define HV_CORE_PANIC_H

#include <stdbool.h>
#include <stdint.h>

/* Report, leave BEACON_EXIT_PANIC, power off. */
_Noreturn void panic(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same after something longer was printed: mark the console as ours first. */
void panic_begin(void);

/* Leave a status in the beacon and power off. */
_Noreturn void machine_off(uint32_t exit_status);

/*
 * Always on. Prints the expression, the values (a format and its arguments)
 * and the CPU.
 */
#define CHECK(expr, format, ...)                                                                   \
    do {                                                                                           \
        if (__builtin_expect(!(expr), 0))                                                          \
            panic("%s:%d: CHECK(%s): " format, __FILE_NAME__, __LINE__,                            \
                  #expr __VA_OPT__(, ) __VA_ARGS__);                                               \
    } while (0)

#endif /* HV_CORE_PANIC_H */
