/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/beacon.h"
#include "core/string.h"
#include "mm/boot_tables.h"
#include "mm/bootmem.h"
#include "mm/domain_page.h"

/* In the file, all zero: loading the image takes an earlier beacon away. */
struct beacon_area beacon_area __attribute__((aligned(4096), section(".data.beacon"))) = {0};

/* Survives a reset, so that two boots of one machine never have the same id. */
static uint64_t last_boot_id __attribute__((section(".noinit")));

DEFINE_PER_CPU(struct beacon_cpu *, beacon_cpu);

extern const uint8_t _build_id[], _build_id_end[];

void beacon_cpu_init(unsigned int cpu, uint64_t mpidr)
{
    per_cpu(beacon_cpu, cpu) = &beacon_area.cpu[cpu].block;
    per_cpu(beacon_cpu, cpu)->mpidr = mpidr;
}

static void layout_fill(struct beacon *b)
{
    b->domheap_va = DOMHEAP_VIRT_START;
    b->domheap_size = DOMHEAP_VIRT_SIZE;
    b->domheap_entries = DOMHEAP_ENTRIES;
    b->root_level = 0;
    b->l0_index = DOMHEAP_L0_INDEX;
    b->slot_attr = PTE_XEN_BLOCK & SLOT_ATTR_MASK;
    b->directmap_va = DIRECTMAP_VIRT_START;
    b->cpu_offset = offsetof(struct beacon_area, cpu);
    b->cpu_stride = BEACON_CPU_STRIDE;
}

/* The id is the last bytes of the note, behind its header and the name "GNU". */
static void build_id_fill(struct beacon *b)
{
    b->build_id_size = BEACON_BUILD_ID_MAX;
    memcpy(b->build_id, _build_id + 16, BEACON_BUILD_ID_MAX);
}

void beacon_publish(unsigned int ncpu, uint64_t seed)
{
    struct beacon *b = &beacon_area.page;

    /* Odd multiples spread the seed; adding the last id keeps two boots apart. */
    last_boot_id = (last_boot_id + 1) ^ seed * UINT64_C(0x9e3779b97f4a7c15);
    b->version = BEACON_VERSION;
    b->size = sizeof(*b);
    b->boot_id = last_boot_id;
    b->exit_status = BEACON_EXIT_NONE;
    b->engine = mapcache_engine;
    b->ncpu = ncpu;
    b->image_pa = image_pa;
    b->image_va = XEN_VIRT_START;
    b->image_size = (uint64_t)(_end - _start);
    b->cntfrq = read_sysreg(cntfrq_el0);
    b->tcr = read_sysreg(tcr_el2);
    b->bbm_level = ID_AA64MMFR2_BBM(read_sysreg(id_aa64mmfr2_el1));
    b->mmfr0 = read_sysreg(id_aa64mmfr0_el1);
    b->mmfr1 = read_sysreg(id_aa64mmfr1_el1);
    memcpy(b->bank, ram_bank, sizeof(ram_bank));
    b->nr_banks = nr_ram_banks;
    layout_fill(b);
    build_id_fill(b);
    b->state = BEACON_MMU_ON;
    __atomic_store_n(&b->magic, BEACON_MAGIC, __ATOMIC_RELEASE);
}

void beacon_set_state(enum beacon_state state)
{
    __atomic_store_n(&beacon_area.page.state, state, __ATOMIC_RELEASE);
}

void beacon_cpu_state(unsigned int cpu, enum beacon_cpu_state state)
{
    __atomic_store_n(&beacon_area.cpu[cpu].block.state, state, __ATOMIC_RELEASE);
}

void beacon_heap(mfn_t xenheap, uint64_t xenheap_pages, bool directmap)
{
    struct beacon *b = &beacon_area.page;

    b->directmap = directmap;
    b->xenheap_pa = paddr_x(mfn_to_paddr(xenheap));
    b->xenheap_size = xenheap_pages << PAGE_SHIFT;
}

void beacon_cpu_tables(unsigned int cpu, const lpae_t *root, paddr_t l1, const lpae_t *slots)
{
    struct beacon_cpu *c = per_cpu(beacon_cpu, cpu);

    c->root = paddr_x(virt_to_paddr(root));
    c->l1 = paddr_x(l1);
    for (unsigned int i = 0; i < DOMHEAP_SECOND_PAGES; i++)
        c->l2[i] = paddr_x(virt_to_paddr(slots)) + i * PAGE_SIZE;
}

void beacon_guest_begin(void)
{
    struct beacon_guest *g = &this_cpu(beacon_cpu)->guest;

    __atomic_store_n(&g->generation, g->generation + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

void beacon_guest_end(void)
{
    struct beacon_guest *g = &this_cpu(beacon_cpu)->guest;

    g->hcr = read_sysreg(hcr_el2);
    g->vtcr = read_sysreg(vtcr_el2);
    g->vttbr = read_sysreg(vttbr_el2);
    g->sctlr = read_sysreg(sctlr_el1);
    g->tcr = read_sysreg(tcr_el1);
    g->ttbr[0] = read_sysreg(ttbr0_el1);
    g->ttbr[1] = read_sysreg(ttbr1_el1);
    g->mair = read_sysreg(mair_el1);
    __atomic_store_n(&g->generation, g->generation + 1, __ATOMIC_RELEASE);
}

void beacon_panic(const char *message)
{
    struct beacon *b = &beacon_area.page;
    size_t n = strlen(message);

    if (n > sizeof(b->message) - 1)
        n = sizeof(b->message) - 1;
    memcpy(b->message, message, n);
    beacon_set_state(BEACON_PANICKED);
}

void beacon_exit(uint32_t status)
{
    beacon_area.page.exit_status = status;
    if (beacon_area.page.state != BEACON_PANICKED)
        beacon_set_state(BEACON_OFF);
    dsb_sy();
}
