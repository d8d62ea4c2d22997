/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Fake: barriers are noted in the order they come; see fake.h. */
#ifndef HV_ARCH_BARRIER_H
#define HV_ARCH_BARRIER_H

#include "fake.h"

static inline void dsb_sy(void)
{
    fake_note('s');
}

static inline void dsb_ish(void)
{
    fake_note('i');
}

static inline void dsb_nsh(void)
{
    fake_note('n');
}

static inline void dsb_nshst(void)
{
    fake_note('w');
}

static inline void isb(void)
{
    fake_note('I');
}

static inline void cpu_relax(void)
{
}

#endif /* HV_ARCH_BARRIER_H */
