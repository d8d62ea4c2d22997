/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/timer.h"
#include "arch/barrier.h"
#include "arch/gic.h"
#include "arch/sysreg.h"

#define CNTHP_CTL_ENABLE 1u

uint64_t timer_now(void)
{
    isb(); /* or the counter may be read early (Arm ARM D11.1.2) */
    return read_sysreg(cntpct_el0);
}

uint64_t timer_frequency(void)
{
    return read_sysreg(cntfrq_el0);
}

/*
 * Interrupts stay masked: WFI wakes for a pending one all the same, and
 * switching the timer off takes it away again. Without a GIC this spins.
 */
void timer_wait_until(uint64_t due)
{
    if (timer_now() >= due)
        return;
    write_sysreg(cnthp_cval_el2, due);
    write_sysreg(cnthp_ctl_el2, CNTHP_CTL_ENABLE);
    isb();
    while (timer_now() < due) {
        if (gic_present())
            asm volatile("wfi" : : : "memory");
        else
            cpu_relax();
    }
    write_sysreg(cnthp_ctl_el2, 0);
    isb();
}
