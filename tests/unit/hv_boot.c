/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What memory is before there are allocators: the tables that the image is built with, the pmap,
 * and the RAM of the device tree. The files are included, on an image of this program's own.
 */
#define _start   image_start
#define _srodata image_srodata
#define _sdata   image_sdata
#define _end     image_end
#include "arch/early.h"
#include "arch/sysreg.h"
#include "mm/boot_tables.c"
#include "mm/bootmem.c"
#include "mm/mapcache_clear.c"
#include "mm/pmap.c"
#include "mm/setup.c"
#undef read_sysreg
#define read_sysreg(name) walk_root
#define pmap_map(mfn)     table_at(mfn)
#define pmap_unmap(p)     ((void)(p))
static uint64_t walk_root;
static lpae_t *table_at(mfn_t mfn);
#include "mm/walk_print.c"
#undef pmap_map
#undef pmap_unmap

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* 3 pages of code, 2 of constants, 3 of data. */
char image_start[8 * 4096] __attribute__((aligned(2 << 20)));
__asm__(".globl image_srodata\n.set image_srodata, image_start + 0x3000\n"
        ".globl image_sdata\n.set image_sdata, image_start + 0x5000\n"
        ".globl image_end\n.set image_end, image_start + 0x8000\n");

enum system_state system_state;
uint64_t early_fdt;

static struct {
    uint64_t base, size;
} memory[4];
static unsigned int nr_memory;
static uint64_t initrd[2]; /* as the device tree has it: big-endian */
static bool no_domheap_tables, no_xenheap;
static unsigned int clears;

void early_fail(const char *why)
{
    panic("%s", why);
}

/* The device tree. */

bool fdt_reg(const void *fdt, const char *device_type, unsigned int n, uint64_t *base,
             uint64_t *size)
{
    (void)fdt;
    assert_string_equal(device_type, "memory");
    if (n >= nr_memory)
        return false;
    *base = memory[n].base;
    *size = memory[n].size;
    return true;
}

bool fdt_find(const void *fdt, const char *path, struct fdt_node *node)
{
    (void)fdt;
    *node = (struct fdt_node){0};
    return strcmp(path, "/chosen") == 0 && initrd[1];
}

const void *fdt_property(const void *fdt, struct fdt_node node, const char *name, uint32_t *length)
{
    (void)fdt;
    (void)node;
    *length = 8;
    return strcmp(name, "linux,initrd-end") == 0 ? &initrd[1] : &initrd[0];
}

uint64_t fdt_cells(const void *p, uint32_t cells)
{
    assert_int_equal(cells, 2);
    return __builtin_bswap64(*(const uint64_t *)p);
}

uint64_t fdt_check(const void *fdt, uint64_t max)
{
    (void)fdt;
    (void)max;
    return 0x3000;
}

bool fdt_reserved(const void *fdt, unsigned int n, uint64_t *base, uint64_t *size)
{
    (void)fdt;
    *base = 0x60000000;
    *size = 0x1000;
    return n == 0;
}

/* The allocators. */

mfn_t xenheap_carve(uint64_t *nr)
{
    *nr = 4096;
    return no_xenheap ? INVALID_MFN : alloc_boot_pages(*nr, 512);
}

void directmap_init(bool on, mfn_t xenheap, uint64_t nr)
{
    assert_false(on);
    assert_true(mfn_x(xenheap) && nr == 4096);
}

void xenheap_init(mfn_t first, uint64_t nr)
{
    assert_true(mfn_x(first) && nr == 4096);
}

void frametable_init(void)
{
}

bool init_domheap_mappings(unsigned int cpu)
{
    return cpu == 0 && !no_domheap_tables;
}

void domheap_init(void)
{
    assert_int_equal(system_state, SYS_MAPCACHE);
}

uint64_t domheap_total_pages(void)
{
    return 0x1000;
}

void beacon_heap(mfn_t xenheap, uint64_t xenheap_pages, bool directmap)
{
    (void)xenheap;
    (void)xenheap_pages;
    (void)directmap;
}

void mapcache_engine_init(unsigned int cpu)
{
    (void)cpu;
    clears++;
}

static lpae_t *table_at(mfn_t mfn)
{
    return (lpae_t *)(uintptr_t)paddr_x(mfn_to_paddr(mfn));
}

static int setup(void **state)
{
    (void)state;
    fake_reset();
    nr_regions = nr_ram_banks = nr_memory = options.nr_mem = 0;
    no_domheap_tables = no_xenheap = false;
    initrd[0] = initrd[1] = 0;
    system_state = SYS_EARLY;
    memset(xen_fixmap, 0, sizeof(xen_fixmap));
    image_pa = (uintptr_t)image_start;
    return 0;
}

static lpae_t image_entry(unsigned int page)
{
    return xen_third[0][pt_index(XEN_VIRT_START, 3) + page];
}

/* Code is read-only and executable, constants neither, data writable: W^X. */
static void test_image_is_mapped(void **state)
{
    (void)state;
    assert_int_equal(boot_tables_make(), (uintptr_t)cpu0_pgtable);
    for (unsigned int page = 0; page < 8; page++) {
        lpae_t pte = image_entry(page);

        assert_int_equal(paddr_x(pte_paddr(pte)), (uintptr_t)image_start + page * PAGE_SIZE);
        assert_true(pte_is_leaf(pte, 3));
        assert_int_equal(!(pte & PTE_XN), page < 3);
        assert_int_equal((pte & PTE_RO) == PTE_RO, page < 5);
    }
    assert_int_equal(image_entry(8), 0);
    assert_int_equal(paddr_x(pte_paddr(cpu0_pgtable[20])), (uintptr_t)xen_first);
    assert_string_equal(fake_notes, "s");
}

/* By the naive walk: the address of the image is itself until the map is taken out. */
static void test_identity_map(void **state)
{
    uint64_t pa = (uintptr_t)image_start;

    (void)state;
    boot_tables_make();
    walk_root = (uintptr_t)cpu0_pgtable | 1;
    walk_print(pa);
    assert_non_null(strstr(fake_console, "level 2"));
    assert_non_null(strstr(fake_console, "leaf"));
    fake_notes_clear();
    identity_map_remove(cpu0_pgtable);
    assert_int_equal(cpu0_pgtable[pt_index(pa, 0)], 0);
    assert_string_equal(fake_notes, "ssAnI");
    identity_map_insert(cpu0_pgtable);
    assert_int_equal(cpu0_pgtable[pt_index(pa, 0)], (uintptr_t)identity_first | PTE_XEN_TABLE);
    identity_map_remove(cpu0_pgtable);
    fake_console[0] = '\0';
    walk_print(pa);
    assert_non_null(strstr(fake_console, "invalid"));
    assert_null(strstr(fake_console, "level 1"));
}

static void test_no_device_tree(void **state)
{
    (void)state;
    assert_null(boot_fdt_map(_paddr(0x48000004)));
    assert_null(boot_fdt_map(_paddr(UINT64_C(1) << 60)));
}

static void test_device_tree_is_mapped(void **state)
{
    lpae_t *entry = &xen_second[pt_index(BOOT_FDT_VIRT_START, 2)];

    (void)state;
    assert_int_equal((uintptr_t)boot_fdt_map(_paddr(0x48001238)), BOOT_FDT_VIRT_START + 0x1238);
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(paddr_x(pte_paddr(entry[i])), 0x48000000 + i * SLOT_SIZE);
        assert_true(pte_is_leaf(entry[i], 2) && (entry[i] & PTE_XN));
        assert_int_equal(entry[i] & PTE_RO, PTE_RO);
    }
}

/* Eight maps at a time; an entry is invalid and flushed before it is used again. */
static void test_pmap(void **state)
{
    void *p[NUM_FIX_PMAP];

    (void)state;
    for (unsigned int i = 0; i < NUM_FIX_PMAP; i++) {
        p[i] = pmap_map(_mfn(0x84800 + i));
        assert_ptr_equal(p[i], FIXMAP_ADDR(FIX_PMAP + i));
        assert_int_equal(mfn_x(pte_mfn(xen_fixmap[FIX_PMAP + i])), 0x84800 + i);
    }
    assert_true(panics(pmap_map(_mfn(1))));
    assert_non_null(strstr(fake_panic_message, "8 maps open"));
    fake_notes_clear();
    pmap_unmap(p[3]);
    assert_string_equal(fake_notes, "ssTnI");
    assert_ptr_equal(pmap_map(_mfn(7)), p[3]);
    pmap_unmap(p[3]);
    assert_true(panics(pmap_unmap(p[3])));
    assert_true(panics(pmap_unmap(FIXMAP_ADDR(FIX_CONSOLE))));
    assert_non_null(strstr(fake_panic_message, "is no pmap map"));
    assert_ptr_equal(fixmap_map_device(FIX_CONSOLE, _paddr(0x9000018)),
                     (char *)FIXMAP_ADDR(FIX_CONSOLE) + 0x18);
    assert_int_equal(xen_fixmap[FIX_CONSOLE] & (7 << 2), MAIR_DEVICE_nGnRE << 2);
}

static void test_clear(void **state)
{
    static lpae_t slots[DOMHEAP_ENTRIES];

    (void)state;
    memset(slots, 0xff, sizeof(slots));
    per_cpu(xen_dommap, 0) = slots;
    fake_notes_clear();
    mapcache_clear();
    for (unsigned int i = 0; i < DOMHEAP_ENTRIES; i++)
        assert_int_equal(slots[i], 0);
    assert_string_equal(fake_notes, "wAnI");
    assert_int_equal(clears, 1);
}

static void add_memory(uint64_t base, uint64_t size)
{
    memory[nr_memory].base = base;
    memory[nr_memory++].size = size;
}

static void test_banks(void **state)
{
    (void)state;
    add_memory(0x40000000, 0x40000000);
    add_memory(0x80000000, 0x800);            /* no whole page */
    add_memory(UINT64_MAX - 0xffff, 0x20000); /* round the end */
    setup_ram(NULL);
    assert_int_equal(nr_ram_banks, 2); /* RAM, and the image, which lies elsewhere */
    assert_non_null(strstr(fake_console, "RAM at 0x80000000, 0x800 bytes: left out"));
    assert_non_null(strstr(fake_console, "beyond what can be addressed"));
}

/* mem= takes its part of each bank; of none, and it is not heeded. */
static void test_wanted(void **state)
{
    (void)state;
    image_pa = 0x40200000;
    add_memory(0x40000000, 0x40000000);
    options.nr_mem = 2;
    options.mem[0] = (struct region){0x50000000, 0x90000000};
    options.mem[1] = (struct region){0x30000000, 0x40300000};
    setup_ram(NULL);
    assert_int_equal(nr_ram_banks, 2);
    assert_int_equal(ram_bank[0].base, 0x40000000);
    assert_int_equal(ram_bank[0].size, 0x300000);
    assert_int_equal(ram_bank[1].base, 0x50000000);
    assert_int_equal(ram_bank[1].size, 0x30000000);
    setup(state);
    add_memory(0x40000000, 0x40000000);
    options.nr_mem = 1;
    options.mem[0] = (struct region){0x90000000, 0xa0000000};
    setup_ram(NULL);
    assert_non_null(strstr(fake_console, "names no RAM that there is"));
    assert_int_equal(options.nr_mem, 0);
    setup(state);
    assert_true(panics(setup_ram(NULL)));
    assert_string_equal(fake_panic_message, "no RAM in the device tree");
}

/* Is the page at pa free? */
static bool is_free(uint64_t pa)
{
    struct region r;

    for (unsigned int n = 0; bootmem_region(n, &r); n++) {
        if (pa >= r.start && pa < r.end)
            return true;
    }
    return false;
}

/* The image, the device tree, the ramdisk and what is reserved are not given out. */
static void test_memory_is_set_up(void **state)
{
    (void)state;
    image_pa = 0x40200000;
    initrd[0] = __builtin_bswap64(0x48100000);
    initrd[1] = __builtin_bswap64(0x48200001);
    add_memory(0x40000000, 0x40000000);
    setup_ram(NULL);
    setup_mm(NULL, 0x48000000);
    assert_int_equal(system_state, SYS_HEAP);
    assert_false(is_free(0x40200000) || is_free(0x40207000));
    assert_false(is_free(0x48000000) || is_free(0x48002000));
    assert_false(is_free(0x48100000) || is_free(0x48200000));
    assert_false(is_free(0x60000000));
    assert_true(is_free(0x48003000) && is_free(0x48201000) && is_free(0x60001000));
    assert_non_null(strstr(fake_console, "xenheap 16 MiB at 0x"));
    assert_non_null(strstr(fake_console, "directmap off"));
}

static void test_memory_is_short(void **state)
{
    (void)state;
    image_pa = 0x40200000;
    add_memory(0x40000000, 0x40000000);
    setup_ram(NULL);
    no_domheap_tables = true;
    assert_true(panics(setup_mm(NULL, 0x48000000)));
    assert_string_equal(fake_panic_message, "no memory for the domheap's tables");
    no_xenheap = true;
    assert_true(panics(setup_mm(NULL, 0x48000000)));
    assert_string_equal(fake_panic_message, "no 16 MiB of contiguous RAM for the xenheap");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_image_is_mapped, setup),
        cmocka_unit_test_setup(test_identity_map, setup),
        cmocka_unit_test_setup(test_no_device_tree, setup),
        cmocka_unit_test_setup(test_device_tree_is_mapped, setup),
        cmocka_unit_test_setup(test_pmap, setup),
        cmocka_unit_test_setup(test_clear, setup),
        cmocka_unit_test_setup(test_banks, setup),
        cmocka_unit_test_setup(test_wanted, setup),
        cmocka_unit_test_setup(test_memory_is_set_up, setup),
        cmocka_unit_test_setup(test_memory_is_short, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
