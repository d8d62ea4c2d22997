/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/timer.h"
#include "guest/guest.h"
#include <stddef.h>

static spinlock_t lock;
static unsigned int cursor; /* of the round robin, over all vCPUs of all domains */

static struct vcpu *vcpu_at(unsigned int i)
{
    return &domains[i / GUEST_VCPUS].vcpu[i % GUEST_VCPUS];
}

struct domain *sched_claim_free(unsigned int n)
{
    uint64_t irq = spin_lock_irqsave(&lock);
    struct domain *d = NULL;

    for (unsigned int i = 0; i < n && !d; i++) {
        if (domains[i].state == DOMAIN_FREE) {
            d = &domains[i];
            d->id = i;
            d->state = DOMAIN_BUILDING;
        }
    }
    spin_unlock_irqrestore(&lock, irq);
    return d;
}

void sched_built(struct domain *d, bool alive)
{
    uint64_t irq = spin_lock_irqsave(&lock);

    for (unsigned int i = 0; i < GUEST_VCPUS; i++)
        d->vcpu[i].state = alive ? VCPU_RUNNABLE : VCPU_NONE;
    d->state = alive ? DOMAIN_ALIVE : DOMAIN_FREE;
    spin_unlock_irqrestore(&lock, irq);
}

struct vcpu *sched_pick(void)
{
    uint64_t irq = spin_lock_irqsave(&lock);
    struct vcpu *v = NULL;

    for (unsigned int i = 0; i < NR_DOMAINS_MAX * GUEST_VCPUS && !v; i++) {
        struct vcpu *candidate = vcpu_at(cursor);

        cursor = (cursor + 1) % (NR_DOMAINS_MAX * GUEST_VCPUS);
        if (candidate->state == VCPU_RUNNABLE && candidate->domain->state == DOMAIN_ALIVE) {
            v = candidate;
            v->state = VCPU_RUNNING;
        }
    }
    spin_unlock_irqrestore(&lock, irq);
    return v;
}

/* Under the lock: claim a dying domain for destruction once no CPU works for it. */
static bool claim_dead(struct domain *d)
{
    if (d->state != DOMAIN_DYING)
        return false;
    for (unsigned int i = 0; i < GUEST_VCPUS; i++) {
        if (d->vcpu[i].state == VCPU_RUNNING)
            return false;
    }
    d->state = DOMAIN_DESTROYING;
    return true;
}

static void destroy_if(struct domain *d, bool dead)
{
    if (dead) {
        domain_destroy(d);
        sched_built(d, false);
    }
}

void sched_put(struct vcpu *v)
{
    uint64_t irq = spin_lock_irqsave(&lock);
    struct domain *d = v->domain;
    bool dead;

    v->state = VCPU_RUNNABLE;
    dead = claim_dead(d);
    spin_unlock_irqrestore(&lock, irq);
    destroy_if(d, dead);
}

bool sched_stop(struct domain *d)
{
    uint64_t irq = spin_lock_irqsave(&lock);
    bool alive = d->state == DOMAIN_ALIVE;

    if (alive)
        d->state = DOMAIN_DYING;
    spin_unlock_irqrestore(&lock, irq);
    return alive;
}

static bool any_dying(void)
{
    uint64_t irq = spin_lock_irqsave(&lock);
    bool dying = false;

    for (unsigned int i = 0; i < NR_DOMAINS_MAX; i++)
        dying |= domains[i].state == DOMAIN_DYING || domains[i].state == DOMAIN_DESTROYING;
    spin_unlock_irqrestore(&lock, irq);
    return dying;
}

void sched_stop_all(void)
{
    for (unsigned int i = 0; i < NR_DOMAINS_MAX; i++) {
        uint64_t irq;
        bool dead;

        sched_stop(&domains[i]);
        irq = spin_lock_irqsave(&lock);
        dead = claim_dead(&domains[i]);
        spin_unlock_irqrestore(&lock, irq);
        destroy_if(&domains[i], dead);
    }
    while (any_dying()) /* other CPUs may have begun to build new ones: not waited for */
        timer_wait_until(timer_now() + timer_frequency() / 1000);
}
