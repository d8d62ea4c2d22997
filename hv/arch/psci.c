/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/psci.h"
#include "core/fdt.h"
#include "core/string.h"

#define PSCI_CPU_ON     0xc4000003u
#define PSCI_SYSTEM_OFF 0x84000008u

static bool psci_by_hvc;

bool psci_init(const void *fdt)
{
    const char *method = fdt_string(fdt, "/psci", "method");

    psci_by_hvc = method && strcmp(method, "hvc") == 0;
    return method;
}

static int64_t psci_call(uint32_t function, uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t x0 asm("x0") = function;
    register uint64_t x1 asm("x1") = a;
    register uint64_t x2 asm("x2") = b;
    register uint64_t x3 asm("x3") = c;

    if (psci_by_hvc)
        asm volatile("hvc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
    else
        asm volatile("smc #0" : "+r"(x0), "+r"(x1), "+r"(x2), "+r"(x3) : : "memory");
    return x0;
}

int psci_cpu_on(uint64_t mpidr, uint64_t entry_pa, uint64_t context)
{
    return (int)psci_call(PSCI_CPU_ON, mpidr, entry_pa, context);
}

void psci_system_off(void)
{
    psci_call(PSCI_SYSTEM_OFF, 0, 0, 0);
    for (;;)
        asm volatile("wfi");
}
