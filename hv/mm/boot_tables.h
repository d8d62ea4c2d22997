/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tables that the image is built with: the boot CPU's root and slot 20. */
#ifndef HV_MM_BOOT_TABLES_H
#define HV_MM_BOOT_TABLES_H

#include <hvscope/layout.h>
#include <hvscope/pte.h>

extern char _start[], _srodata[], _sdata[], _sbss[], _ebss[], _end[];

/*
 * Link address of something in the image, whether this runs at its physical
 * address (MMU off) or its virtual one: both are relative to the same start.
 */
#define link_va(p) ((uintptr_t)(p) - (uintptr_t)_start + XEN_VIRT_START)

/* Root of the boot CPU: its final one, with the identity map in it at first. */
extern lpae_t cpu0_pgtable[PT_ENTRIES];

/* Level 3 under the fixmap: console and pmap entries. */
extern lpae_t xen_fixmap[PT_ENTRIES];

/* Build the tables, MMU off. Returns the PA of the root. */
uint64_t boot_tables_make(void);

/* Map the device tree, read-only. Returns its VA; NULL if pa cannot be one. */
const void *boot_fdt_map(paddr_t pa);

/* Take the identity map out of a root that is this CPU's, and out of its TLB. */
void identity_map_remove(lpae_t *root);

/* Put it into another CPU's root, before that CPU is started. */
void identity_map_insert(lpae_t *root);

#endif /* HV_MM_BOOT_TABLES_H */
