/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The walk of an address, on the console. */
#ifndef HV_MM_WALK_PRINT_H
#define HV_MM_WALK_PRINT_H

#include <stdint.h>

/* Print each level's entry for va, from TTBR0_EL2 of this CPU down. Uses the pmap. */
void walk_print(uint64_t va);

#endif /* HV_MM_WALK_PRINT_H */
