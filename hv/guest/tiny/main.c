/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest: two vCPUs with their MMU on that ask the hypervisor for all it
 * offers, and check that what it read and wrote was their own memory.
 */
#include "guest/abi.h"
#include <stdint.h>

#define PAGE           4096
#define WORDS          (PAGE / 8)
#define VCPU_PAGES     64 /* each vCPU works in its own */
#define FIRST_WORK     64 /* page of vCPU 0's; image, tables and stacks are below */
#define GRANT_MAGIC    0x6772616e74ull
#define MISBEHAVE_AT   3 /* round */
#define CONSOLE_ROUNDS 4096

#define DESC_TABLE 3ull
#define DESC_PAGE  (3ull | 1ull << 10 | 3ull << 8) /* AF, inner shareable, attribute 0 */

/* T0SZ 25, write-back, inner shareable, no TTBR1 walks, 40-bit IPA. */
const uint64_t tcr_value = 25 | 1ull << 8 | 1ull << 10 | 3ull << 12 | 1ull << 23 | 2ull << 32;

uint64_t level1[WORDS] __attribute__((aligned(PAGE)));
static uint64_t level2[WORDS] __attribute__((aligned(PAGE)));
static uint64_t level3[WORDS] __attribute__((aligned(PAGE)));
char stacks[GUEST_VCPUS][PAGE] __attribute__((aligned(PAGE)));
volatile uint64_t tables_ready;

void tables_make(void);
_Noreturn void guest_main(enum guest_mode mode, unsigned int vcpu);

/* MMU off: symbols are where the image is loaded. RAM is at GUEST_RAM_IPA and at GUEST_VA. */
void tables_make(void)
{
    for (unsigned int i = 0; i < GUEST_RAM_PAGES; i++)
        level3[i] = (GUEST_RAM_IPA + (uint64_t)i * PAGE) | DESC_PAGE;
    level2[0] = (uintptr_t)level3 | DESC_TABLE;
    level1[GUEST_RAM_IPA >> 30] = (uintptr_t)level2 | DESC_TABLE;
    level1[GUEST_VA >> 30] = (uintptr_t)level2 | DESC_TABLE;
    tables_ready = 1;
    asm volatile("dsb ish; isb" : : : "memory");
}

static uint64_t call(enum hypercall number, uint64_t a, uint64_t b, uint64_t c)
{
    register uint64_t x0 asm("x0") = number;
    register uint64_t x1 asm("x1") = a;
    register uint64_t x2 asm("x2") = b;
    register uint64_t x3 asm("x3") = c;

    asm volatile("hvc #0" : "+r"(x0) : "r"(x1), "r"(x2), "r"(x3) : "memory");
    return x0;
}

static void expect(unsigned int what, uint64_t expected, uint64_t seen)
{
    if (expected != seen)
        call(HC_FAIL, what, expected, seen);
}

/* Page n of this vCPU's. */
static uint64_t *page_of(unsigned int vcpu, unsigned int n)
{
    return (uint64_t *)(GUEST_VA + (uint64_t)(FIRST_WORK + vcpu * VCPU_PAGES + n) * PAGE);
}

static uint64_t ipa_of(const void *va)
{
    return (uintptr_t)va - GUEST_VA + GUEST_RAM_IPA;
}

/* The hypervisor reads what we wrote: across a page boundary too. */
static void test_checksum(unsigned int vcpu, uint64_t round)
{
    uint64_t *p = page_of(vcpu, round % 16) + round % WORDS, sum = 0;

    for (unsigned int i = 0; i < WORDS; i++) {
        p[i] = (round + 1) * 0x9e3779b97f4a7c15ull * (i + vcpu + 1);
        sum += p[i];
    }
    expect(1, sum, call(HC_CHECKSUM, (uintptr_t)p, PAGE, 0));
}

/* We read what the hypervisor wrote, and nothing beside it. */
static void test_fill(unsigned int vcpu, uint64_t round)
{
    uint64_t *p = page_of(vcpu, 20 + round % 8) + round % 256;

    p[-1] = p[WORDS] = round;
    call(HC_FILL, (uintptr_t)p, PAGE, round << 32);
    for (unsigned int i = 0; i < WORDS; i++)
        expect(2, (round << 32) + i, p[i]);
    expect(3, round, p[-1]);
    expect(4, round, p[WORDS]);
}

static void grant_make(unsigned int vcpu)
{
    uint64_t *p = page_of(vcpu, 40);

    for (unsigned int i = 0; i < WORDS; i++)
        p[i] = GRANT_MAGIC + i * (vcpu + 1);
    call(HC_GRANT, vcpu, (uintptr_t)p, 0);
}

/* Another domain's granted page is the same as ours. */
static void test_grant(unsigned int vcpu)
{
    uint64_t *p = page_of(vcpu, 41);

    if (!call(HC_COPY_GRANT, (uintptr_t)p, vcpu, 0))
        return;
    for (unsigned int i = 0; i < WORDS; i++)
        expect(5, GRANT_MAGIC + i * (vcpu + 1), p[i]);
}

/* A page that comes back is empty, whoever had it meanwhile. */
static void test_balloon(unsigned int vcpu, uint64_t round)
{
    uint64_t *p = page_of(vcpu, 44 + round % 16);

    p[0] = p[WORDS - 1] = round + 1;
    expect(6, 1, call(HC_BALLOON_OUT, ipa_of(p), 0, 0));
    while (!call(HC_BALLOON_IN, ipa_of(p), 0, 0))
        call(HC_YIELD, 0, 0, 0);
    for (unsigned int i = 0; i < WORDS; i++)
        expect(7, 0, p[i]);
}

static void console_number(const char *text, uint64_t number)
{
    char line[40];
    unsigned int n = 0, digits = 1;

    for (; text[n]; n++)
        line[n] = text[n];
    for (uint64_t rest = number; rest >= 10; rest /= 10)
        digits++;
    for (unsigned int i = digits; i--; number /= 10)
        line[n + i] = (char)('0' + number % 10);
    call(HC_CONSOLE, (uintptr_t)line, n + digits, 0);
}

static void misbehave(enum guest_mode mode)
{
    switch (mode) {
    case GUEST_BAD_POINTER:
        call(HC_CHECKSUM, 0x123456789000, PAGE, 0);
        break;
    case GUEST_BAD_HYPERCALL:
        call(HC_NR + 1000, 0, 0, 0);
        break;
    case GUEST_STAGE2_FAULT:
        level3[GUEST_RAM_PAGES] = (GUEST_RAM_IPA + 0x10000000ull) | DESC_PAGE;
        asm volatile("dsb ish; isb" : : : "memory");
        *(volatile char *)(GUEST_VA + (uint64_t)GUEST_RAM_PAGES * PAGE) = 1;
        break;
    case GUEST_ENDLESS_LOOP:
        for (;;)
            asm volatile("" : : : "memory");
    case GUEST_FLOOD:
        for (;;)
            console_number("flood ", GUEST_FLOOD);
    default:
        break;
    }
}

void guest_main(enum guest_mode mode, unsigned int vcpu)
{
    grant_make(vcpu);
    for (uint64_t round = 0;; round++) {
        test_checksum(vcpu, round);
        test_fill(vcpu, round);
        test_grant(vcpu);
        test_balloon(vcpu, round);
        call(HC_PASS, 0, 0, 0);
        if (round % CONSOLE_ROUNDS == CONSOLE_ROUNDS - 1)
            console_number("rounds: ", round + 1);
        if (vcpu == 0 && round == MISBEHAVE_AT)
            misbehave(mode);
    }
}
