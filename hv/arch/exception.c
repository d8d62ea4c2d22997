/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/exception.h"
#include "arch/early.h"
#include "arch/percpu.h"
#include "core/panic.h"
#include "core/printk.h"
#include "mm/walk_print.h"

static const char *const kind_name[] = {"synchronous exception", "IRQ", "FIQ", "SError"};
static const char *const origin_name[] = {"EL2 with SP_EL0", "EL2", "lower EL, AArch64",
                                          "lower EL, AArch32"};

/* ESR_EL2.EC (Arm ARM D19.2.37) of what an EL2 without guests can meet. */
static const char *const class_name[64] = {
    [0x00] = "unknown reason",
    [0x07] = "SVE, SIMD or floating point trapped",
    [0x0e] = "illegal execution state",
    [0x15] = "SVC",
    [0x16] = "HVC",
    [0x17] = "SMC",
    [0x18] = "system register trapped",
    [EC_IABT_SAME] = "instruction abort",
    [0x22] = "PC alignment",
    [EC_DABT_SAME] = "data abort",
    [0x26] = "SP alignment",
    [0x2f] = "SError",
    [0x3c] = "BRK",
};

static void registers_print(const struct frame *f)
{
    for (unsigned int i = 0; i < 31; i++)
        printk("x%-2u 0x%016lx%s", i, f->x[i], i % 4 == 3 ? "\n" : "  ");
    printk("sp  0x%016lx\n", f->sp);
    printk("elr 0x%016lx  spsr 0x%lx  esr 0x%lx  far 0x%016lx\n", f->elr, f->spsr, f->esr, f->far);
    printk("hcr 0x%lx  sctlr 0x%lx  tcr 0x%lx  ttbr0 0x%lx  vbar 0x%lx\n", read_sysreg(hcr_el2),
           read_sysreg(sctlr_el2), read_sysreg(tcr_el2), read_sysreg(ttbr0_el2),
           read_sysreg(vbar_el2));
}

void exception_dispatch(struct frame *frame)
{
    static DEFINE_PER_CPU(bool, reporting);
    unsigned int class = ESR_EC(frame->esr);
    const char *why = class_name[class];

    if (!(read_sysreg(sctlr_el2) & SCTLR_M))
        early_fail("exception before the MMU was on");
    panic_begin();
    if (this_cpu(reporting))
        panic("exception while one was reported: elr 0x%lx far 0x%lx", frame->elr, frame->far);
    this_cpu(reporting) = true;

    printk("\nCPU%u: %s from %s: %s (EC 0x%x)\n", smp_processor_id(), kind_name[frame->vector % 4],
           origin_name[frame->vector / 4 % 4], why ? why : "reserved class", class);
    registers_print(frame);
    if (class == EC_DABT_SAME || class == EC_IABT_SAME)
        walk_print(frame->far);
    panic("%s at 0x%lx: %s, far 0x%lx esr 0x%lx", kind_name[frame->vector % 4], frame->elr,
          why ? why : "reserved class", frame->far, frame->esr);
}
