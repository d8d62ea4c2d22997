/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/interrupt.h"
#include "arch/exception.h"
#include "arch/gic.h"
#include "arch/irq.h"
#include "arch/timer.h"
#include "core/beacon.h"
#include "core/cmdline.h"
#include "core/pace.h"
#include "core/panic.h"
#include "core/trace_all.h"
#include "mm/domain_page.h"
#include "mm/page_alloc.h"

extern const char _mapcache_text[], _mapcache_text_end[];

/*
 * A page that only interrupts of this CPU reach, through map_domain_page(). It
 * counts them, and says which frame it is: a map made inside another one's
 * lifetime must reach the right page too, and leave that one alone.
 */
struct irq_page {
    uint64_t self; /* frame number */
    uint64_t count;
};

DEFINE_PER_CPU(uint64_t, ticks);
static DEFINE_PER_CPU(mfn_t, irq_page);
static DEFINE_PER_CPU(uint64_t, irq_page_count);
static DEFINE_PER_CPU(uint64_t, next_touch);

static void irq_page_touch(void)
{
    mfn_t mfn = this_cpu(irq_page);
    struct irq_page *page = map_domain_page(mfn);

    if (!page) /* even the slots that are kept for this are in use */
        return;
    CHECK(page->self == mfn_x(mfn) && page->count == this_cpu(irq_page_count),
          "interrupt's page of mfn 0x%lx at %p: mfn 0x%lx, count %lu, not %lu", mfn_x(mfn),
          (void *)page, page->self, page->count, this_cpu(irq_page_count));
    page->count = ++this_cpu(irq_page_count);
    unmap_domain_page(page);
}

/*
 * Does this tick map? Without a pace each does. With one, interrupts take a
 * tenth of it at most, or they would be all that there is to see.
 */
static bool touch_due(void)
{
    uint64_t now = timer_now(), pace = options.pace; /* the console may change it */

    if (!pace)
        return true;
    if (now < this_cpu(next_touch))
        return false;
    this_cpu(next_touch) = now + 20 * timer_frequency() / pace;
    return true;
}

static bool came_inside_mapcache(const struct frame *frame)
{
    return frame->elr - (uintptr_t)_mapcache_text <
           (uintptr_t)_mapcache_text_end - (uintptr_t)_mapcache_text;
}

void irq_dispatch(struct frame *frame)
{
    struct beacon_cpu *c = this_cpu(beacon_cpu);
    unsigned int intid;

    trace_interrupt_entry(&frame->elr);
    intid = gic_acknowledge();
    trace_interrupt(intid, frame->elr);
    if (intid >= GIC_SPURIOUS)
        return;
    CHECK(intid == GIC_PPI_CNTHP, "interrupt %u was never enabled", intid);
    c->irqs++;
    c->irqs_inside += came_inside_mapcache(frame);
    mapcache_urgent_begin();
    if (timer_interrupt()) {
        this_cpu(ticks)++;
        if (touch_due())
            irq_page_touch();
    }
    mapcache_urgent_end();
    gic_end(intid);
}

void interrupts_start(void)
{
    struct irq_page *page;
    uint64_t irq;
    mfn_t mfn;

    if (!gic_present())
        return;
    mfn = alloc_domheap_page();
    if (mfn_x(mfn) == mfn_x(INVALID_MFN))
        panic("no memory for the interrupts' page");
    page = short_map(mfn, &irq);
    *page = (struct irq_page){.self = mfn_x(mfn)};
    short_unmap(page, irq);
    this_cpu(irq_page) = mfn;
    timer_set_tick(TICK_HZ);
    local_irq_enable();
}
