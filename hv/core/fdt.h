/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading a flattened device tree (Devicetree Specification 0.4, chapter 5).
 * Nothing in the blob is trusted: whatever points outside it ends the search.
 * Runs at physical addresses too, before the MMU is on.
 */
#ifndef HV_CORE_FDT_H
#define HV_CORE_FDT_H

#include <stdbool.h>
#include <stdint.h>

/* A node; offset of its FDT_BEGIN_NODE token in the structure block. */
struct fdt_node {
    uint32_t offset;
    uint32_t depth; /* the root's is 0 */
};

/* Size of the blob in bytes, 0 if it is none or larger than max. */
uint64_t fdt_check(const void *fdt, uint64_t max);

/* The root, and the next node in document order. False: there is none. */
bool fdt_root(const void *fdt, struct fdt_node *node);
bool fdt_next(const void *fdt, struct fdt_node *node);

/* A node's name, unit address included. NULL if the blob is broken. */
const char *fdt_name(const void *fdt, struct fdt_node node);

/* A property's value and length in bytes. NULL if the node has none of this name. */
const void *fdt_property(const void *fdt, struct fdt_node node, const char *name, uint32_t *length);

/* The child of the root with this name ("/memory@…" is found as "/memory"). */
bool fdt_find(const void *fdt, const char *path, struct fdt_node *node);

/* A string property of a child of the root; NULL if there is none. */
const char *fdt_string(const void *fdt, const char *path, const char *name);

/* cells big-endian 32-bit words at p, as a number. */
uint64_t fdt_cells(const void *p, uint32_t cells);

/* The n-th (base, size) of the root's children whose "compatible" begins with this. */
bool fdt_find_reg(const void *fdt, const char *compatible, unsigned int n, uint64_t *base,
                  uint64_t *size);

/* PA of the first "arm,pl011". */
bool fdt_find_uart(const void *fdt, uint64_t *pa);

/* The n-th (base, size) of the root's children with this device_type ("memory"). */
bool fdt_reg(const void *fdt, const char *device_type, unsigned int n, uint64_t *base,
             uint64_t *size);

/* The n-th entry of the memory reservation block. */
bool fdt_reserved(const void *fdt, unsigned int n, uint64_t *base, uint64_t *size);

/* The n-th CPU's MPIDR affinity. */
bool fdt_cpu(const void *fdt, unsigned int n, uint64_t *mpidr);

#endif /* HV_CORE_FDT_H */
