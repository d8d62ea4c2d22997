/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/main.h"
#include "arch/gic.h"
#include "arch/percpu.h"
#include "arch/psci.h"
#include "arch/smp.h"
#include "arch/timer.h"
#include "core/beacon.h"
#include "core/cmdline.h"
#include "core/console.h"
#include "core/fdt.h"
#include "core/interrupt.h"
#include "core/panic.h"
#include "core/printk.h"
#include "core/system.h"
#include "core/trace.h"
#include "mm/boot_tables.h"
#include "mm/directmap.h"
#include "mm/domain_page.h"
#include "mm/setup.h"
#include "work/work.h"

enum system_state system_state;

/* The device tree, mapped; its UART opened, so that from here on one can print. */
static const void *fdt_open(uint64_t pa)
{
    const void *fdt = boot_fdt_map(_paddr(pa));
    uint64_t uart;

    if (fdt && fdt_check(fdt, BOOT_FDT_VIRT_SIZE - (pa & (SLOT_SIZE - 1))) &&
        fdt_find_uart(fdt, &uart))
        console_init(_paddr(uart));
    psci_init(fdt);
    return fdt;
}

/* A property of /chosen that QEMU fills with random bytes; 0 if it is not there. */
static uint64_t random_seed(const void *fdt)
{
    struct fdt_node chosen;
    uint32_t length;
    const void *seed;

    if (!fdt_find(fdt, "/chosen", &chosen))
        return 0;
    seed = fdt_property(fdt, chosen, "rng-seed", &length);
    return seed && length >= 8 ? fdt_cells(seed, 2) : 0;
}

static void boot_cpu_adopt(void)
{
    uint64_t mpidr = read_sysreg(mpidr_el1) & UINT64_C(0xff00ffffff);

    percpu_init_boot();
    beacon_cpu_init(0, mpidr);
    trace_registers_init(this_cpu(beacon_cpu));
    this_cpu(xen_pgtable) = (lpae_t *)link_va(cpu0_pgtable);
    identity_map_remove(this_cpu(xen_pgtable));
    CHECK((read_sysreg(tcr_el2) & (TCR_HA | TCR_HD)) == 0, "TCR_EL2 0x%lx", read_sysreg(tcr_el2));
}

void hv_main(uint64_t fdt_pa)
{
    const char *arguments;
    const void *fdt;
    unsigned int ncpu;

    boot_cpu_adopt();       /* per-CPU data, no identity map */
    fdt = fdt_open(fdt_pa); /* device tree, console, PSCI */
    arguments = fdt_string(fdt, "/chosen", "bootargs");
    cmdline_parse(arguments ? arguments : "");
    setup_ram(fdt); /* the banks */
    ncpu = smp_count(fdt);
    beacon_publish(ncpu, random_seed(fdt) + timer_now()); /* tools can look from here on */
    printk("hvscope image, engine %s, %u CPU%s\n", mapcache_engine_name, ncpu,
           ncpu == 1 ? "" : "s");
    setup_mm(fdt, fdt_pa); /* RAM, directmap, mapcache, allocators */
    gic_init(fdt);
    gic_cpu_init();
    interrupts_start();
    if (!trace_init_cpu(0))
        panic("no memory for the event ring");
    trace_start();
    beacon_cpu_state(0, BEACON_CPU_ON);
    beacon_set_state(BEACON_MAPCACHE_READY);
    smp_start(fdt, ncpu); /* the other CPUs, up to their work */
    system_state = SYS_ACTIVE;
    printk("%u of %u CPUs up\n", cpus_online(), ncpu);
    work_run();
}

void secondary_main(uint64_t cpu)
{
    trace_registers_init(this_cpu(beacon_cpu));
    trace_cpu_begin();
    identity_map_remove(this_cpu(xen_pgtable));
    CHECK(smp_processor_id() == cpu, "this_cpu(cpu_id) is %u, not %lu", smp_processor_id(), cpu);
    gic_cpu_init();
    interrupts_start();
    beacon_cpu_state((unsigned int)cpu, BEACON_CPU_ON);
    percpu_set_online();
    work_run();
}
