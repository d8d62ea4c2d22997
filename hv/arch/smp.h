/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting the other CPUs. */
#ifndef HV_ARCH_SMP_H
#define HV_ARCH_SMP_H

/* CPUs of the device tree that the image will use: 1 to NR_CPUS. */
unsigned int smp_count(const void *fdt);

/*
 * Start CPUs 1 to n - 1 one after the other, each with its own tables. One that
 * does not come up within a second is named on the console and left out.
 */
void smp_start(const void *fdt, unsigned int n);

#endif /* HV_ARCH_SMP_H */
