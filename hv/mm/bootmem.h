/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RAM: the banks of the device tree, and what is free of them during boot. */
#ifndef HV_MM_BOOTMEM_H
#define HV_MM_BOOTMEM_H

#include <hvscope/addr.h>
#include <hvscope/beacon.h>
#include <stdbool.h>

#define INVALID_MFN _mfn(~UINT64_C(0))

/* A range of physical memory, [start, end). */
struct region {
    uint64_t start;
    uint64_t end;
};

/* All RAM, ascending. */
extern struct beacon_bank ram_bank[BEACON_BANKS_MAX];
extern unsigned int nr_ram_banks;

/* The n-th frame of RAM from the lowest, holes left out; n modulo what there is. */
mfn_t ram_frame(uint64_t n);

/* How many whole 2 MiB of frames there are to count so. */
uint64_t ram_blocks(void);

/* Start and end of RAM, holes included. */
struct region ram_span(void);

/* Add a bank; whole pages of it are free. False if there are too many. */
bool bootmem_add(uint64_t base, uint64_t size);

/* Take [start, end) out of what is free, rounded to whole pages. */
void bootmem_reserve(uint64_t start, uint64_t end);

/* nr contiguous pages, aligned to `align` pages (a power of two). INVALID_MFN if none. */
mfn_t alloc_boot_pages(uint64_t nr, uint64_t align);

/* The n-th free region; false behind the last one. */
bool bootmem_region(unsigned int n, struct region *region);

/* Total of what is free, bytes. */
uint64_t bootmem_free(void);

#endif /* HV_MM_BOOTMEM_H */
