/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random numbers, the same in every run: a generator a CPU. */
#ifndef HV_WORK_RANDOM_H
#define HV_WORK_RANDOM_H

#include <stdint.h>

/* Start this CPU's sequence. */
void random_init(void);

/* Its next number, 64 bits, never the same state twice in 2^64 - 1. */
uint64_t random_next(void);

#endif /* HV_WORK_RANDOM_H */
