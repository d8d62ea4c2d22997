/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vector table. What EL2 itself meets saves everything in a struct frame
 * and goes to C; what a guest meets ends guest_enter() (guest/enter.S).
 */
#include "arch/exception.h"

    .cfi_sections .debug_frame

    .macro own number, to
    .balign 128
    sub     sp, sp, #FRAME_SIZE
    stp     x0, x1, [sp]
    mov     x0, #\number
    b       \to
    .endm

    .macro guest number
    .balign 128
    stp     x0, x1, [sp, #-16]!
    mov     x0, #\number
    b       guest_exit
    .endm

    .text
    .balign 2048
    .global vectors
vectors:
    .irp    number, 0, 1, 2, 3, 4
    own     \number, fatal_entry
    .endr
    own     5, irq_entry
    .irp    number, 6, 7
    own     \number, fatal_entry
    .endr
    .irp    number, 8, 9, 10, 11, 12, 13, 14, 15
    guest   \number
    .endr

/* x0: vector. Fills in the rest of the frame at sp; clobbers x1 and x2. */
    .macro  frame_save
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    stp     x6, x7, [sp, #48]
    stp     x8, x9, [sp, #64]
    stp     x10, x11, [sp, #80]
    stp     x12, x13, [sp, #96]
    stp     x14, x15, [sp, #112]
    stp     x16, x17, [sp, #128]
    stp     x18, x19, [sp, #144]
    stp     x20, x21, [sp, #160]
    stp     x22, x23, [sp, #176]
    stp     x24, x25, [sp, #192]
    stp     x26, x27, [sp, #208]
    stp     x28, x29, [sp, #224]
    add     x1, sp, #FRAME_SIZE
    stp     x30, x1, [sp, #240]
    mrs     x1, elr_el2
    mrs     x2, spsr_el2
    stp     x1, x2, [sp, #FRAME_ELR]
    mrs     x1, esr_el2
    mrs     x2, far_el2
    stp     x1, x2, [sp, #FRAME_ESR]
    stp     x0, xzr, [sp, #288]
    .endm

fatal_entry:
    frame_save
    mov     x0, sp
    bl      exception_dispatch
    b       .                           /* it does not return */

/* For backtraces: the caller of irq_dispatch() is where the interrupt came. */
    .type irq_entry, %function
irq_entry:
    .cfi_startproc simple
    .cfi_signal_frame
    .cfi_def_cfa sp, FRAME_SIZE
    .cfi_return_column 32
    .cfi_offset 29, 232 - FRAME_SIZE
    .cfi_offset 30, 240 - FRAME_SIZE
    .cfi_offset 32, FRAME_ELR - FRAME_SIZE
    frame_save
    mov     x0, sp
    bl      irq_dispatch
    ldp     x1, x2, [sp, #FRAME_ELR]
    msr     elr_el2, x1
    msr     spsr_el2, x2
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x6, x7, [sp, #48]
    ldp     x8, x9, [sp, #64]
    ldp     x10, x11, [sp, #80]
    ldp     x12, x13, [sp, #96]
    ldp     x14, x15, [sp, #112]
    ldp     x16, x17, [sp, #128]
    ldp     x18, x19, [sp, #144]
    ldp     x20, x21, [sp, #160]
    ldp     x22, x23, [sp, #176]
    ldp     x24, x25, [sp, #192]
    ldp     x26, x27, [sp, #208]
    ldp     x28, x29, [sp, #224]
    ldr     x30, [sp, #240]
    ldp     x0, x1, [sp]
    add     sp, sp, #FRAME_SIZE
    eret
    .cfi_endproc
    .size irq_entry, . - irq_entry
