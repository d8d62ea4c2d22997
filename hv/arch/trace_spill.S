/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_word_full: where a barrier's site (trace_site.h) goes when the barrier
 * word is full. w16 is the code that filled it. To the code around the site
 * nothing happens: what a C function may change is kept.
 */
    .cfi_sections .debug_frame
    .text
    .global trace_word_full
    .type trace_word_full, %function
trace_word_full:
    .cfi_startproc
    stp     x29, x30, [sp, #-176]!
    .cfi_def_cfa_offset 176
    .cfi_offset 29, -176
    .cfi_offset 30, -168
    mov     x29, sp
    stp     x0, x1, [sp, #16]
    stp     x2, x3, [sp, #32]
    stp     x4, x5, [sp, #48]
    stp     x6, x7, [sp, #64]
    stp     x8, x9, [sp, #80]
    stp     x10, x11, [sp, #96]
    stp     x12, x13, [sp, #112]
    stp     x14, x15, [sp, #128]
    stp     x17, x18, [sp, #144]
    mov     w0, w16
    bl      trace_barrier
    ldp     x0, x1, [sp, #16]
    ldp     x2, x3, [sp, #32]
    ldp     x4, x5, [sp, #48]
    ldp     x6, x7, [sp, #64]
    ldp     x8, x9, [sp, #80]
    ldp     x10, x11, [sp, #96]
    ldp     x12, x13, [sp, #112]
    ldp     x14, x15, [sp, #128]
    ldp     x17, x18, [sp, #144]
    ldp     x29, x30, [sp], #176
    ret
    .cfi_endproc
    .size trace_word_full, . - trace_word_full
