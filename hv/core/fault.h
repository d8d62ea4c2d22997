/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Faults on purpose, for trying the tools: the option fault=. Each is made on
 * CPU0, FAULT_DELAY seconds after its work began.
 */
#ifndef HV_CORE_FAULT_H
#define HV_CORE_FAULT_H

#define FAULT_DELAY 1

enum fault {
    FAULT_NONE,
    FAULT_SKIP_TLBI,    /* from then on no map invalidates the TLB */
    FAULT_FORGET_UNMAP, /* one map is never given back */
    FAULT_DOUBLE_UNMAP, /* one is given back twice */
    FAULT_STALE_WRITE,  /* a write through a pointer whose slot has another frame by now */
    FAULT_CORRUPT_L2,   /* an attribute of a slot's entry is flipped */
    FAULT_SHARE_L2,     /* slots 512 to 1023 of CPU0 are CPU1's */
};

#define FAULT_NAMES "none, skip-tlbi, forget-unmap, double-unmap, stale-write, corrupt-l2, share-l2"

/* Their names, in that order; ends with NULL. */
extern const char *const fault_names[];

/* Make the fault of the command line, once it is time. CPU0, between two operations. */
void fault_poll(void);

/* Take back what a fault holds, so that the counts can be zero. CPU0, when work ends. */
void fault_end(void);

#endif /* HV_CORE_FAULT_H */
