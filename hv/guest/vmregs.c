/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's writes to the registers of its own translation: HCR_EL2.TVM brings
 * them here, so that the beacon tells at any moment how EL1 translates.
 */
#include "arch/sysreg.h"
#include "core/beacon.h"
#include "guest/guest.h"

/* ISS of a trapped MSR or MRS (Arm ARM D24.2.40). */
#define ISS_READ  1u
#define ISS_RT(i) ((i) >> 5 & 31)
#define ISS_REG(op0, op1, crn, crm, op2)                                                           \
    ((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1)
#define ISS_REG_MASK ISS_REG(3u, 7u, 15u, 15u, 7u)

#define ISS_SCTLR_EL1 ISS_REG(3u, 0u, 1u, 0u, 0u)
#define ISS_TTBR0_EL1 ISS_REG(3u, 0u, 2u, 0u, 0u)
#define ISS_TTBR1_EL1 ISS_REG(3u, 0u, 2u, 0u, 1u)
#define ISS_TCR_EL1   ISS_REG(3u, 0u, 2u, 0u, 2u)
#define ISS_MAIR_EL1  ISS_REG(3u, 0u, 10u, 2u, 0u)

#define XZR 31

static bool write_named(uint32_t reg, uint64_t value)
{
    switch (reg) {
    case ISS_SCTLR_EL1:
        write_sysreg(sctlr_el1, value);
        return true;
    case ISS_TTBR0_EL1:
        write_sysreg(ttbr0_el1, value);
        return true;
    case ISS_TTBR1_EL1:
        write_sysreg(ttbr1_el1, value);
        return true;
    case ISS_TCR_EL1:
        write_sysreg(tcr_el1, value);
        return true;
    case ISS_MAIR_EL1:
        write_sysreg(mair_el1, value);
        return true;
    default:
        return false;
    }
}

bool guest_vm_register(struct vcpu *v, uint32_t iss)
{
    unsigned int rt = ISS_RT(iss);
    bool known;

    if (iss & ISS_READ)
        return false;
    beacon_guest_begin();
    known = write_named(iss & ISS_REG_MASK, rt == XZR ? 0 : v->regs.x[rt]);
    beacon_guest_end();
    if (known)
        v->regs.pc += 4;
    return known;
}
