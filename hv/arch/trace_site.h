/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the choke points are recorded, at no cost while nothing is.
 *
 * A site is one instruction that does nothing: a NOP, or a branch over what
 * follows. At boot trace_sites_enable() replaces it, if the command line asks for
 * records, before the other CPUs run. Two registers are kept out of the
 * compiler's hands (hv.mk), so that a barrier is recorded by two instructions, one
 * of which does it: an interrupt comes before or after.
 */
#ifndef HV_ARCH_TRACE_SITE_H
#define HV_ARCH_TRACE_SITE_H

#include "arch/sysreg.h"
#include <hvscope/beacon.h>
#include <hvscope/trace.h>
#include <stdbool.h>

/* This CPU's block, from hv_main() or secondary_main() on. */
register struct beacon_cpu *trace_cpu asm("x27");

/*
 * The barrier word that the next record carries. With check=on it is
 * TRACE_WORD_CHECK: one code more, and it is full.
 */
register uint64_t trace_word asm("x28");

#define TRACE_WORD_CHECK                                                                           \
    ((uint64_t)TRACE_BARRIER_MARK << (TRACE_BARRIERS_MAX - 1) * TRACE_BARRIER_BITS)

/* The choke points: where a record says that it was made is then where they are used. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* When a site is replaced. */
#define TRACE_SITE_API   0 /* trace=api, trace=all */
#define TRACE_SITE_ALL   1 /* trace=all, check=on */
#define TRACE_SITE_CHECK 2 /* check=on */

/* One site: PC-relative addresses, and an instruction unless it is to be a branch to target. */
struct trace_site {
    int32_t at;
    int32_t target;
    uint32_t instruction;
    uint32_t class;
};

#define TRACE_SITE_ENTRY(class, target, instruction)                                               \
    ".pushsection .trace_sites, \"a\"\n"                                                           \
    ".long 1b - ., " target ", " instruction ", " class "\n"                                       \
                                                        ".popsection\n"

/* Is what this class stands for asked for? One NOP, or one branch. */
#define trace_site(class)                                                                          \
    ({                                                                                             \
        __label__ on_, out_;                                                                       \
        bool is_ = false;                                                                          \
        asm goto("1: nop\n" TRACE_SITE_ENTRY("%c0", "%l[on_] - .", "0") : : "i"(class) : : on_);   \
        goto out_;                                                                                 \
    on_:                                                                                           \
        is_ = true;                                                                                \
    out_:                                                                                          \
        is_;                                                                                       \
    })

/*
 * A barrier, then its code into the word: MOV, ADDS, and a branch that is taken
 * when the word is full. The MOV is a branch past all three while nobody asks.
 */
#define TRACE_BARRIER(barrier, code)                                                               \
    asm volatile(barrier "\n"                                                                      \
                         "1: b 3f\n"                                                               \
                         "adds x28, x16, x28, lsl #4\n"                                            \
                         "b.mi 2f\n"                                                               \
                         ".subsection 1\n"                                                         \
                         "2: stp x29, x30, [sp, #-16]!\n"                                          \
                         "bl trace_word_full\n"                                                    \
                         "ldp x29, x30, [sp], #16\n"                                               \
                         "b 3f\n"                                                                  \
                         ".previous\n"                                                             \
                         "3:\n" TRACE_SITE_ENTRY("1", "0", "0x52800010 | (%c0 << 5)")              \
                 :                                                                                 \
                 : "i"(code)                                                                       \
                 : "memory", "cc", "x16")

/*
 * Did an interrupt that returns to pc, in this image, come behind a site's barrier, and
 * before its code was in the word? Then the code, and pc is moved behind the site; else
 * TRACE_CODE_NONE.
 */
unsigned int trace_site_finish(uint64_t *pc);
#define TRACE_CODE_NONE 16

/* Set the two registers of the CPU that calls: its block, and an empty word. */
static inline void trace_registers_init(struct beacon_cpu *c)
{
    trace_cpu = c;
    trace_word = TRACE_BARRIERS_NONE;
}

/* Word 0 of a record: now, with its kind and more in one number, kind | more << 4. */
static inline uint64_t trace_stamp(unsigned int kind_more)
{
    uint64_t stamp;

    if (__builtin_constant_p(kind_more))
        asm volatile("mrs %0, cntpct_el0\n movk %0, %1, lsl #48" : "=r"(stamp) : "i"(kind_more));
    else
        asm volatile("mrs %0, cntpct_el0\n bfi %0, %x1, #48, #16" : "=&r"(stamp) : "r"(kind_more));
    return stamp;
}

/* Replace the sites of these classes (a bit each). One CPU runs, maps can be made. */
void trace_sites_enable(unsigned int classes);

#endif /* HV_ARCH_TRACE_SITE_H */
