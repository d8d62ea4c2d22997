/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/timer.h"
#include "core/beacon.h"
#include "core/pace.h"
#include "core/printk.h"
#include "core/string.h"
#include "guest/access.h"
#include "guest/guest.h"
#include "guest/stage2.h"
#include "mm/page_alloc.h"

/* Bytes a second that a domain may print: a flood would drown the others. */
#define CONSOLE_RATE 4096

#define HVC_SIZE 4

/* Most that one call may ask for: a page and its neighbour. */
#define TRANSFER_MAX (2 * PAGE_SIZE)

/* Kill the guest, unless its call failed for want of a slot: it is made again. */
static void guest_fault(struct domain *d, const char *why, uint64_t value)
{
    if (!guest_map_refused())
        domain_kill(d, why, value);
}

struct console_line {
    char text[HC_CONSOLE_MAX + 1];
    uint64_t length;
};

static void line_take(void *p, uint64_t n, void *context)
{
    struct console_line *line = context;

    memcpy(line->text + line->length, p, n);
    line->length += n;
}

/* What a guest prints is data: nothing in it may act on a terminal. */
static void line_print(const struct domain *d, struct console_line *line)
{
    for (uint64_t i = 0; i < line->length; i++) {
        if (line->text[i] < ' ' || line->text[i] > '~')
            line->text[i] = '?';
    }
    line->text[line->length] = '\0';
    printk("(d%u.%u) %s\n", d->id, d->life, line->text);
}

static bool console_afford(struct domain *d, uint64_t bytes)
{
    uint64_t now = timer_now();
    bool afford;

    domain_lock(d);
    if (now >= d->console_refill) {
        d->console_budget = CONSOLE_RATE;
        d->console_refill = now + timer_frequency();
    }
    afford = bytes <= d->console_budget;
    d->console_budget -= afford ? bytes : 0;
    domain_unlock(d);
    return afford;
}

static uint64_t hc_console(struct vcpu *v, const uint64_t *arg)
{
    struct console_line line = {.length = 0};

    if (arg[1] > HC_CONSOLE_MAX)
        guest_fault(v->domain, "console write too long", arg[1]);
    else if (!guest_memory(v, arg[0], arg[1], false, line_take, &line))
        guest_fault(v->domain, "bad pointer", arg[0]);
    else if (!console_afford(v->domain, arg[1] + 1))
        guest_fault(v->domain, "floods the console, bytes a second", CONSOLE_RATE);
    else
        line_print(v->domain, &line);
    return 0;
}

/* Is [va, va + bytes) something that may be asked for? Kills the guest if not. */
static bool transfer_check(struct vcpu *v, uint64_t va, uint64_t bytes)
{
    if (va % 8 == 0 && bytes % 8 == 0 && bytes <= TRANSFER_MAX)
        return true;
    guest_fault(v->domain, "bad length or alignment", bytes);
    return false;
}

static void sum_words(void *p, uint64_t n, void *context)
{
    for (uint64_t i = 0; i < n / 8; i++)
        *(uint64_t *)context += ((const uint64_t *)p)[i];
}

static uint64_t hc_checksum(struct vcpu *v, const uint64_t *arg)
{
    uint64_t sum = 0;

    if (transfer_check(v, arg[0], arg[1]) &&
        !guest_memory(v, arg[0], arg[1], false, sum_words, &sum))
        guest_fault(v->domain, "bad pointer", arg[0]);
    return sum;
}

static void fill_words(void *p, uint64_t n, void *context)
{
    for (uint64_t i = 0; i < n / 8; i++)
        ((uint64_t *)p)[i] = (*(uint64_t *)context)++;
}

static uint64_t hc_fill(struct vcpu *v, const uint64_t *arg)
{
    uint64_t seed = arg[2];

    if (transfer_check(v, arg[0], arg[1]) &&
        !guest_memory(v, arg[0], arg[1], true, fill_words, &seed))
        guest_fault(v->domain, "bad pointer", arg[0]);
    return 0;
}

static uint64_t hc_grant(struct vcpu *v, const uint64_t *arg)
{
    uint64_t ipa;

    if (arg[0] >= GUEST_GRANTS || !guest_va_to_ipa(arg[1], false, &ipa)) {
        guest_fault(v->domain, "bad grant", arg[0]);
        return 0;
    }
    domain_lock(v->domain);
    v->domain->grant[arg[0]] = ipa & ~PAGE_MASK;
    domain_unlock(v->domain);
    return 0;
}

/* The frame of a domain's grant, mapped; its lock stays taken. NULL if it has none, or no slot. */
static void *grant_map(struct domain *d, unsigned int ref)
{
    mfn_t mfn = INVALID_MFN;
    void *p = NULL;

    domain_lock(d);
    if (d->state == DOMAIN_ALIVE && d->grant[ref])
        mfn = stage2_lookup(d, d->grant[ref]);
    if (mfn_x(mfn) != mfn_x(INVALID_MFN))
        p = guest_map(mfn);
    if (!p)
        domain_unlock(d);
    return p;
}

/* Both pages are mapped; the granted one, the older map, is released first. */
static bool grant_copy(struct domain *to, uint64_t to_ipa, struct domain *from, unsigned int ref)
{
    void *page, *granted;
    mfn_t mfn;

    granted = grant_map(from, ref);
    if (!granted)
        return false;
    mfn = stage2_lookup(to, to_ipa);
    if (mfn_x(mfn) == mfn_x(INVALID_MFN)) {
        paced_unmap(granted);
        domain_unlock(from);
        return false;
    }
    page = guest_map(mfn);
    if (page)
        memcpy(page, granted, PAGE_SIZE);
    paced_unmap(granted);
    paced_unmap(page);
    domain_unlock(from);
    return page;
}

/*
 * From the next domain that has such a grant. Locks are taken in the order of
 * domain numbers, so a copy up takes its own lock first, a copy down last.
 */
static uint64_t hc_copy_grant(struct vcpu *v, const uint64_t *arg)
{
    struct domain *to = v->domain;
    uint64_t ipa, done = 0;

    if (arg[1] >= GUEST_GRANTS || arg[0] & PAGE_MASK || !guest_va_to_ipa(arg[0], true, &ipa)) {
        guest_fault(to, "bad grant copy", arg[0]);
        return 0;
    }
    domain_lock(to);
    for (unsigned int i = to->id + 1; i < NR_DOMAINS_MAX && !done; i++)
        done = grant_copy(to, ipa, &domains[i], arg[1]);
    domain_unlock(to);
    return done;
}

/* An IPA that a guest may give back or ask for: a page of its RAM. */
static bool balloon_check(struct vcpu *v, uint64_t ipa)
{
    if (ipa % PAGE_SIZE == 0 && ipa - GUEST_RAM_IPA < GUEST_RAM_PAGES * PAGE_SIZE)
        return true;
    guest_fault(v->domain, "balloon outside its RAM", ipa);
    return false;
}

static uint64_t hc_balloon_out(struct vcpu *v, const uint64_t *arg)
{
    mfn_t mfn;

    if (!balloon_check(v, arg[0]))
        return 0;
    domain_lock(v->domain);
    mfn = stage2_unmap(v->domain, arg[0]);
    domain_unlock(v->domain);
    if (mfn_x(mfn) == mfn_x(INVALID_MFN)) {
        guest_fault(v->domain, "balloon of a page that it does not have", arg[0]);
        return 0;
    }
    free_domheap_page(mfn);
    return 1;
}

static uint64_t hc_balloon_in(struct vcpu *v, const uint64_t *arg)
{
    uint64_t done = 0, irq;
    mfn_t mfn;
    void *page;

    if (!balloon_check(v, arg[0]))
        return 0;
    mfn = alloc_domheap_page();
    if (mfn_x(mfn) == mfn_x(INVALID_MFN))
        return 0;
    page = short_map(mfn, &irq);
    memset(page, 0, PAGE_SIZE);
    short_unmap(page, irq);
    domain_lock(v->domain);
    if (mfn_x(stage2_lookup(v->domain, arg[0])) == mfn_x(INVALID_MFN) && !guest_map_refused())
        done = stage2_map(v->domain, arg[0], mfn) == 0;
    domain_unlock(v->domain);
    if (!done)
        free_domheap_page(mfn);
    return done;
}

static uint64_t hc_pass(struct vcpu *v, const uint64_t *arg)
{
    (void)arg;
    __atomic_fetch_add(&v->domain->passes, 1, __ATOMIC_RELAXED);
    this_cpu(beacon_cpu)->verified++;
    return 0;
}

/* A guest that saw a wrong value: it is the hypervisor that is wrong. */
static uint64_t hc_fail(struct vcpu *v, const uint64_t *arg)
{
    panic("d%u.%u vcpu%u: test %lu saw 0x%lx, not 0x%lx", v->domain->id, v->domain->life, v->id,
          arg[0], arg[2], arg[1]);
}

typedef uint64_t handler(struct vcpu *v, const uint64_t *arg);

static handler *const handlers[HC_NR] = {
    [HC_CONSOLE] = hc_console,
    [HC_CHECKSUM] = hc_checksum,
    [HC_FILL] = hc_fill,
    [HC_GRANT] = hc_grant,
    [HC_COPY_GRANT] = hc_copy_grant,
    [HC_BALLOON_OUT] = hc_balloon_out,
    [HC_BALLOON_IN] = hc_balloon_in,
    [HC_PASS] = hc_pass,
    [HC_FAIL] = hc_fail,
};

bool hypercall(struct vcpu *v)
{
    uint64_t number = v->regs.x[0], result;

    v->quiet_ticks = 0;
    __atomic_fetch_add(&v->domain->hypercalls, 1, __ATOMIC_RELAXED);
    if (number == HC_YIELD)
        return true;
    guest_map_begin();
    if (number >= HC_NR) {
        guest_fault(v->domain, "bad hypercall", number);
        return true;
    }
    result = handlers[number](v, &v->regs.x[1]);
    if (guest_map_refused()) {
        v->regs.pc -= HVC_SIZE; /* all calls may be made twice */
        return true;
    }
    v->regs.x[0] = result;
    return v->domain->state != DOMAIN_ALIVE;
}
