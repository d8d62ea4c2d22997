/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Into a guest and back. Interrupts are masked in EL2 on both sides. */
#include "arch/registers.inc"

#define REGS_PC     248
#define FRAME_REGS  96
#define FRAME_BYTES 112

    .cfi_sections .debug_frame
    .text

/*
 * unsigned int guest_enter(struct guest_regs *regs): run until the guest is
 * left; returns the vector (8 to 15) by which it was.
 */
    .global guest_enter
    .type guest_enter, %function
guest_enter:
    .cfi_startproc
    stp     x29, x30, [sp, #-FRAME_BYTES]!
    .cfi_def_cfa sp, FRAME_BYTES
    .cfi_offset x29, -FRAME_BYTES
    .cfi_offset x30, 8 - FRAME_BYTES
    mov     x29, sp
    stp     x19, x20, [sp, #16]
    stp     x21, x22, [sp, #32]
    stp     x23, x24, [sp, #48]
    stp     x25, x26, [sp, #64]
    stp     x27, x28, [sp, #80]
    str     x0, [sp, #FRAME_REGS]
    ldp     x1, x2, [x0, #REGS_PC]
    msr     elr_el2, x1
    msr     spsr_el2, x2
    registers_load x0
    ldr     x30, [x0, #240]
    ldp     x0, x1, [x0]
    eret
    .cfi_endproc
    .size guest_enter, . - guest_enter

/* From the vector: x0 is its number, the guest's x0 and x1 are on the stack. */
    .global guest_exit
    .type guest_exit, %function
guest_exit:
    .cfi_startproc
    .cfi_def_cfa sp, FRAME_BYTES + 16
    .cfi_offset x29, -FRAME_BYTES
    .cfi_offset x30, 8 - FRAME_BYTES
    ldr     x1, [sp, #FRAME_REGS + 16]
    registers_save x1
    str     x30, [x1, #240]
    ldp     x2, x3, [sp], #16
    .cfi_def_cfa sp, FRAME_BYTES
    stp     x2, x3, [x1]
    mrs     x2, elr_el2
    mrs     x3, spsr_el2
    stp     x2, x3, [x1, #REGS_PC]
    ldp     x19, x20, [sp, #16]
    ldp     x21, x22, [sp, #32]
    ldp     x23, x24, [sp, #48]
    ldp     x25, x26, [sp, #64]
    ldp     x27, x28, [sp, #80]
    ldp     x29, x30, [sp], #FRAME_BYTES
    ret
    .cfi_endproc
    .size guest_exit, . - guest_exit

/* The guest's image, copied into each domain's first pages. */
    .section .rodata
    .global guest_image, guest_image_end
    .balign 8
guest_image:
    .incbin "guest.bin"
guest_image_end:
