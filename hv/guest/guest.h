/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guests: domains with stage-2 tables of scattered 4 KiB frames, and vCPUs.
 *
 *   domain.c     made, killed, destroyed
 *   sched.c      which vCPU runs next
 *   vcpu.c       entering a guest, and why it came back; enter.S
 *   vmregs.c     its writes to the registers of its translation
 *   hypercall.c  what it asked for; access.c: its memory, by its addresses
 *   stage2.c     its tables
 *   tiny/        the guest itself
 *
 * A vCPU is switched only on the way back to EL1, when this CPU has no map
 * open: an address from map_domain_page() is worth nothing on another CPU.
 */
#ifndef HV_GUEST_GUEST_H
#define HV_GUEST_GUEST_H

#include "arch/percpu.h"
#include "arch/spinlock.h"
#include "guest/abi.h"
#include <hvscope/addr.h>

#define NR_DOMAINS_MAX 8

/* What enter.S saves and loads. */
struct guest_regs {
    uint64_t x[31];
    uint64_t pc;
    uint64_t pstate;
    uint64_t reserved;
};

/* EL1's system registers, in the order of vcpu.c's list. */
#define VCPU_SYSREGS 22

enum vcpu_state {
    VCPU_NONE,
    VCPU_RUNNABLE,
    VCPU_RUNNING, /* a CPU has it, in the guest or working for it */
};

struct vcpu {
    struct guest_regs regs;
    uint64_t sysreg[VCPU_SYSREGS];
    struct domain *domain;
    unsigned int id;
    enum vcpu_state state;    /* under the scheduler's lock */
    unsigned int quiet_ticks; /* ticks since its last hypercall */
};

enum domain_state {
    DOMAIN_FREE,
    DOMAIN_BUILDING,
    DOMAIN_ALIVE,
    DOMAIN_DYING, /* no vCPU is scheduled any more; the last one to leave destroys it */
    DOMAIN_DESTROYING,
};

struct domain {
    unsigned int id;         /* its place in domains[], from 0 */
    unsigned int life;       /* how many there were here before: printed as dID.LIFE */
    enum domain_state state; /* under the scheduler's lock */
    enum guest_mode mode;
    spinlock_t lock;              /* the tables, the grants */
    mfn_t stage2;                 /* root of its tables: one level 1 page */
    uint64_t frames;              /* in the tables, tables not counted */
    uint64_t grant[GUEST_GRANTS]; /* IPA of the page, 0: none */
    uint64_t passes;              /* rounds that the guest found right */
    uint64_t hypercalls;
    uint64_t console_budget; /* bytes that it may still print until the next refill */
    uint64_t console_refill; /* when */
    struct vcpu vcpu[GUEST_VCPUS];
};

extern struct domain domains[NR_DOMAINS_MAX];

/* How many the workload keeps alive: guests=N, 0 to NR_DOMAINS_MAX. */
extern unsigned int nr_guests;

extern uint64_t guests_killed;

/* The vCPU that this CPU runs or works for; NULL if none. */
DECLARE_PER_CPU(struct vcpu *, current_vcpu);

/* Its VMID: 0 is nobody's. */
static inline unsigned int domain_vmid(const struct domain *d)
{
    return d->id + 1;
}

/*
 * Take a domain's lock, sleeping between tries: whoever holds it may be
 * waiting for its pace.
 */
void domain_lock(struct domain *d);
void domain_unlock(struct domain *d);

/* Make a guest that will behave like this. False without memory; nothing is left then. */
bool domain_build(struct domain *d, enum guest_mode mode);

/* Say why on the console, and let no vCPU of it be scheduled any more. */
void domain_kill(struct domain *d, const char *why, uint64_t value);

/* Give back everything it had. No CPU has one of its vCPUs. */
void domain_destroy(struct domain *d);

/* A line a domain, and how many were killed. */
void guests_print(void);

/* Find a domain that is free, and claim it to build it; NULL if none of the first n is. */
struct domain *sched_claim_free(unsigned int n);

/* It is built: its vCPUs can run. Or not: it is free again. */
void sched_built(struct domain *d, bool alive);

/* The next vCPU for this CPU, round robin; NULL if there is none. */
struct vcpu *sched_pick(void);

/* This CPU is done with it. The last one of a dying domain destroys it. */
void sched_put(struct vcpu *v);

/* No vCPU of it is scheduled any more. False if that was so already. */
bool sched_stop(struct domain *d);

/* Stop every domain and wait until they are gone. */
void sched_stop_all(void);

/* Run a vCPU until a tick has come, in the guest or in its hypercall; a yield; its end. */
void vcpu_run(struct vcpu *v);

/* From vcpu.c: set up what EL1 sees first. */
void vcpu_reset(struct vcpu *v, uint64_t pc, uint64_t x0, uint64_t x1);

/*
 * A trapped access to a system register, by its ISS: true if it was a write of one
 * that says how v translates, and is done. Interrupts masked.
 */
bool guest_vm_register(struct vcpu *v, uint32_t iss);

/* Handle an HVC #0 of v. True if v should give way to another vCPU. */
bool hypercall(struct vcpu *v);

#endif /* HV_GUEST_GUEST_H */
