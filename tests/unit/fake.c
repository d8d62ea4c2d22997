/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake.h"
#include "core/beacon.h"
#include "core/cmdline.h"
#include "core/panic.h"
#include "core/printk.h"
#include "mm/domain_page.h"
#include "mm/page_alloc.h"
#include "mm/pgtable.h"
#include "mm/pmap.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TLB_BLOCKS DOMHEAP_ENTRIES

unsigned int fake_cpu;
bool fake_tlb_has_range = true;
char fake_notes[64];
void (*fake_irq_handler)(void);
char fake_console[16384];
char fake_panic_message[512];
jmp_buf fake_panic_jump;
bool fake_panic_expected;

__attribute__((weak)) DEFINE_PER_CPU(lpae_t *, xen_pgtable);
DEFINE_PER_CPU(struct beacon_cpu *, beacon_cpu);
__attribute__((weak)) DEFINE_PER_CPU(lpae_t *, xen_dommap);

__attribute__((weak)) void mapcache_urgent_begin(void)
{
}

__attribute__((weak)) void mapcache_urgent_end(void)
{
}

struct options options __attribute__((weak)) = {.trace = TRACE_API, .zap_limit = 64};

struct beacon_area beacon_area;
static struct beacon_cpu blocks[NR_CPUS];
static lpae_t tlb[NR_CPUS][TLB_BLOCKS]; /* 0: nothing is held */
static bool irq_masked;
static uint64_t counter;

/* One range that map_pages_to_xen() made: enough for the vmap area. */
static struct {
    uint64_t va;
    lpae_t pte;
} mapped[16];

void fake_reset(void)
{
    fake_cpu = 0;
    fake_notes_clear();
    fake_irq_handler = NULL;
    fake_panic_expected = false;
    fake_console[0] = '\0';
    irq_masked = false;
    memset(tlb, 0, sizeof(tlb));
    memset(mapped, 0, sizeof(mapped));
    memset(blocks, 0, sizeof(blocks));
    for (unsigned int cpu = 0; cpu < NR_CPUS; cpu++) {
        per_cpu(beacon_cpu, cpu) = &blocks[cpu];
        per_cpu(xen_pgtable, cpu) = NULL;
        per_cpu(xen_dommap, cpu) = NULL;
    }
}

void fake_cpu_start(unsigned int cpu)
{
    per_cpu(xen_pgtable, cpu) = alloc_xenheap_pages(0);
    memset(per_cpu(xen_pgtable, cpu), 0, PAGE_SIZE);
    if (!init_domheap_mappings(cpu))
        abort();
    fake_notes_clear();
}

void fake_note(char what)
{
    size_t n = strlen(fake_notes);

    if (n < sizeof(fake_notes) - 1) {
        fake_notes[n] = what;
        fake_notes[n + 1] = '\0';
    }
}

void fake_notes_clear(void)
{
    fake_notes[0] = '\0';
}

uint64_t fake_translate(uint64_t va)
{
    unsigned int slot = (va - DOMHEAP_VIRT_START) >> SLOT_SHIFT;
    lpae_t *held = &tlb[fake_cpu][slot];

    if (!*held)
        *held = this_cpu(xen_dommap)[slot];
    if (!pte_valid(*held))
        return UINT64_MAX;
    return mfn_x(pte_mfn(*held)) + ((va >> PAGE_SHIFT) & SLOT_MFN_MASK);
}

void fake_tlb_flush(uint64_t va)
{
    fake_note('T');
    if (va - DOMHEAP_VIRT_START < DOMHEAP_VIRT_SIZE)
        tlb[fake_cpu][(va - DOMHEAP_VIRT_START) >> SLOT_SHIFT] = 0;
}

/* (num + 1) << (5 * scale + 1) pages; the level is a hint that this TLB ignores. */
void fake_tlb_flush_range(uint64_t va, unsigned int scale, unsigned int num, unsigned int level)
{
    uint64_t first = (va - DOMHEAP_VIRT_START) >> SLOT_SHIFT;
    uint64_t n = ((uint64_t)(num + 1) << (5 * scale + 1)) >> SLOT_MFN_SHIFT;

    (void)level;
    fake_note('R');
    for (uint64_t block = first; block < first + n && block < TLB_BLOCKS; block++)
        tlb[fake_cpu][block] = 0;
}

void fake_tlb_flush_all(void)
{
    fake_note('A');
    memset(tlb[fake_cpu], 0, sizeof(tlb[fake_cpu]));
}

uint64_t fake_irq_mask(void)
{
    bool was = irq_masked;

    irq_masked = true;
    return was;
}

void fake_irq_restore(uint64_t flags)
{
    void (*handler)(void) = fake_irq_handler;

    irq_masked = flags;
    if (irq_masked || !handler)
        return;
    fake_irq_handler = NULL;
    irq_masked = true;
    mapcache_urgent_begin();
    handler();
    mapcache_urgent_end();
    irq_masked = false;
}

bool fake_irq_masked(void)
{
    return irq_masked;
}

uint64_t fake_counter(void)
{
    return ++counter;
}

/*
 * What the image's own files would do: the parts that need the machine. Weak
 * where a test has the file itself.
 */

void panic(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(fake_panic_message, sizeof(fake_panic_message), format, args);
    va_end(args);
    if (!fake_panic_expected) {
        fprintf(stderr, "unexpected panic: %s\n", fake_panic_message);
        abort();
    }
    fake_panic_expected = false;
    longjmp(fake_panic_jump, 1);
}

__attribute__((weak)) void printk(const char *format, ...)
{
    size_t n = strlen(fake_console);
    va_list args;

    va_start(args, format);
    vsnprintf(fake_console + n, sizeof(fake_console) - n, format, args);
    va_end(args);
}

__attribute__((weak)) void *fixmap_map_device(unsigned int entry, paddr_t pa)
{
    (void)entry;
    (void)pa;
    return NULL;
}

__attribute__((weak)) bool init_domheap_mappings(unsigned int cpu)
{
    (void)cpu;
    return false;
}

void beacon_cpu_tables(unsigned int cpu, const lpae_t *root, paddr_t l1, const lpae_t *slots)
{
    per_cpu(beacon_cpu, cpu)->root = (uintptr_t)root;
    per_cpu(beacon_cpu, cpu)->l1 = paddr_x(l1);
    per_cpu(beacon_cpu, cpu)->l2[0] = (uintptr_t)slots;
}

__attribute__((weak)) void snprintk(char *buffer, size_t size, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(buffer, size, format, args);
    va_end(args);
}

__attribute__((weak)) paddr_t virt_to_paddr(const volatile void *p)
{
    uint64_t va = (uintptr_t)p;

    return _paddr(va - DIRECTMAP_VIRT_START < DIRECTMAP_SIZE ? va - DIRECTMAP_VIRT_START : va);
}

__attribute__((weak)) void *alloc_xenheap_pages(unsigned int order)
{
    return aligned_alloc(PAGE_SIZE << order, PAGE_SIZE << order);
}

__attribute__((weak)) unsigned int order_from_bytes(size_t bytes)
{
    unsigned int order = 0;

    while (PAGE_SIZE << order < bytes)
        order++;
    return order;
}

__attribute__((weak)) int create_xen_table(lpae_t *entry)
{
    void *table = alloc_xenheap_pages(0);

    memset(table, 0, PAGE_SIZE);
    write_pte(entry, (uintptr_t)table | PTE_XEN_TABLE);
    return 0;
}

__attribute__((weak)) lpae_t *xen_map_table(mfn_t mfn)
{
    return (lpae_t *)(uintptr_t)paddr_x(mfn_to_paddr(mfn));
}

__attribute__((weak)) void xen_unmap_table(const lpae_t *table)
{
    (void)table;
}

__attribute__((weak)) int map_pages_to_xen(vaddr_t va, mfn_t mfn, uint64_t nr, lpae_t flags)
{
    (void)nr;
    for (unsigned int i = 0; i < sizeof(mapped) / sizeof(mapped[0]); i++) {
        if (!mapped[i].pte) {
            mapped[i].va = vaddr_x(va);
            mapped[i].pte = mfn_to_xen_entry(mfn, 0) | PTE_TABLE | flags;
            return 0;
        }
    }
    return -1;
}

__attribute__((weak)) void unmap_page_from_xen(vaddr_t va)
{
    for (unsigned int i = 0; i < sizeof(mapped) / sizeof(mapped[0]); i++) {
        if (mapped[i].va == vaddr_x(va))
            mapped[i].pte = 0;
    }
}

__attribute__((weak)) lpae_t xen_walk(vaddr_t va, unsigned int *level)
{
    *level = PT_LEVEL_LAST;
    for (unsigned int i = 0; i < sizeof(mapped) / sizeof(mapped[0]); i++) {
        if (mapped[i].va == (vaddr_x(va) & ~PAGE_MASK))
            return mapped[i].pte;
    }
    return 0;
}
