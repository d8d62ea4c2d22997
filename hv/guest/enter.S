/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Into a guest and back. Interrupts are masked in EL2 on both sides. */

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
    ldp     x2, x3, [x0, #16]
    ldp     x4, x5, [x0, #32]
    ldp     x6, x7, [x0, #48]
    ldp     x8, x9, [x0, #64]
    ldp     x10, x11, [x0, #80]
    ldp     x12, x13, [x0, #96]
    ldp     x14, x15, [x0, #112]
    ldp     x16, x17, [x0, #128]
    ldp     x18, x19, [x0, #144]
    ldp     x20, x21, [x0, #160]
    ldp     x22, x23, [x0, #176]
    ldp     x24, x25, [x0, #192]
    ldp     x26, x27, [x0, #208]
    ldp     x28, x29, [x0, #224]
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
    stp     x2, x3, [x1, #16]
    stp     x4, x5, [x1, #32]
    stp     x6, x7, [x1, #48]
    stp     x8, x9, [x1, #64]
    stp     x10, x11, [x1, #80]
    stp     x12, x13, [x1, #96]
    stp     x14, x15, [x1, #112]
    stp     x16, x17, [x1, #128]
    stp     x18, x19, [x1, #144]
    stp     x20, x21, [x1, #160]
    stp     x22, x23, [x1, #176]
    stp     x24, x25, [x1, #192]
    stp     x26, x27, [x1, #208]
    stp     x28, x29, [x1, #224]
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
