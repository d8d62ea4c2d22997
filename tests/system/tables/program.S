// SPDX-License-Identifier: GPL-2.0-or-later
// Loads the control registers that a test put into memory, has the CPU translate a list of
// addresses (AT, PAR_EL1), and waits. Runs at EL2, in one 64 KiB page: the test maps it flat.

    .equ PARAMETERS, 0x1000
    .equ ADDRESSES, 0x2000
    .equ RESULTS, 0x8000
    .equ HCR_RW, 1 << 31
    .equ HCR_E2H_BIT, 34

    .macro load register
    ldr x0, [x20], #8
    msr \register, x0
    .endm

    .global start, done
start:
    msr sctlr_el2, xzr
    isb
    mov x0, #HCR_RW
    msr hcr_el2, x0
    isb
    adr x19, start
    add x20, x19, #PARAMETERS
    load sctlr_el1
    load tcr_el1
    load mair_el1
    load ttbr0_el1
    load ttbr1_el1
    load vtcr_el2
    load vttbr_el2
    load hcr_el2
    mov x21, x0
    isb
    load tcr_el2
    load mair_el2
    load ttbr0_el2
    ldr x0, [x20], #8
    tbz x21, #HCR_E2H_BIT, 1f
    msr s3_4_c2_c0_1, x0            // TTBR1_EL2
1:  isb
    dsb sy
    tlbi alle1
    tlbi alle2
    dsb sy
    isb
    load sctlr_el2
    isb
    ldr x22, [x20], #8              // which instruction
    ldr x23, [x20], #8              // how many addresses
    add x24, x19, #ADDRESSES
    add x25, x19, #RESULTS
2:  cbz x23, done
    ldr x0, [x24], #8
    cbz x22, 3f
    cmp x22, #1
    b.eq 4f
    at s1e2r, x0
    b 5f
3:  at s1e1r, x0
    b 5f
4:  at s12e1r, x0
5:  isb
    mrs x0, par_el1
    str x0, [x25], #8
    sub x23, x23, #1
    b 2b
done:
    b done
