/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fields of system registers that the image uses (Arm ARM D19). */
#ifndef HV_ARCH_REGS_H
#define HV_ARCH_REGS_H

#include <stdint.h>

#define REG_BIT(n) (UINT64_C(1) << (n))

#define CURRENT_EL_EL2 UINT64_C(8)

#define HCR_FMO REG_BIT(3)
#define HCR_IMO REG_BIT(4)
#define HCR_AMO REG_BIT(5)
#define HCR_TGE REG_BIT(27)
#define HCR_RW  REG_BIT(31)
#define HCR_E2H REG_BIT(34)

#define TCR_T0SZ(bits) ((uint64_t)(64 - (bits)))
#define TCR_IRGN0_WB   (UINT64_C(1) << 8)
#define TCR_ORGN0_WB   (UINT64_C(1) << 10)
#define TCR_SH0_INNER  (UINT64_C(3) << 12)
#define TCR_PS_SHIFT   16
#define TCR_PS_48BIT   UINT64_C(5)
#define TCR_HA         REG_BIT(21)
#define TCR_HD         REG_BIT(22)
#define TCR_RES1       (REG_BIT(31) | REG_BIT(23))

#define SCTLR_M    REG_BIT(0)
#define SCTLR_C    REG_BIT(2)
#define SCTLR_SA   REG_BIT(3)
#define SCTLR_I    REG_BIT(12)
#define SCTLR_WXN  REG_BIT(19)
#define SCTLR_RES1 UINT64_C(0x30c50830)

#define CPTR_RES1 UINT64_C(0x33ff)

#define CNTHCTL_EL1PCTEN REG_BIT(0)
#define CNTHCTL_EL1PCEN  REG_BIT(1)

#define ID_AA64MMFR0_PARANGE(v) ((v)&15)
#define ID_AA64MMFR2_BBM(v)     (((v) >> 52) & 15)

#define ID_AA64ISAR0_TLB(v)    (((v) >> 56) & 15)
#define ID_AA64ISAR0_TLB_RANGE 2

/* Operand of a TLBI by range: TG 4 KiB, SCALE, NUM, TTL, BaseADDR (page number). */
#define TLBI_RANGE(page, scale, num, ttl)                                                          \
    (UINT64_C(1) << 46 | (uint64_t)(scale) << 44 | (uint64_t)(num) << 39 | (uint64_t)(ttl) << 37 | \
     ((page) & ((UINT64_C(1) << 37) - 1)))

#define ESR_EC(esr)  (((esr) >> 26) & 63)
#define ESR_ISS(esr) ((esr)&0x1ffffff)
#define EC_IABT_SAME 0x21
#define EC_DABT_SAME 0x25

#endif /* HV_ARCH_REGS_H */
