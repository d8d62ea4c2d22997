/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/panic.h"
#include "arch/irq.h"
#include "arch/percpu.h"
#include "arch/psci.h"
#include "core/beacon.h"
#include "core/printk.h"
#include "core/trace_all.h"

#define MESSAGE_MAX   400
#define BACKTRACE_MAX 16

static uint32_t panicking;

/* The first CPU to get here reports; the machine is off before another needs to. */
void panic_begin(void)
{
    uint32_t me = smp_processor_id() + 1, first = 0;

    local_irq_save();
    if (!__atomic_compare_exchange_n(&panicking, &first, me, false, __ATOMIC_ACQ_REL,
                                     __ATOMIC_ACQUIRE) &&
        first != me) {
        for (;;)
            asm volatile("wfi");
    }
    console_force();
}

/* Return addresses, by the frame records that x29 chains (AAPCS64). */
static void backtrace_print(void)
{
    const uint64_t *frame = __builtin_frame_address(0);

    printk("backtrace:");
    for (unsigned int i = 0; i < BACKTRACE_MAX && frame && frame[1]; i++) {
        printk(" 0x%lx", frame[1]);
        if (frame[0] <= (uintptr_t)frame || frame[0] - (uintptr_t)frame > 65536 || frame[0] & 15)
            break;
        frame = (const uint64_t *)frame[0];
    }
    printk("\n");
}

void panic(const char *format, ...)
{
    char message[MESSAGE_MAX];
    va_list args;

    panic_begin();
    va_start(args, format);
    vsnprintk(message, sizeof(message), format, args);
    va_end(args);
    printk("PANIC on CPU%u: %s\n", smp_processor_id(), message);
    backtrace_print();
    trace_text(TRACE_TEXT_PANIC, message);
    beacon_panic(message);
    machine_off(BEACON_EXIT_PANIC);
}

void machine_off(uint32_t exit_status)
{
    beacon_exit(exit_status);
    psci_system_off();
}
