/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workload "selftest": what the mapcache and the allocators must do, checked on
 * each CPU in turn, a line a check; then the machine is powered off with
 * status 0, or 2 if a check failed. Interrupts are masked meanwhile: a handler
 * maps too, and would change the counts that are looked at.
 */
#include "work/selftest.h"
#include "arch/irq.h"
#include "arch/sysreg.h"
#include "core/beacon.h"
#include "core/cmdline.h"
#include "core/panic.h"
#include "core/printk.h"
#include "core/string.h"
#include "mm/boot_tables.h"
#include "mm/directmap.h"
#include "mm/domain_page.h"
#include "mm/page_alloc.h"
#include "mm/pgtable.h"
#include "mm/vmap.h"
#include "work/pattern.h"
#include "work/work.h"

#define STATUS_FAILED 2
#define MARK          UINT64_C(0x5e1f7e57)

static unsigned int turn; /* the CPU whose turn it is */
static bool failed;

/* A global map that the CPU before has made. */
static uint64_t *global;

mfn_t page_new(void)
{
    mfn_t mfn = alloc_domheap_page();

    if (mfn_x(mfn) == mfn_x(INVALID_MFN))
        panic("selftest: out of memory");
    return mfn;
}

static bool is_clock(void)
{
    return mapcache_engine == BEACON_ENGINE_CLOCK;
}

static bool miss(void)
{
    mfn_t mfn = page_new();
    uint64_t *p = map_domain_page(mfn);
    lpae_t want = pte_with_refs(mfn_to_xen_entry(_mfn(mfn_x(mfn) & ~SLOT_MFN_MASK), 7), 1);
    bool ok = (is_clock() || slot_of(p) == mapcache_home(mfn, SLOTS)) && entry_of(p) == want;

    pattern_fill(p, mfn, 1);
    pattern_verify(p, mfn, 1);
    unmap_domain_page(p);
    free_domheap_page(mfn);
    return ok;
}

static bool hit(void)
{
    uint64_t hits = this_cpu(beacon_cpu)->hits;
    const char *p = map_domain_page(FRAME(5)), *q = map_domain_page(mfn_add(FRAME(5), 7));
    bool ok = q == p + 7 * PAGE_SIZE && pte_refs(entry_of(p)) == 2;

    unmap_domain_page(p);
    unmap_domain_page(q);
    return ok && this_cpu(beacon_cpu)->hits == hits + 1;
}

static bool unmap_keeps_the_entry(void)
{
    const void *p = map_domain_page(FRAME(5));
    lpae_t pte = entry_of(p);

    unmap_domain_page(p);
    return entry_of(p) == (options.mapcache == CLOCK_LAZY ? pte_with_refs(pte, 0) : 0);
}

static bool saturation(void)
{
    const void *p[40];
    unsigned int full = 0;
    bool ok;

    for (unsigned int i = 0; i < 40; i++) {
        p[i] = map_domain_page(FRAME(9));
        full += pte_refs(entry_of(p[i])) == PTE_REFS_MAX;
    }
    ok = full == 2 && pte_refs(entry_of(p[39])) == 10 && mapcache_refs() == 40;
    for (unsigned int i = 0; i < 40; i++)
        unmap_domain_page(p[i]);
    return ok && mapcache_refs() == 0;
}

static bool any_order(void)
{
    const void *p[6];

    for (unsigned int i = 0; i < 6; i++)
        p[i] = map_domain_page(FRAME(5 + i % 3 * SLOTS));
    for (unsigned int i = 0; i < 6; i += 2)
        unmap_domain_page(p[i]);
    if (mapcache_refs() != 3)
        return false;
    for (unsigned int i = 5; i < 6; i -= 2)
        unmap_domain_page(p[i]);
    return mapcache_refs() == 0;
}

static bool unmap_ignores(void)
{
    uint64_t unmaps = this_cpu(beacon_cpu)->unmaps;

    unmap_domain_page(NULL);
    unmap_domain_page((void *)DIRECTMAP_VIRT_START);
    unmap_domain_page((void *)(DOMHEAP_VIRT_START - 1));
    unmap_domain_page((void *)(DOMHEAP_VIRT_START + DOMHEAP_VIRT_SIZE));
    return this_cpu(beacon_cpu)->unmaps == unmaps;
}

static bool bypass(void)
{
    void *page = alloc_xenheap_pages(0);
    bool ok = page && map_domain_page(virt_to_mfn(page)) == page && mapcache_refs() == 0;

    unmap_domain_page(page);
    free_xenheap_pages(page, 0);
    return ok;
}

static bool map_to_mfn(void)
{
    mfn_t mfn = page_new();
    void *p = map_domain_page(mfn), *g = map_domain_page_global(mfn), *x = alloc_xenheap_pages(0);
    bool ok = g && x && mfn_x(domain_page_map_to_mfn((char *)p + 9)) == mfn_x(mfn) &&
              mfn_x(domain_page_map_to_mfn(g)) == mfn_x(mfn) &&
              mfn_x(domain_page_map_to_mfn(x)) == mfn_x(virt_to_mfn(x));

    unmap_domain_page(p);
    unmap_domain_page_global(g);
    free_xenheap_pages(x, 0);
    free_domheap_page(mfn);
    return ok;
}

/* Look through what the CPU before has made, and make one for the next. */
static bool global_map(void)
{
    bool ok = true;
    mfn_t mfn;

    if (global) {
        mfn = domain_page_map_to_mfn(global);
        ok = global[0] == (mfn_x(mfn) ^ MARK);
        unmap_domain_page_global(global);
        free_domheap_page(mfn);
    }
    mfn = page_new();
    global = map_domain_page_global(mfn);
    if (global)
        global[0] = mfn_x(mfn) ^ MARK;
    return ok && global;
}

/* Other CPUs allocate nothing meanwhile, so the totals are exact. */
static bool give_and_take(void)
{
    uint64_t before = domheap_free_pages();
    mfn_t a = page_new(), b = page_new();
    bool ok =
        domheap_free_pages() == before - 2 && mfn_x(a) != mfn_x(b) && !alloc_domheap_page_at(a);

    free_domheap_page(a);
    ok &= alloc_domheap_page_at(a) && !alloc_domheap_page_at(a);
    free_domheap_page(a);
    free_domheap_page(b);
    return ok && domheap_free_pages() == before;
}

static bool scrub_on_free(void)
{
    mfn_t mfn = page_new();
    uint64_t *p = map_domain_page(mfn), sum = 0;

    pattern_fill(p, mfn, 3);
    unmap_domain_page(p);
    free_domheap_page(mfn);
    if (!alloc_domheap_page_at(mfn))
        return false;
    p = map_domain_page(mfn);
    for (unsigned int i = 0; i < PATTERN_WORDS; i++)
        sum |= p[i];
    unmap_domain_page(p);
    free_domheap_page(mfn);
    return !sum;
}

static bool vmap_alias(void)
{
    mfn_t mfn = page_new();
    uint64_t *p = map_domain_page(mfn), *v = vmap_page(mfn);
    bool ok = false;

    if (v) {
        p[3] = MARK;
        ok = v[3] == MARK;
        vunmap_page(v);
    }
    unmap_domain_page(p);
    free_domheap_page(mfn);
    return ok;
}

static bool writable_or_executable(void)
{
    for (const char *p = _start; p < _end; p += PAGE_SIZE) {
        unsigned int level;
        lpae_t pte = xen_walk(_vaddr((uintptr_t)p), &level);
        bool text = p < _srodata, data = p >= _sdata;

        if (!pte_is_leaf(pte, level) || text != !(pte & PTE_XN) || data != !(pte & PTE_RO))
            return false;
    }
    return read_sysreg(sctlr_el2) & SCTLR_WXN;
}

static bool own_tables(void)
{
    const struct beacon_cpu *c = this_cpu(beacon_cpu);

    return (read_sysreg(ttbr0_el2) & PTE_ADDR_MASK) == c->root &&
           paddr_x(virt_to_paddr(this_cpu(xen_dommap))) == c->l2[0] && c->generation % 2 == 0;
}

static const struct check checks[] = {
    {"miss: the home slot if there is one, Xen's entry, count 1", miss},
    {"hit: the same slot, count 2", hit},
    {"unmap: the entry stays, count 0, unless the policy takes it", unmap_keeps_the_entry},
    {"saturation: 15 to a slot", saturation},
    {"release in any order", any_order},
    {"unmap ignores what is not of the domheap", unmap_ignores},
    {"directmap: a bypass takes no slot", bypass},
    {"map_to_mfn of a slot, the directmap, the vmap area", map_to_mfn},
    {"global map: seen by the next CPU", global_map},
    {"allocator: give and take", give_and_take},
    {"free scrubs", scrub_on_free},
    {"vmap: two addresses, one page", vmap_alias},
    {"tables: writable or executable, not both", writable_or_executable},
    {"tables: the CPU's own", own_tables},
    {NULL, NULL},
};

static void list_run(const struct check *check)
{
    for (; check->name; check++) {
        bool ok;

        mapcache_clear();
        ok = check->run();
        failed |= !ok;
        printk("selftest: %s CPU%u %s\n", ok ? "ok" : "FAIL", smp_processor_id(), check->name);
    }
}

static void checks_run(void)
{
    uint64_t irq = local_irq_save();

    list_run(checks);
    list_run(is_clock() ? selftest_clock : selftest_probe);
    local_irq_restore(irq);
}

/* The last CPU's global map is looked at here. */
static void selftest_finish(void)
{
    failed |= !global_map();
    printk("selftest: %s\n", failed ? "FAILED" : "passed");
    machine_off(failed ? STATUS_FAILED : BEACON_EXIT_OK);
}

static void selftest_init(void)
{
    if (options.directmap && smp_processor_id() == 0) {
        printk("selftest: needs directmap=off\n");
        machine_off(STATUS_FAILED);
    }
}

static void selftest_exit(void)
{
}

static void selftest_step(void)
{
    unsigned int now = __atomic_load_n(&turn, __ATOMIC_ACQUIRE);

    if (now == smp_processor_id()) {
        checks_run();
        __atomic_store_n(&turn, now + 1, __ATOMIC_RELEASE);
    } else if (smp_processor_id() == 0 && now == cpus_online()) {
        selftest_finish();
    } else {
        work_idle.step();
    }
}

const struct workload work_selftest = {
    .name = "selftest",
    .looks = "over in a second: a line a check on the console, then off",
    .init = selftest_init,
    .step = selftest_step,
    .exit = selftest_exit,
};
