/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/timer.h"
#include "arch/barrier.h"
#include "arch/gic.h"
#include "arch/irq.h"
#include "arch/percpu.h"
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

/* What this CPU's timer is set for: the earlier of the two. */
static DEFINE_PER_CPU(uint64_t, tick_period); /* 0: no tick yet */
static DEFINE_PER_CPU(uint64_t, tick_due);
static DEFINE_PER_CPU(uint64_t, wait_due);

static void timer_program(void)
{
    uint64_t due = this_cpu(tick_due);

    if (this_cpu(wait_due) < due)
        due = this_cpu(wait_due);
    write_sysreg(cnthp_cval_el2, due);
    write_sysreg(cnthp_ctl_el2, CNTHP_CTL_ENABLE);
    isb();
}

void timer_set_tick(unsigned int hz)
{
    uint64_t irq = local_irq_save();

    this_cpu(tick_period) = timer_frequency() / hz;
    this_cpu(tick_due) = timer_now() + this_cpu(tick_period);
    this_cpu(wait_due) = UINT64_MAX;
    timer_program();
    local_irq_restore(irq);
}

bool timer_interrupt(void)
{
    uint64_t now = timer_now();
    bool tick = now >= this_cpu(tick_due);

    if (tick)
        this_cpu(tick_due) = now + this_cpu(tick_period);
    if (now >= this_cpu(wait_due))
        this_cpu(wait_due) = UINT64_MAX;
    timer_program();
    return tick;
}

/*
 * WFI wakes for an interrupt that is pending even while it is masked, so none
 * is lost between the look at the clock and the sleep. Without a GIC: spin.
 */
void timer_wait_until(uint64_t due)
{
    if (!gic_present() || !this_cpu(tick_period)) {
        while (timer_now() < due)
            cpu_relax();
        return;
    }
    while (timer_now() < due) {
        uint64_t irq = local_irq_save();

        this_cpu(wait_due) = due;
        timer_program();
        if (timer_now() < due)
            asm volatile("wfi" : : : "memory");
        local_irq_restore(irq);
        isb(); /* what is pending is taken here */
    }
}
