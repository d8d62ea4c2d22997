/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What kind of hypervisor the target is: who finds its CPUs, their roots and
 * the domheap. One ops table a kind; everything above asks a struct machine.
 *
 * A kind without a beacon fills in those fields of machine.beacon that it
 * knows (ncpu, banks, domheap_*, root_level, l0_index, slot_attr) and leaves
 * the others 0.
 */
#ifndef VIEWER_MODEL_PROFILE_H
#define VIEWER_MODEL_PROFILE_H

#include "model/machine.h"

struct profile {
    const char *name;    /* of --profile; "kind" in the JSON */
    bool mapcache;       /* false: there are tables to walk, but no slots that are known */
    bool counted;        /* CPUs count their changes and calls: a snapshot can be consistent */
    bool tells_cpus;     /* which CPUs are up, and where their roots are, is known */
    bool foreign_pa;     /* slots may map what is not RAM, and have attributes of their own */
    const char *missing; /* without a mapcache: the sentence that says so */

    /*
     * Is the target of this kind? Unless MACHINE_OK is returned, f says why
     * not; only MACHINE_FOREIGN has the next kind tried.
     */
    enum machine_status (*find)(const struct source *src, const struct target_spec *spec,
                                struct machine *m, struct failure *f);
    /* The rest is as the function of machine.h that has this name. */
    bool (*is_same_boot)(const struct source *src, const struct machine *m);
    /* Read, again, all but tables: who keeps what is read has what it takes to find m. NULL: by
     * the beacon. */
    void (*visit)(const struct source *src, const struct machine *m);
    int (*read_cpu)(const struct source *src, const struct machine *m, unsigned int cpu,
                    struct beacon_cpu *info);
    int (*read_register)(const struct source *src, const struct machine *m, unsigned int cpu,
                         const char *name, uint64_t *value);
    int (*read_guest)(const struct source *src, const struct machine *m, unsigned int cpu,
                      struct beacon_guest *g);                   /* NULL: not told */
    const char *(*region)(const struct machine *m, uint64_t va); /* NULL: no name; may be NULL */
};

extern const struct profile profile_hv, profile_xen, profile_el2;

/* By its name; NULL if there is none such. */
const struct profile *profile_find(const char *name);

/* "hv, xen, el2": all names, for a sentence. */
void profile_names(char *buf, size_t size);

#endif /* VIEWER_MODEL_PROFILE_H */
