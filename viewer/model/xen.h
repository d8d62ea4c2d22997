/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Xen's variables in memory: symbols, per-CPU data, roots. For profile_xen.c.
 *
 * Per-CPU data lies at symbol + __per_cpu_offset[cpu]; a CPU that is not up
 * has an offset that makes __per_cpu_start 0.
 */
#ifndef VIEWER_MODEL_XEN_H
#define VIEWER_MODEL_XEN_H

#include "model/machine.h"
#include "source/elf_image.h"

/* Xen's symbols in the file: m->xen, the slots' number and size. 0, or -1 with f. */
int xen_symbols(const char *path, struct elf_image *elf, struct machine *m, struct failure *f);

/* Has it booted? false also where its symbols lack system_state. */
bool xen_is_booted(const struct source *src, const struct machine *m);

/* A mask of CPUs, at this VA; 0 if there is none. CPUs from 64 on are left out. */
uint64_t xen_cpus(const struct source *src, const struct machine *m, uint64_t va);

/* PA of a VA, by this root. */
bool xen_walk(const struct source *src, const struct machine *m, uint64_t root, uint64_t va,
              uint64_t *pa);

/* PA of a VA: of the image by its place, else by CPU0's root. */
bool xen_translate(const struct source *src, const struct machine *m, uint64_t va, uint64_t *pa);

/* A CPU's pointer of per-CPU data; false if that CPU has none. */
bool xen_per_cpu(const struct source *src, const struct machine *m, uint64_t symbol,
                 unsigned int cpu, uint64_t *value);

/* m->xen.root: CPU0's. False if it does not map Xen itself: it is not in use yet. */
bool xen_find_root(const struct source *src, struct machine *m);

/* PA of a CPU's root; false if it has none yet. */
bool xen_cpu_root(const struct source *src, const struct machine *m, unsigned int cpu,
                  uint64_t *root);

/* A register of an arm32 CPU under the name, and in the form, that it has on arm64. */
int xen_arm32_register(const struct source *src, unsigned int cpu, const char *name,
                       uint64_t *value);

#endif /* VIEWER_MODEL_XEN_H */
