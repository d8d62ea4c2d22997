/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory, from the device tree to allocators that work. */
#ifndef HV_MM_SETUP_H
#define HV_MM_SETUP_H

#include <stdint.h>

/* Find the banks of RAM; panics without one. */
void setup_ram(const void *fdt);

/* fdt is mapped; fdt_pa is where it lies, to keep it. */
void setup_mm(const void *fdt, uint64_t fdt_pa);

#endif /* HV_MM_SETUP_H */
