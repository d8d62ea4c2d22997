/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracer/roots.h"
#include "tracer/guest.h"
#include "tracer/ring.h"
#include "tracer/tables.h"

#include <hvscope/pte.h>

#define HCR_VM         PTE_BIT(0)
#define HCR_DC         PTE_BIT(12)
#define HCR_E2H        PTE_BIT(34)
#define TCR_TG0        (UINT64_C(3) << 14) /* of VTCR_EL2 and TCR_EL1 too; 0: 4 KiB */
#define TCR_DS         PTE_BIT(32)         /* of VTCR_EL2 too: entries have 52-bit addresses */
#define TCR_EL1_TG1    (UINT64_C(3) << 30)
#define TCR_EL1_TG1_4K (UINT64_C(2) << 30)
#define TCR_EL1_EPD1   PTE_BIT(23)
#define TCR_EL1_DS     PTE_BIT(59)

static struct {
    uint64_t ttbr, tcr, vttbr;
    bool walks; /* ttbr was written */
    struct tables_el1 el1;
} roots[GUEST_CPUS_MAX];

static struct trace_file *file;
static bool follows_el1;

void roots_init(struct trace_file *f, bool el1)
{
    file = f;
    follows_el1 = el1;
}

bool roots_take(enum decoded_kind kind)
{
    if (kind >= DECODED_TTBR && kind <= DECODED_VTCR)
        return true;
    return follows_el1 && kind >= DECODED_HCR && kind <= DECODED_TCR_EL1;
}

/* Not with pages of 16 or 64 KiB, nor with LPA2's entries. */
static bool is_decoded(uint64_t tcr)
{
    return guest_is_aarch32() || !(tcr & (TCR_TG0 | TCR_DS));
}

/* TCR_EL1 has two granules, of which that without walks may be anything. */
static bool is_decoded_el1(uint64_t tcr)
{
    bool high = (tcr & TCR_EL1_TG1) == TCR_EL1_TG1_4K || tcr & TCR_EL1_EPD1;

    return guest_is_aarch32() || (high && !(tcr & (TCR_TG0 | TCR_EL1_DS)));
}

/* Under E2H EL2's registers and their tables are others, and EL1's names at EL2 are EL2's. */
static bool is_e2h(unsigned int cpu)
{
    return !guest_is_aarch32() && guest_system_register(cpu, GUEST_HCR_EL2) & HCR_E2H;
}

static void count_foreign(void)
{
    __atomic_add_fetch(&file->totals.foreign, 1, __ATOMIC_RELAXED);
}

static void follow_el2(unsigned int cpu)
{
    struct beacon_cpu *block = ring_cpu(cpu);

    if (!roots[cpu].walks || (!roots[cpu].tcr && !guest_is_aarch32()))
        return; /* KVM sets TCR_EL2 after the root */
    if (is_e2h(cpu) || !is_decoded(roots[cpu].tcr) ||
        !tables_set_root(cpu, roots[cpu].ttbr, roots[cpu].tcr, guest_is_aarch32())) {
        count_foreign();
        return;
    }
    file->beacon.tcr = roots[cpu].tcr;
    block->root = roots[cpu].ttbr & PTE_ADDR_MASK;
    block->state = BEACON_CPU_ON;
    file->beacon.state = BEACON_MAPCACHE_READY;
}

/* Of CPUs that have run at EL1, whose TCR_EL1 is not 0 then. */
static void follow_el1(unsigned int cpu)
{
    struct tables_el1 none = {.aarch32 = false}, *el1 = &roots[cpu].el1;
    bool decoded = is_decoded_el1(el1->tcr);

    if (!follows_el1 || !el1->tcr)
        return;
    if (!decoded)
        count_foreign();
    none.tcr = ~UINT64_C(0);
    tables_set_el1(cpu, decoded ? el1 : &none);
}

static void follow_stage2(unsigned int cpu, uint64_t vtcr)
{
    bool decoded = is_decoded(vtcr);

    if (!tables_set_stage2(cpu, decoded ? roots[cpu].vttbr : 0, vtcr, guest_is_aarch32()) ||
        !decoded)
        count_foreign();
    follow_el1(cpu);
}

/* What an MSR, or an MCRR of two registers, is about to write. */
static uint64_t written(unsigned int cpu, const struct decoded *d)
{
    uint64_t low = guest_register(cpu, d->rt);

    return guest_is_aarch32() ? (uint32_t)low | guest_register(cpu, d->rt2) << 32 : low;
}

static void write_el1(unsigned int cpu, const struct decoded *d, unsigned int el, uint64_t value)
{
    struct tables_el1 *el1 = &roots[cpu].el1;

    if (d->kind == DECODED_HCR)
        el1->has_stage2 = value & (HCR_VM | HCR_DC);
    else if (el == 2 && is_e2h(cpu) && !d->el12)
        return;
    else if (d->kind == DECODED_TCR_EL1)
        el1->tcr = value;
    else
        el1->ttbr[d->kind == DECODED_TTBR1_EL1] = value;
    el1->aarch32 = guest_is_aarch32();
    follow_el1(cpu);
}

void roots_write(unsigned int cpu, const struct decoded *d, unsigned int el, uint64_t pc)
{
    uint64_t value = written(cpu, d);

    switch (d->kind) {
    case DECODED_TTBR:
        roots[cpu].ttbr = value;
        roots[cpu].tcr = guest_system_register(cpu, GUEST_TCR_EL2);
        roots[cpu].walks = true;
        ring_event(cpu, TRACE_TTBR, 0, value, pc);
        follow_el2(cpu);
        break;
    case DECODED_TCR:
        roots[cpu].tcr = value;
        follow_el2(cpu);
        break;
    case DECODED_VTTBR:
        roots[cpu].vttbr = value;
        follow_stage2(cpu, guest_system_register(cpu, GUEST_VTCR_EL2));
        break;
    case DECODED_VTCR:
        follow_stage2(cpu, value);
        break;
    default:
        write_el1(cpu, d, el, value);
    }
}
