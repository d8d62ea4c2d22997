/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace_word_full: where a barrier's site (trace_site.h) goes when the barrier
 * word is full: with trace=all each fifteenth time, with check=on each time. w16 is
 * the code that filled it. To the code around the site nothing happens.
 */
#include "arch/trace_spill.h"

    .cfi_sections .debug_frame
    .text

/*
 * The word becomes a BARRIERS record, and begins anew; what spill() of
 * trace_all.c does, in registers that it saves itself. An interrupt between the
 * site's ADDS and here may have done it.
 */
    .global trace_word_full
    .type trace_word_full, %function
trace_word_full:
    .cfi_startproc
1:  nop
    .pushsection .trace_sites, "a"
    .long   1b - ., checked - ., 0, TRACE_SITE_CHECK_CLASS
    .popsection
    stp     x0, x1, [sp, #-48]!
    .cfi_def_cfa_offset 48
    stp     x2, x3, [sp, #16]
    stp     x4, x5, [sp, #32]
    mrs     x5, daif
    msr     daifset, #2
    tbz     x28, #63, 2f
    ldr     x0, [x27, #CPU_RING_HEAD]
    ldp     x1, x2, [x27, #CPU_RING_VA] // and ring_sides
    ldr     x3, [x27, #CPU_RING_BARRIERS]
    ubfiz   x4, x0, #5, #RING_ENTRIES_SHIFT
    add     x1, x1, x4
    mrs     x4, cntpct_el0
    movk    x4, #KIND_BARRIERS, lsl #48
    stp     x4, x2, [x1]
    stp     x3, x28, [x1, #16]
    add     x0, x0, #1
    add     x4, x27, #CPU_RING_HEAD
    stlr    x0, [x4]
    add     x3, x3, #WORD_BARRIERS
    add     x4, x27, #CPU_RING_BARRIERS
    stlr    x3, [x4]
    add     x2, x2, #1
    add     x4, x27, #CPU_RING_SIDES
    stlr    x2, [x4]
    mov     x28, #WORD_EMPTY
2:  msr     daif, x5
    ldp     x2, x3, [sp, #16]
    ldp     x4, x5, [sp, #32]
    ldp     x0, x1, [sp], #48
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size trace_word_full, . - trace_word_full

/* For the checker, in C: what that may change is kept. */
    .type checked, %function
checked:
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
    .size checked, . - checked
