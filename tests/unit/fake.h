/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine to run the image's memory code on, in a host program.
 *
 * Frames that the code itself reaches (tables) are host memory, identity
 * mapped: their PA is their address. Frames that tests map are numbers only.
 * The TLB keeps what it was asked for until it is flushed, per CPU and 2 MiB
 * block, so a missing invalidation is seen as the frame that used to be there.
 */
#ifndef TESTS_UNIT_FAKE_H
#define TESTS_UNIT_FAKE_H

#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>

extern unsigned int fake_cpu; /* the CPU that runs */

/* An empty machine: no tables, no TLB entries, no interrupt. */
void fake_reset(void);

/* Give a CPU its root and its mapcache. */
void fake_cpu_start(unsigned int cpu);

/*
 * What was done, a character each: s dsb sy, w dsb nshst, n dsb nsh, i dsb ish,
 * I isb, T tlbi of an EL2 address, R of a range of them, A of all, P of an IPA, V of a VMID's stage
 * 1, G of all of a VMID.
 */
extern char fake_notes[64];
void fake_note(char what);
void fake_notes_clear(void);

/* The frame that an access to va reaches on this CPU, through the TLB. */
uint64_t fake_translate(uint64_t va);
void fake_tlb_flush(uint64_t va);
void fake_tlb_flush_range(uint64_t va, unsigned int scale, unsigned int num, unsigned int level);
void fake_tlb_flush_all(void);
extern bool fake_tlb_has_range;

/* Interrupts: a handler that runs as soon as they are not masked. */
extern void (*fake_irq_handler)(void);
uint64_t fake_irq_mask(void);
void fake_irq_restore(uint64_t flags);
bool fake_irq_masked(void);

uint64_t fake_counter(void);

/* Everything printed since fake_reset(). */
extern char fake_console[16384];

/* The message of the last panic. */
extern char fake_panic_message[512];
extern jmp_buf fake_panic_jump;
extern bool fake_panic_expected;

/* Does this statement panic? Its message is in fake_panic_message. */
#define panics(statement)                                                                          \
    (fake_panic_expected = true, setjmp(fake_panic_jump) ? true : ((statement), false))

#endif /* TESTS_UNIT_FAKE_H */
