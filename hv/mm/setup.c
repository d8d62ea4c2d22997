/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mm/setup.h"
#include "core/beacon.h"
#include "core/cmdline.h"
#include "core/fdt.h"
#include "core/printk.h"
#include "core/system.h"
#include "mm/boot_tables.h"
#include "mm/bootmem.h"
#include "mm/directmap.h"
#include "mm/domain_page.h"
#include "mm/page_alloc.h"

struct region ramdisk;

static void bank_add(uint64_t start, uint64_t end)
{
    if (!bootmem_add(start, end - start))
        printk("RAM at 0x%lx, 0x%lx bytes: left out\n", start, end - start);
}

/* What the command line leaves of a bank. */
static void bank_add_wanted(uint64_t start, uint64_t end)
{
    for (unsigned int i = 0; i < options.nr_mem; i++) {
        const struct region *r = &options.mem[i];
        uint64_t from = r->start > start ? r->start : start;
        uint64_t to = r->end < end ? r->end : end;

        if (from < to)
            bank_add(from, to);
    }
}

/* Tables of the image are mapped as any others: to the tools its memory is RAM, named or not. */
static void image_bank_add(void)
{
    uint64_t end = image_pa + (uint64_t)(_end - _start);

    for (unsigned int i = 0; i < nr_ram_banks; i++) {
        if (ram_bank[i].base < end && image_pa < ram_bank[i].base + ram_bank[i].size)
            return;
    }
    bank_add(image_pa, end);
}

static void banks_add(const void *fdt)
{
    uint64_t base, size;

    for (unsigned int n = 0; fdt_reg(fdt, "memory", n, &base, &size); n++) {
        if (base + size < base)
            printk("RAM at 0x%lx, 0x%lx bytes: beyond what can be addressed\n", base, size);
        else if (options.nr_mem)
            bank_add_wanted(base, base + size);
        else
            bank_add(base, base + size);
    }
}

void setup_ram(const void *fdt)
{
    banks_add(fdt);
    if (!nr_ram_banks && options.nr_mem) {
        printk("command line: mem= names no RAM that there is: the default stays\n");
        options.nr_mem = 0;
        banks_add(fdt);
    }
    if (!nr_ram_banks)
        panic("no RAM in the device tree");
    image_bank_add();
}

static void banks_print(void)
{
    for (unsigned int i = 0; i < nr_ram_banks; i++)
        printk("RAM 0x%lx-0x%lx, %lu MiB\n", ram_bank[i].base,
               ram_bank[i].base + ram_bank[i].size - 1, ram_bank[i].size >> 20);
}

/* A cell or two of /chosen, such as linux,initrd-start. */
static uint64_t chosen_address(const void *fdt, const char *name)
{
    struct fdt_node chosen;
    uint32_t length;
    const void *value;

    if (!fdt_find(fdt, "/chosen", &chosen))
        return 0;
    value = fdt_property(fdt, chosen, name, &length);
    return value && (length == 4 || length == 8) ? fdt_cells(value, length / 4) : 0;
}

/* What is in RAM already. */
static void reserve(const void *fdt, uint64_t fdt_pa)
{
    uint64_t base, size;

    bootmem_reserve(image_pa, image_pa + (uint64_t)(_end - _start));
    bootmem_reserve(fdt_pa, fdt_pa + fdt_check(fdt, UINT64_MAX));
    ramdisk = (struct region){chosen_address(fdt, "linux,initrd-start"),
                              chosen_address(fdt, "linux,initrd-end")};
    bootmem_reserve(ramdisk.start, ramdisk.end);
    for (unsigned int n = 0; fdt_reserved(fdt, n, &base, &size); n++)
        bootmem_reserve(base, base + size);
}

void setup_mm(const void *fdt, uint64_t fdt_pa)
{
    uint64_t pages;
    mfn_t xenheap;

    banks_print();
    reserve(fdt, fdt_pa);
    xenheap = xenheap_carve(&pages);
    if (mfn_x(xenheap) == mfn_x(INVALID_MFN))
        panic("no %lu MiB of contiguous RAM for the xenheap", pages >> 8);
    directmap_init(options.directmap, xenheap, pages);
    xenheap_init(xenheap, pages);
    frametable_init();
    if (!init_domheap_mappings(smp_processor_id()))
        panic("no memory for the domheap's tables");
    system_state = SYS_MAPCACHE;
    domheap_init();
    system_state = SYS_HEAP;
    beacon_heap(xenheap, pages, options.directmap);
    printk("xenheap %lu MiB at 0x%lx, domheap %lu MiB, directmap %s\n", pages >> 8,
           paddr_x(mfn_to_paddr(xenheap)), domheap_total_pages() >> 8,
           options.directmap ? "on" : "off");
}
