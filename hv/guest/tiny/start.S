/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First instruction of every vCPU: EL1, MMU off, at GUEST_RAM_IPA. x0: what to
 * do (enum guest_mode), x1: which vCPU this is. vCPU 0 makes the tables.
 */
    .section .text.start, "ax"
    .global _start
_start:
    mov     x19, x0
    mov     x20, x1
    adrp    x2, stacks                  /* PC-relative: an IPA here */
    add     x3, x1, #1
    add     x2, x2, x3, lsl #12
    mov     sp, x2
    cbnz    x20, 1f
    bl      tables_make
    b       2f
1:  adrp    x2, tables_ready
    ldr     x2, [x2, #:lo12:tables_ready]
    cbnz    x2, 2f
    mov     x0, #0                      /* HC_YIELD */
    hvc     #0
    b       1b
2:  adrp    x0, level1
    adrp    x1, tcr_value
    ldr     x1, [x1, #:lo12:tcr_value]
    mov     x2, #0xff                   /* attribute 0: normal, write-back */
    msr     mair_el1, x2
    msr     tcr_el1, x1
    msr     ttbr0_el1, x0
    isb
    mrs     x0, sctlr_el1
    mov     x1, #0x1005                 /* I, C, M */
    orr     x0, x0, x1
    msr     sctlr_el1, x0
    isb
    ldr     x2, =stacks                 /* link address: a VA */
    add     x3, x20, #1
    add     x2, x2, x3, lsl #12
    mov     sp, x2
    mov     x0, x19
    mov     x1, x20
    ldr     x2, =guest_main
    br      x2
    .ltorg
