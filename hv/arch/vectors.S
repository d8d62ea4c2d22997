/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The vector table. What EL2 itself meets saves everything in a struct frame
 * and goes to C; what a guest meets ends guest_enter() (guest/enter.S).
 */
#include "arch/exception.h"
#include "arch/registers.inc"

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
    .type vectors, %function
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
    .size vectors, . - vectors

/* x0: vector. Fills in the rest of the frame at sp; clobbers x1 and x2. */
    .macro  frame_save
    registers_save sp
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

    .type fatal_entry, %function
fatal_entry:
    frame_save
    mov     x0, sp
    bl      exception_dispatch
    b       .                           /* it does not return */
    .size fatal_entry, . - fatal_entry

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
    str     x28, [sp, #224]             /* the barrier word goes on (trace_site.h) */
    registers_load sp
    ldr     x30, [sp, #240]
    ldp     x0, x1, [sp]
    add     sp, sp, #FRAME_SIZE
    eret
    .cfi_endproc
    .size irq_entry, . - irq_entry
