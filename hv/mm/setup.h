/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory, from the device tree to allocators that work. */
#ifndef HV_MM_SETUP_H
#define HV_MM_SETUP_H

#include "mm/bootmem.h"

/* Find the banks of RAM, of which mem= may leave parts; panics without any. */
void setup_ram(const void *fdt);

/* What QEMU's -initrd loaded; empty if nothing. Kept out of the allocators. */
extern struct region ramdisk;

/* fdt is mapped; fdt_pa is where it lies, to keep it. */
void setup_mm(const void *fdt, uint64_t fdt_pa);

#endif /* HV_MM_SETUP_H */
