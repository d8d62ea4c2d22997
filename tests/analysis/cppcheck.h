/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For cppcheck, in place of two headers of the image that it cannot follow: __VA_OPT__, and values
 * that assembly writes.
 */
#define HV_CORE_PANIC_H
#define HV_ARCH_SYSREG_H

#include <stdbool.h>
#include <stdint.h>

_Noreturn void panic(const char *format, ...) __attribute__((noreturn));
void panic_begin(void);
_Noreturn void machine_off(uint32_t exit_status);
uint64_t register_read(void);
void register_write(uint64_t value);

#define CHECK(expr, ...)                                                                           \
    do {                                                                                           \
        if (!(expr))                                                                               \
            panic(__VA_ARGS__);                                                                    \
    } while (0)
#define read_sysreg(name)         register_read()
#define write_sysreg(name, value) register_write(value)
