/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/bootmem.h"
#include "core/panic.h"
#include <hvscope/mapcache.h>

#define REGIONS_MAX 32

struct beacon_bank ram_bank[BEACON_BANKS_MAX];
unsigned int nr_ram_banks;
static struct region regions[REGIONS_MAX];
static unsigned int nr_regions;

static void region_insert(unsigned int at, uint64_t start, uint64_t end)
{
    CHECK(nr_regions < REGIONS_MAX, "more than %u regions of free memory", REGIONS_MAX);
    for (unsigned int i = nr_regions++; i > at; i--)
        regions[i] = regions[i - 1];
    regions[at] = (struct region){start, end};
}

static void region_remove(unsigned int at)
{
    for (nr_regions--; at < nr_regions; at++)
        regions[at] = regions[at + 1];
}

bool bootmem_add(uint64_t base, uint64_t size)
{
    uint64_t start = (base + PAGE_MASK) & ~PAGE_MASK;
    uint64_t end = (base + size) & ~PAGE_MASK;
    unsigned int at = 0;

    if (nr_ram_banks == BEACON_BANKS_MAX || start >= end)
        return false;
    while (at < nr_ram_banks && ram_bank[at].base < start)
        at++;
    for (unsigned int i = nr_ram_banks++; i > at; i--)
        ram_bank[i] = ram_bank[i - 1];
    ram_bank[at] = (struct beacon_bank){start, end - start};
    region_insert(at, start, end);
    return true;
}

struct region ram_span(void)
{
    const struct beacon_bank *last = &ram_bank[nr_ram_banks - 1];

    return (struct region){ram_bank[0].base, last->base + last->size};
}

static uint64_t ram_frames(void)
{
    uint64_t bytes = 0;

    for (unsigned int i = 0; i < nr_ram_banks; i++)
        bytes += ram_bank[i].size;
    return bytes >> PAGE_SHIFT;
}

uint64_t ram_blocks(void)
{
    return ram_frames() >> SLOT_MFN_SHIFT;
}

mfn_t ram_frame(uint64_t n)
{
    const struct beacon_bank *bank = ram_bank;

    for (n %= ram_frames(); n >= bank->size >> PAGE_SHIFT; bank++)
        n -= bank->size >> PAGE_SHIFT;
    return _mfn((bank->base >> PAGE_SHIFT) + n);
}

/* Take [start, end) out of region i. Returns how many regions it became. */
static unsigned int region_cut(unsigned int i, uint64_t start, uint64_t end)
{
    struct region r = regions[i];

    region_remove(i);
    if (r.end > end)
        region_insert(i, end, r.end);
    if (r.start < start)
        region_insert(i, r.start, start);
    return (r.end > end) + (r.start < start);
}

void bootmem_reserve(uint64_t start, uint64_t end)
{
    start &= ~PAGE_MASK;
    end = (end + PAGE_MASK) & ~PAGE_MASK;
    for (unsigned int i = 0; i < nr_regions;) {
        if (regions[i].start < end && start < regions[i].end)
            i += region_cut(i, start, end);
        else
            i++;
    }
}

mfn_t alloc_boot_pages(uint64_t nr, uint64_t align)
{
    uint64_t bytes = nr << PAGE_SHIFT, mask = (align << PAGE_SHIFT) - 1;

    for (unsigned int i = 0; i < nr_regions; i++) {
        uint64_t start = (regions[i].start + mask) & ~mask;

        if (start < regions[i].end && regions[i].end - start >= bytes) {
            bootmem_reserve(start, start + bytes);
            return paddr_to_mfn(_paddr(start));
        }
    }
    return INVALID_MFN;
}

bool bootmem_region(unsigned int n, struct region *region)
{
    if (n >= nr_regions)
        return false;
    *region = regions[n];
    return true;
}

uint64_t bootmem_free(void)
{
    uint64_t bytes = 0;

    for (unsigned int i = 0; i < nr_regions; i++)
        bytes += regions[i].end - regions[i].start;
    return bytes;
}
