/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address types.
 *
 * A machine frame number, a physical address and a virtual address are three
 * different things; as structs the compiler keeps them apart. Names of the
 * frame number type and its accessors are Xen's.
 */
#ifndef HVSCOPE_ADDR_H
#define HVSCOPE_ADDR_H

#include <stdint.h>

#define PAGE_SHIFT 12
#define PAGE_SIZE  (UINT64_C(1) << PAGE_SHIFT)
#define PAGE_MASK  (PAGE_SIZE - 1)

/* Number of a 4 KiB frame of physical memory. */
typedef struct {
    uint64_t mfn;
} mfn_t;

/* A physical address, in bytes. */
typedef struct {
    uint64_t pa;
} paddr_t;

/* A virtual address of the translation regime at hand, in bytes. */
typedef struct {
    uint64_t va;
} vaddr_t;

static inline mfn_t _mfn(uint64_t n)
{
    return (mfn_t){n};
}

static inline uint64_t mfn_x(mfn_t m)
{
    return m.mfn;
}

static inline mfn_t mfn_add(mfn_t m, uint64_t n)
{
    return _mfn(m.mfn + n);
}

static inline paddr_t _paddr(uint64_t pa)
{
    return (paddr_t){pa};
}

static inline uint64_t paddr_x(paddr_t p)
{
    return p.pa;
}

static inline vaddr_t _vaddr(uint64_t va)
{
    return (vaddr_t){va};
}

static inline uint64_t vaddr_x(vaddr_t v)
{
    return v.va;
}

static inline paddr_t mfn_to_paddr(mfn_t m)
{
    return _paddr(m.mfn << PAGE_SHIFT);
}

static inline mfn_t paddr_to_mfn(paddr_t p)
{
    return _mfn(p.pa >> PAGE_SHIFT);
}

#endif /* HVSCOPE_ADDR_H */
