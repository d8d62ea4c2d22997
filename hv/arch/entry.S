/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From the boot loader or PSCI to C, and from physical to virtual addresses.
 * Everything is computed in C (boot.c); here it is only put into registers.
 */
#include <hvscope/layout.h>
#include "arch/boot.h"

    .cfi_sections .debug_frame
    .section .text.header, "ax"
    /* The arm64 Linux Image header: include/hvscope/beacon.h. */
    b       primary_start
    .long   0
    .quad   0                           /* text_offset: QEMU makes it 2 MiB */
    .quad   image_bytes                 /* image_size */
    .quad   0xa                         /* flags: little endian, 4 KiB pages, anywhere */
    .quad   beacon_offset               /* res2 */
    .quad   0x31474d4943535648          /* res3: BEACON_IMAGE_MAGIC */
    .quad   0
    .ascii  "ARM\x64"
    .long   0

/* x0: PA of the device tree. MMU off, at the exception level the loader chose. */
primary_start:
    mov     x19, x0
    adrp    x1, beacon_area
    str     xzr, [x1, #:lo12:beacon_area]
    adrp    x1, _sbss
    adrp    x2, _ebss
1:  stp     xzr, xzr, [x1], #16
    cmp     x1, x2
    b.lo    1b
    adrp    x1, boot_stack + BOOT_STACK_SIZE
    mov     sp, x1
    mov     x29, xzr
    mov     x0, x19
    bl      boot_primary                /* returns a struct boot_cpu */
    b       mmu_enable

/* x0: PA of this CPU's struct boot_cpu, from PSCI CPU_ON. */
    .global secondary_start
secondary_start:
    ldr     x1, [x0, #BOOT_CPU_STACK_PA]
    mov     sp, x1
    mov     x29, xzr
    mov     x28, #8                     /* TRACE_BARRIERS_NONE: barriers are recorded from here */
    mov     x19, x0
    bl      boot_secondary
    mov     x0, x19

/* x0: struct boot_cpu. Runs identity mapped until the branch to its entry. */
mmu_enable:
    ldp     x1, x2, [x0, #BOOT_CPU_MAIR]
    ldp     x3, x4, [x0, #BOOT_CPU_TTBR0]
    ldp     x5, x6, [x0, #BOOT_CPU_VBAR]
    ldp     x7, x8, [x0, #BOOT_CPU_STACK_VA]
    ldr     x9, [x0, #BOOT_CPU_ENTRY]
    ldr     x10, [x0, #BOOT_CPU_LAUNCH]
    msr     mair_el2, x1
    msr     tcr_el2, x2
    msr     ttbr0_el2, x3
    msr     vbar_el2, x5
    msr     tpidr_el2, x6
    isb
    tlbi    alle2                       /* what an earlier stage left */
    dsb     nsh
    ic      iallu
    dsb     nsh
    isb
    msr     sctlr_el2, x4
    isb
    mov     sp, x7
    mov     x29, xzr
    mov     x30, xzr
    mov     x0, x8
    br      x10

/* x9: where to go, x0: its argument. At its virtual address; backtraces end here. */
    .global cpu_launch
    .type cpu_launch, %function
cpu_launch:
    .cfi_startproc
    .cfi_undefined x30
    blr     x9
    b       .
    .cfi_endproc
    .size cpu_launch, . - cpu_launch
