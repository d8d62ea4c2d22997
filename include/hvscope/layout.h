/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The EL2 address space: Xen's arm64 layout, 48-bit, root at level 0.
 *
 *   L0 slot    what
 *   0-19       the image, identity mapped, while its MMU is switched on; empty otherwise
 *   20         +2M image (8M) | +10M fixmap (2M) | +12M boot FDT (4M)
 *              +1G vmap (1G) | +32G frametable (32G)
 *   255        +0 domheap: 1024 slots of 2 MiB, one such window a CPU
 *   256-265    directmap: PA 0 is at the start of slot 256
 */
#ifndef HVSCOPE_LAYOUT_H
#define HVSCOPE_LAYOUT_H

#ifdef __ASSEMBLER__
#define LAYOUT_C(x) x
#else
#define LAYOUT_C(x) x##ULL
#endif

#define MB(n)    (LAYOUT_C(n) << 20)
#define GB(n)    (LAYOUT_C(n) << 30)
#define SLOT0(n) (LAYOUT_C(n) << 39)

#define IDENTITY_VIRT_END SLOT0(20)

#define XEN_VIRT_START        (SLOT0(20) + MB(2))
#define XEN_VIRT_SIZE         MB(8)
#define FIXMAP_VIRT_START     (SLOT0(20) + MB(10))
#define FIXMAP_VIRT_SIZE      MB(2)
#define BOOT_FDT_VIRT_START   (SLOT0(20) + MB(12))
#define BOOT_FDT_VIRT_SIZE    MB(4)
#define VMAP_VIRT_START       (SLOT0(20) + GB(1))
#define VMAP_VIRT_SIZE        GB(1)
#define FRAMETABLE_VIRT_START (SLOT0(20) + GB(32))
#define FRAMETABLE_SIZE       GB(32)

#define DOMHEAP_L0_INDEX   255
#define DOMHEAP_VIRT_START SLOT0(255)
#define DOMHEAP_VIRT_SIZE  GB(2)
#ifndef DOMHEAP_ENTRIES      /* tests/model explores a few slots */
#define DOMHEAP_ENTRIES 1024 /* slots of 2 MiB */
#endif
#define DOMHEAP_SECOND_PAGES 2 /* level 2 pages that hold them */

#define DIRECTMAP_VIRT_START SLOT0(256)
#define DIRECTMAP_SIZE       SLOT0(10)

#endif /* HVSCOPE_LAYOUT_H */
