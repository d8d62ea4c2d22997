/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "work/random.h"
#include "arch/percpu.h"

static DEFINE_PER_CPU(uint64_t, random_state);

void random_init(void)
{
    this_cpu(random_state) = UINT64_C(0x9e3779b97f4a7c15) + smp_processor_id();
}

/* xorshift64*: every state but 0 is reached. */
uint64_t random_next(void)
{
    uint64_t *x = &this_cpu(random_state);

    *x ^= *x >> 12;
    *x ^= *x << 25;
    *x ^= *x >> 27;
    return *x * UINT64_C(0x2545f4914f6cdd1d);
}
