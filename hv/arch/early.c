/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/early.h"
#include "arch/pl011.h"
#include "arch/psci.h"
#include "core/fdt.h"

uint64_t early_fdt;

static void early_puts(uint64_t uart, const char *s)
{
    for (; *s; s++)
        pl011_putc((void *)uart, *s);
}

void early_fail(const char *why)
{
    const void *fdt = (const void *)early_fdt;
    uint64_t uart;

    if (fdt_check(fdt, UINT64_MAX) > 0) {
        if (fdt_find_uart(fdt, &uart)) {
            early_puts(uart, "hv: ");
            early_puts(uart, why);
            early_puts(uart, "\n");
        }
        psci_init(fdt);
        psci_system_off();
    }
    for (;;)
        asm volatile("wfi");
}
