/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The guest as the plugin sees it: its RAM files, and registers of the CPU that runs. */
#ifndef HVSCOPE_TRACER_GUEST_H
#define HVSCOPE_TRACER_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#define GUEST_CPUS_MAX  64
#define GUEST_BANKS_MAX 8

struct guest_bank {
    const uint8_t *memory; /* the RAM file, mapped; the guest changes it */
    uint64_t base, size;
};

/*
 * Add the RAM file that begins at PA pa (a multiple of 4 KiB). False, with a
 * sentence on stderr, if it cannot be mapped.
 */
bool guest_ram_add(const char *path, uint64_t pa);

/* The bank that holds pa, NULL if it is no RAM that is known. */
const struct guest_bank *guest_bank_of(uint64_t pa);

/* The frames of all banks before this one, so that frames can be numbered. */
uint64_t guest_frames_before(const struct guest_bank *bank);
uint64_t guest_frames(void);

/* One 64-bit atomic load of RAM; pa a multiple of 8. 0 outside RAM. */
uint64_t guest_load(uint64_t pa);

/* The guest is AArch32 (qemu-system-arm). Before the first CPU starts. */
void guest_set_aarch32(bool aarch32);
bool guest_is_aarch32(void);

/* Called on the thread of a CPU that starts, before it runs. */
void guest_cpu_init(unsigned int cpu);

/*
 * Registers of the CPU on whose thread this is called, from callbacks that asked
 * for registers, and while a block is translated. Those that do not exist are 0.
 * n: 0 to 30, or 14 (LR) at most in AArch32; 31 is 0, as XZR.
 */
uint64_t guest_register(unsigned int cpu, unsigned int n);
uint64_t guest_link_register(unsigned int cpu);
uint64_t guest_stack_pointer(unsigned int cpu);
uint64_t guest_cpsr(unsigned int cpu);

enum guest_system_register {
    GUEST_TCR_EL2, /* HTCR */
    GUEST_HCR_EL2,
    GUEST_VTCR_EL2, /* VTCR */
    GUEST_MMFR2_EL1,
    GUEST_SYSTEM_REGISTERS
};
uint64_t guest_system_register(unsigned int cpu, enum guest_system_register which);

/* The exception level that the CPU is in; 3 in the other execution state than the guest's highest,
 * whose code is not looked at. */
unsigned int guest_el(unsigned int cpu);

/* Would an A32 instruction with this condition be executed now? */
bool guest_condition_holds(unsigned int cpu, unsigned int condition);

#endif /* HVSCOPE_TRACER_GUEST_H */
