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

void setup_ram(const void *fdt)
{
    uint64_t base, size;

    for (unsigned int n = 0; fdt_reg(fdt, "memory", n, &base, &size); n++) {
        if (!bootmem_add(base, size))
            printk("RAM at 0x%lx, 0x%lx bytes: left out\n", base, size);
    }
    if (!nr_ram_banks)
        panic("no RAM in the device tree");
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
    bootmem_reserve(chosen_address(fdt, "linux,initrd-start"),
                    chosen_address(fdt, "linux,initrd-end"));
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
