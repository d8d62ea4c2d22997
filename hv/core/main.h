/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where each CPU enters the image proper: MMU on, at its virtual address. */
#ifndef HV_CORE_MAIN_H
#define HV_CORE_MAIN_H

#include <stdint.h>

/* The boot CPU. fdt: PA of the device tree. */
_Noreturn void hv_main(uint64_t fdt);

/* Every other CPU, by its number. */
_Noreturn void secondary_main(uint64_t cpu);

#endif /* HV_CORE_MAIN_H */
