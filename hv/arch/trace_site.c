/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/trace_site.h"
#include "arch/cache.h"
#include "mm/domain_page.h"
#include "mm/pgtable.h"

#define INSTRUCTION_B UINT32_C(0x14000000)
#define B_OFFSET_MASK UINT32_C(0x03ffffff)

/* TRACE_BARRIER's MOV w16 and ADDS; behind these is one more. */
#define INSTRUCTION_MOV  UINT32_C(0x52800010)
#define MOV_VALUE_SHIFT  5
#define INSTRUCTION_ADDS UINT32_C(0xab1c121c)
#define BARRIER_LENGTH   3

extern const struct trace_site _trace_sites[], _trace_sites_end[];

static const char *relative(const int32_t *field)
{
    return (const char *)field + *field;
}

static uint32_t branch(const char *from, const char *to)
{
    return INSTRUCTION_B | ((uint32_t)((to - from) >> 2) & B_OFFSET_MASK);
}

/* The text is read-only where it runs, so it is written through a map of its frame. */
static void site_write(const char *at, uint32_t instruction)
{
    char *page = map_domain_page(virt_to_mfn(at));
    uint32_t *there = (uint32_t *)(page + ((uintptr_t)at & PAGE_MASK));

    *(volatile uint32_t *)there = instruction;
    dcache_clean(there, sizeof(*there)); /* to memory: another CPU starts without caches */
    unmap_domain_page(page);
}

/* Each word is a NOP, a B or a MOV that no other CPU executes yet (Arm ARM B2.2.5). */
void trace_sites_enable(unsigned int classes)
{
    for (const struct trace_site *s = _trace_sites; s < _trace_sites_end; s++) {
        const char *at = relative(&s->at);

        if (classes >> s->class & 1)
            site_write(at, s->target ? branch(at, relative(&s->target)) : s->instruction);
    }
    asm volatile("ic iallu" : : : "memory");
    dsb_nsh();
    isb();
}

unsigned int trace_site_finish(uint64_t *pc)
{
    const uint32_t *at = (const uint32_t *)*pc;
    uint32_t code;

    if (at[0] == INSTRUCTION_ADDS)
        at--;
    code = at[0] - INSTRUCTION_MOV;
    if (at[1] != INSTRUCTION_ADDS || code >= TRACE_CODE_NONE << MOV_VALUE_SHIFT)
        return TRACE_CODE_NONE;
    *pc = (uintptr_t)(at + BARRIER_LENGTH);
    return code >> MOV_VALUE_SHIFT;
}
