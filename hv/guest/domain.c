/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/barrier.h"
#include "arch/timer.h"
#include "core/pace.h"
#include "core/panic.h"
#include "core/printk.h"
#include "core/string.h"
#include "guest/guest.h"
#include "guest/stage2.h"
#include "mm/page_alloc.h"

struct domain domains[NR_DOMAINS_MAX];
uint64_t guests_killed;

extern const char guest_image[], guest_image_end[];

void domain_lock(struct domain *d)
{
    while (!spin_trylock(&d->lock))
        timer_wait_until(timer_now() + timer_frequency() / 10000);
}

void domain_unlock(struct domain *d)
{
    spin_unlock(&d->lock);
}

/* A frame with page n of the image, or zeroes behind it. */
static mfn_t ram_page(unsigned int n)
{
    uint64_t bytes = (uint64_t)(guest_image_end - guest_image), at = n * PAGE_SIZE;
    mfn_t mfn = alloc_domheap_page();
    uint64_t irq;
    char *page;

    if (mfn_x(mfn) == mfn_x(INVALID_MFN))
        return mfn;
    page = short_map(mfn, &irq);
    memset(page, 0, PAGE_SIZE);
    if (at < bytes)
        memcpy(page, guest_image + at, bytes - at < PAGE_SIZE ? bytes - at : PAGE_SIZE);
    short_unmap(page, irq);
    return mfn;
}

static bool ram_fill(struct domain *d)
{
    for (unsigned int n = 0; n < GUEST_RAM_PAGES; n++) {
        mfn_t mfn = ram_page(n);

        if (mfn_x(mfn) == mfn_x(INVALID_MFN))
            return false;
        if (stage2_map(d, GUEST_RAM_IPA + n * PAGE_SIZE, mfn)) {
            free_domheap_page(mfn);
            return false;
        }
    }
    return true;
}

static bool root_make(struct domain *d)
{
    uint64_t irq;
    void *root;

    d->stage2 = alloc_domheap_page();
    if (mfn_x(d->stage2) == mfn_x(INVALID_MFN))
        return false;
    root = short_map(d->stage2, &irq);
    memset(root, 0, PAGE_SIZE);
    short_unmap(root, irq);
    return true;
}

static void fields_reset(struct domain *d, enum guest_mode mode)
{
    d->life++;
    d->mode = mode;
    d->frames = d->passes = d->hypercalls = 0;
    d->console_budget = d->console_refill = 0;
    memset(d->grant, 0, sizeof(d->grant));
    for (unsigned int i = 0; i < GUEST_VCPUS; i++) {
        d->vcpu[i].domain = d;
        d->vcpu[i].id = i;
        vcpu_reset(&d->vcpu[i], GUEST_RAM_IPA, mode, i);
    }
}

bool domain_build(struct domain *d, enum guest_mode mode)
{
    bool done = false;

    pace_stop(); /* it would take a minute before there is anything to see */
    domain_lock(d);
    fields_reset(d, mode);
    if (root_make(d)) {
        done = ram_fill(d);
        if (!done)
            stage2_free(d);
    }
    domain_unlock(d);
    pace_start();
    return done;
}

void domain_kill(struct domain *d, const char *why, uint64_t value)
{
    if (!sched_stop(d))
        return;
    __atomic_fetch_add(&guests_killed, 1, __ATOMIC_RELAXED);
    printk("d%u.%u: killed: %s 0x%lx\n", d->id, d->life, why, value);
}

void domain_destroy(struct domain *d)
{
    pace_stop();
    domain_lock(d);
    stage2_free(d);
    domain_unlock(d);
    pace_start();
}

void guests_print(void)
{
    static const char *const names[] = {
        [DOMAIN_FREE] = "free",   [DOMAIN_BUILDING] = "being built",       [DOMAIN_ALIVE] = "alive",
        [DOMAIN_DYING] = "dying", [DOMAIN_DESTROYING] = "being destroyed",
    };

    for (unsigned int i = 0; i < nr_guests; i++) {
        const struct domain *d = &domains[i];

        printk("d%u.%u: %s, stage 2 at 0x%lx, %lu frames, %lu rounds, %lu hypercalls\n", i, d->life,
               names[d->state], paddr_x(mfn_to_paddr(d->stage2)), d->frames, d->passes,
               d->hypercalls);
    }
    printk("guests killed: %lu\n", guests_killed);
}
