/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/barrier.h"
#include "arch/irq.h"
#include "core/beacon.h"
#include "core/interrupt.h"
#include "core/pace.h"
#include "core/panic.h"
#include "core/string.h"
#include "guest/guest.h"
#include "guest/stage2.h"

/* EL1h, all exceptions masked: how a vCPU starts. */
#define PSTATE_START UINT64_C(0x3c5)

/* SCTLR_EL1 at the start: its RES1 bits, MMU and caches off. */
#define SCTLR_EL1_START UINT64_C(0x30d00980)

/* HCR_EL2 while a guest runs: stage 2 on; SMC, WFI and writes of its translation's registers come
 * to EL2. */
#define HCR_VM    REG_BIT(0)
#define HCR_SWIO  REG_BIT(1)
#define HCR_TWI   REG_BIT(13)
#define HCR_TSC   REG_BIT(19)
#define HCR_TVM   REG_BIT(26)
#define HCR_HOST  (HCR_RW | HCR_IMO | HCR_FMO | HCR_AMO)
#define HCR_GUEST (HCR_HOST | HCR_VM | HCR_SWIO | HCR_TWI | HCR_TSC | HCR_TVM)

/* Ticks without a hypercall after which a vCPU is said to loop. */
#define WATCHDOG_TICKS 50

#define VECTOR_SYNC 8
#define VECTOR_IRQ  9

#define EC_WFX        0x01
#define EC_FP         0x07
#define EC_HVC64      0x16
#define EC_SMC64      0x17
#define EC_SYSREG     0x18
#define EC_IABT_LOWER 0x20
#define EC_DABT_LOWER 0x24

#define FOR_EACH_SYSREG(do)                                                                                                                       \
    do                                                                                                                                            \
    (sp_el0) do(sp_el1) do(elr_el1) do(spsr_el1) do(esr_el1) do(far_el1) do(afsr0_el1) do(afsr1_el1) do(vbar_el1) do(ttbr0_el1) do(ttbr1_el1) do( \
        tcr_el1) do(mair_el1) do(amair_el1) do(sctlr_el1) do(cpacr_el1) do(contextidr_el1) do(tpidr_el0) do(tpidrro_el0) do(tpidr_el1) do(cntkctl_el1) do(par_el1)

#define SYSREG_INDEX(name) SYSREG_##name,
enum sysreg_index { FOR_EACH_SYSREG(SYSREG_INDEX) SYSREG_NR };
_Static_assert(SYSREG_NR == VCPU_SYSREGS, "struct vcpu has room for them");

DEFINE_PER_CPU(struct vcpu *, current_vcpu);

unsigned int guest_enter(struct guest_regs *regs);

void vcpu_reset(struct vcpu *v, uint64_t pc, uint64_t x0, uint64_t x1)
{
    memset(&v->regs, 0, sizeof(v->regs));
    memset(v->sysreg, 0, sizeof(v->sysreg));
    v->sysreg[SYSREG_sctlr_el1] = SCTLR_EL1_START;
    v->regs.pc = pc;
    v->regs.pstate = PSTATE_START;
    v->regs.x[0] = x0;
    v->regs.x[1] = x1;
    v->quiet_ticks = 0;
}

static void context_load(struct vcpu *v)
{
    beacon_guest_begin();
#define SYSREG_LOAD(name) write_sysreg(name, v->sysreg[SYSREG_##name]);
    FOR_EACH_SYSREG(SYSREG_LOAD)
    write_sysreg(vtcr_el2, stage2_vtcr());
    write_sysreg(vttbr_el2, stage2_vttbr(v->domain));
    write_sysreg(hcr_el2, HCR_GUEST);
    isb();
    beacon_guest_end();
    this_cpu(current_vcpu) = v;
}

static void context_save(struct vcpu *v)
{
#define SYSREG_SAVE(name) v->sysreg[SYSREG_##name] = read_sysreg(name);
    FOR_EACH_SYSREG(SYSREG_SAVE)
    beacon_guest_begin();
    write_sysreg(hcr_el2, HCR_HOST);
    write_sysreg(vttbr_el2, 0);
    write_sysreg(sctlr_el1, SCTLR_EL1_START); /* without stage 2 its addresses mean nothing */
    isb();
    beacon_guest_end();
    this_cpu(current_vcpu) = NULL;
}

/* What it was, when a guest does something that it must not. */
static const char *abort_name(unsigned int class)
{
    switch (class) {
    case EC_IABT_LOWER:
        return "stage-2 fault, instruction at ipa";
    case EC_DABT_LOWER:
        return "stage-2 fault, data at ipa";
    case EC_SMC64:
        return "SMC";
    case EC_FP:
        return "floating point";
    case EC_SYSREG:
        return "trapped system register";
    default:
        return "unexpected exception, class";
    }
}

/* HPFAR_EL2 holds the page of the IPA, FAR_EL2 the place in it (Arm ARM D19.2.61). */
static uint64_t fault_ipa(void)
{
    return (read_sysreg(hpfar_el2) >> 4 & ((UINT64_C(1) << 40) - 1)) << PAGE_SHIFT |
           (read_sysreg(far_el2) & PAGE_MASK);
}

/* A synchronous exit. True if another vCPU should have its turn. */
static bool exit_sync(struct vcpu *v)
{
    uint64_t esr = read_sysreg(esr_el2), ipa = fault_ipa();
    unsigned int class = ESR_EC(esr);
    bool yield = true;

    if (class == EC_SYSREG && guest_vm_register(v, ESR_ISS(esr)))
        return false;
    local_irq_enable();
    if (class == EC_HVC64)
        yield = hypercall(v);
    else if (class == EC_WFX)
        v->regs.pc += 4;
    else
        domain_kill(v->domain, abort_name(class),
                    class == EC_IABT_LOWER || class == EC_DABT_LOWER ? ipa : class);
    return yield;
}

/* An interrupt: it is taken here, in EL2. True if it was a tick. */
static bool exit_irq(struct vcpu *v)
{
    uint64_t before = this_cpu(ticks);

    local_irq_enable();
    isb();
    if (this_cpu(ticks) == before)
        return false;
    if (++v->quiet_ticks > WATCHDOG_TICKS)
        domain_kill(v->domain, "endless loop, ticks without a hypercall", v->quiet_ticks);
    return true;
}

static bool exit_handle(struct vcpu *v, unsigned int vector)
{
    bool yield = true;

    if (vector == VECTOR_SYNC)
        yield = exit_sync(v);
    else if (vector == VECTOR_IRQ)
        yield = exit_irq(v);
    else
        domain_kill(v->domain, "left by vector", vector);
    local_irq_save();
    return yield;
}

void vcpu_run(struct vcpu *v)
{
    const struct beacon_cpu *c = this_cpu(beacon_cpu);
    uint64_t flags = local_irq_save(), open = c->maps - c->unmaps, held = this_cpu(pace_held);
    uint64_t ticks_before = this_cpu(ticks);
    bool yield;

    context_load(v);
    do {
        yield = exit_handle(v, guest_enter(&v->regs));
        CHECK(c->maps - c->unmaps == open && this_cpu(pace_held) == held,
              "d%u vcpu%u: %lu maps were open before, %lu are on the way back", v->domain->id,
              v->id, open, c->maps - c->unmaps);
    } while (!yield && this_cpu(ticks) == ticks_before);
    context_save(v);
    local_irq_restore(flags);
}
