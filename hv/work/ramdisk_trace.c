/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "work/ramdisk_trace.h"
#include "arch/spinlock.h"
#include "core/printk.h"
#include "mm/setup.h"
#include "mm/vmap.h"

const struct xmct *ramdisk_trace(void)
{
    static struct xmct trace;
    static bool tried, found;
    static spinlock_t lock;
    uint64_t irq = spin_lock_irqsave(&lock);

    if (!tried) {
        const void *data = ramdisk.end > ramdisk.start ? vmap_ram(ramdisk) : NULL;

        tried = true;
        found = data && xmct_open(&trace, data, ramdisk.end - ramdisk.start);
        if (!found)
            printk("workload replay: no trace was loaded (QEMU's -initrd FILE): idle\n");
    }
    spin_unlock_irqrestore(&lock, irq);
    return found ? &trace : NULL;
}
