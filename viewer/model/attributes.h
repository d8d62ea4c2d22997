/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a leaf says of its memory: rights, type, shareability; for each regime.
 */
#ifndef VIEWER_MODEL_ATTRIBUTES_H
#define VIEWER_MODEL_ATTRIBUTES_H

#include "model/regime.h"

#include <stddef.h>

#define MEMORY_TYPE_MAX 48

struct attributes {
    char perm[4];               /* "rwx" at the regime's own level */
    char perm_el0[4];           /* likewise at EL0; "" where EL0 has no rights of its own */
    char type[MEMORY_TYPE_MAX]; /* "normal-wb", "device-nGnRE", …; "attr3" if MAIR is unknown */
    const char *share;          /* "inner", "outer", "none", "reserved" */
    unsigned int software;      /* bits [58:55] */
};

/* above: the table entries of its walk, or-ed. */
void leaf_attributes(const struct regime *r, lpae_t above, lpae_t pte, struct attributes *a);

/* What two stages leave of rights and type; a is stage 1's and becomes both's. */
void attributes_combine(struct attributes *a, const struct attributes *stage2);

bool attributes_same(const struct attributes *a, const struct attributes *b);

/* Short names of the bits that are set in a valid entry, as the regime reads them: "af xn". */
void entry_flags(const struct regime *r, lpae_t pte, bool leaf, char *buf, size_t size);

#endif /* VIEWER_MODEL_ATTRIBUTES_H */
