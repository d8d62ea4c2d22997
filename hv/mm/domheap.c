/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/spinlock.h"
#include "core/pace.h"
#include "core/string.h"
#include "mm/domain_page.h"
#include "mm/page_alloc.h"
#include "mm/pgtable.h"
#include <hvscope/mapcache.h>

/* How many extents are open at a time: more than a CPU has slots. */
#define SCATTER_EXTENTS 1536
#define NO_EXTENT       (~UINT64_C(0))
#define EXTENT_PAGES    (SLOT_SIZE >> PAGE_SHIFT)

static spinlock_t lock;
static struct extent *const frame_table = (struct extent *)FRAMETABLE_VIRT_START;
static uint64_t first_extent; /* PA >> 21 of the first one */
static uint64_t nr_extents;
static uint64_t nr_untouched; /* extents that the cursor has not reached */
static uint64_t stride;       /* of the cursor: coprime to nr_extents */
static uint64_t cursor;
static uint64_t ring = NO_EXTENT; /* an extent with free pages; next to be used */
static uint64_t ring_length;
static uint64_t free_pages, total_pages;

static uint64_t gcd(uint64_t a, uint64_t b)
{
    return b ? gcd(b, a % b) : a;
}

static uint64_t extent_pa(uint64_t index)
{
    return (first_extent + index) << SLOT_SHIFT;
}

static void ring_insert(uint64_t index)
{
    struct extent *e = &frame_table[index];

    if (ring == NO_EXTENT) {
        e->next = e->prev = index;
        ring = index;
    } else {
        e->next = ring;
        e->prev = frame_table[ring].prev;
        frame_table[e->prev].next = index;
        frame_table[ring].prev = index;
    }
    ring_length++;
}

static void ring_remove(uint64_t index)
{
    struct extent *e = &frame_table[index];

    frame_table[e->prev].next = e->next;
    frame_table[e->next].prev = e->prev;
    if (ring == index)
        ring = e->next == index ? NO_EXTENT : e->next;
    ring_length--;
}

/*
 * Map the page of the frametable that holds this extent, if it is not yet. The
 * heap's lock is held, and a page table may be what the heap is asked for: so
 * no lock of the tables, no table to allocate (frametable_init() made them).
 */
static bool metadata_map(uint64_t index)
{
    vaddr_t va = _vaddr((uintptr_t)&frame_table[index] & ~PAGE_MASK);
    unsigned int level;
    void *page;

    if (pte_valid(xen_walk(va, &level)))
        return true;
    page = alloc_xenheap_pages(0);
    if (!page)
        return false;
    memset(page, 0, PAGE_SIZE);
    map_prepared_page(va, virt_to_mfn(page), PAGE_HYPERVISOR_RW);
    return true;
}

/* Mark as free what bootmem has left of this extent. */
static void extent_fill(uint64_t index)
{
    struct extent *e = &frame_table[index];
    uint64_t start = extent_pa(index), end = start + SLOT_SIZE;
    struct region r;

    for (unsigned int n = 0; bootmem_region(n, &r); n++) {
        uint64_t from = r.start > start ? r.start : start;
        uint64_t to = r.end < end ? r.end : end;

        for (uint64_t pa = from; pa < to; pa += PAGE_SIZE) {
            uint64_t page = (pa - start) >> PAGE_SHIFT;

            e->free[page / 64] |= UINT64_C(1) << (page % 64);
            e->nr_free++;
        }
    }
    e->opened = 1;
}

/* Bring the next untouched extent that has free pages into the ring. */
static bool extent_open(void)
{
    while (nr_untouched) {
        uint64_t index = cursor;

        if (!metadata_map(index))
            return false;
        cursor = (cursor + stride) % nr_extents;
        nr_untouched--;
        if (frame_table[index].opened) /* for alloc_domheap_page_at() */
            continue;
        extent_fill(index);
        if (frame_table[index].nr_free) {
            ring_insert(index);
            ring = index;
            return true;
        }
    }
    return false;
}

static unsigned int lowest_free(const struct extent *e)
{
    for (unsigned int word = 0; word < 8; word++) {
        if (e->free[word])
            return word * 64 + __builtin_ctzll(e->free[word]);
    }
    panic("extent %p: nr_free %u, no page free", (void *)e, e->nr_free);
}

/* Take this page out of an extent that has been opened. The lock is held. */
static bool page_take(uint64_t index, unsigned int page)
{
    struct extent *e = &frame_table[index];

    if (!(e->free[page / 64] >> (page % 64) & 1))
        return false;
    e->free[page / 64] &= ~(UINT64_C(1) << (page % 64));
    free_pages--;
    if (--e->nr_free == 0)
        ring_remove(index);
    return true;
}

mfn_t alloc_domheap_page(void)
{
    uint64_t irq = spin_lock_irqsave(&lock);
    mfn_t mfn = INVALID_MFN;

    if (ring_length < SCATTER_EXTENTS)
        extent_open();
    if (ring != NO_EXTENT) {
        uint64_t index = ring;
        unsigned int page = lowest_free(&frame_table[index]);

        mfn = mfn_add(paddr_to_mfn(_paddr(extent_pa(index))), page);
        ring = frame_table[index].next;
        page_take(index, page);
    }
    spin_unlock_irqrestore(&lock, irq);
    return mfn;
}

/* Nothing of its last owner may be left in a page that is handed out again. */
static void scrub_one_page(mfn_t mfn)
{
    uint64_t irq;
    void *p = short_map(mfn, &irq);

    memset(p, 0, PAGE_SIZE);
    short_unmap(p, irq);
}

bool alloc_domheap_page_at(mfn_t mfn)
{
    uint64_t index = (mfn_x(mfn) >> SLOT_MFN_SHIFT) - first_extent;
    uint64_t irq = spin_lock_irqsave(&lock);
    bool taken = index < nr_extents && metadata_map(index);

    if (taken && !frame_table[index].opened) {
        extent_fill(index);
        if (frame_table[index].nr_free)
            ring_insert(index);
    }
    taken = taken && page_take(index, mfn_x(mfn) & SLOT_MFN_MASK);
    spin_unlock_irqrestore(&lock, irq);
    return taken;
}

void free_domheap_page(mfn_t mfn)
{
    uint64_t index = (mfn_x(mfn) >> SLOT_MFN_SHIFT) - first_extent;
    unsigned int page = mfn_x(mfn) & SLOT_MFN_MASK;
    struct extent *e = &frame_table[index];
    uint64_t irq;

    CHECK(index < nr_extents && e->opened, "mfn 0x%lx is not of the domheap", mfn_x(mfn));
    scrub_one_page(mfn);
    irq = spin_lock_irqsave(&lock);
    CHECK(!(e->free[page / 64] >> (page % 64) & 1), "mfn 0x%lx is free already", mfn_x(mfn));
    e->free[page / 64] |= UINT64_C(1) << (page % 64);
    free_pages++;
    if (e->nr_free++ == 0)
        ring_insert(index);
    spin_unlock_irqrestore(&lock, irq);
}

void frametable_init(void)
{
    struct region span = ram_span();

    first_extent = span.start >> SLOT_SHIFT;
    nr_extents = ((span.end + SLOT_SIZE - 1) >> SLOT_SHIFT) - first_extent;
    if (nr_extents * sizeof(struct extent) > FRAMETABLE_SIZE)
        panic("RAM spans 0x%lx bytes: more than the frametable can hold", span.end - span.start);
    if (prepare_tables(_vaddr(FRAMETABLE_VIRT_START), nr_extents * sizeof(struct extent)))
        panic("no memory for the frametable's tables");
}

void domheap_init(void)
{
    nr_untouched = nr_extents;
    stride = nr_extents * 618 / 1000 + 1; /* the golden ratio spreads evenly */
    while (gcd(stride, nr_extents) != 1)
        stride++;
    total_pages = free_pages = bootmem_free() >> PAGE_SHIFT;
}

uint64_t domheap_free_pages(void)
{
    return free_pages;
}

uint64_t domheap_total_pages(void)
{
    return total_pages;
}
