/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "guest/access.h"
#include "arch/barrier.h"
#include "arch/sysreg.h"
#include "core/pace.h"
#include "guest/stage2.h"
#include "mm/bootmem.h"

#define PAR_F UINT64_C(1)

static DEFINE_PER_CPU(bool, refused);

void *guest_map(mfn_t mfn)
{
    void *p = paced_map(mfn);

    if (!p)
        this_cpu(refused) = true;
    return p;
}

bool guest_map_refused(void)
{
    return this_cpu(refused);
}

void guest_map_begin(void)
{
    this_cpu(refused) = false;
}

/*
 * AT S1E1R, S1E1W: stage 1 alone, so PAR_EL1 gives an IPA (Arm ARM C5.5). The
 * guest may be using PAR_EL1 itself. Its stage 2 is on for the walk.
 */
bool guest_va_to_ipa(uint64_t va, bool write, uint64_t *ipa)
{
    uint64_t saved = read_sysreg(par_el1), par;

    if (write)
        asm volatile("at s1e1w, %0" : : "r"(va) : "memory");
    else
        asm volatile("at s1e1r, %0" : : "r"(va) : "memory");
    isb();
    par = read_sysreg(par_el1);
    write_sysreg(par_el1, saved);
    *ipa = (par & PTE_ADDR_MASK) | (va & PAGE_MASK);
    return !(par & PAR_F);
}

/* One page's part of it. */
static bool guest_page(struct domain *d, uint64_t ipa, uint64_t n, guest_action *action,
                       void *context)
{
    mfn_t mfn;
    char *p;

    domain_lock(d);
    mfn = stage2_lookup(d, ipa);
    if (mfn_x(mfn) == mfn_x(INVALID_MFN)) {
        domain_unlock(d);
        return false;
    }
    p = guest_map(mfn);
    if (p)
        action(p + (ipa & PAGE_MASK), n, context);
    paced_unmap(p);
    domain_unlock(d);
    return p;
}

bool guest_memory(struct vcpu *v, uint64_t va, uint64_t bytes, bool write, guest_action *action,
                  void *context)
{
    while (bytes) {
        uint64_t n = PAGE_SIZE - (va & PAGE_MASK), ipa;

        n = n < bytes ? n : bytes;
        if (!guest_va_to_ipa(va, write, &ipa) || !guest_page(v->domain, ipa, n, action, context))
            return false;
        va += n;
        bytes -= n;
    }
    return true;
}
