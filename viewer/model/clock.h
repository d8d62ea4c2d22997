/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engine clock: what it keeps of slots beside their entries, checked, and its
 * lookup replayed. gdb-scripts/hvscope/clock.py says the same, in Python.
 */
#ifndef VIEWER_MODEL_CLOCK_H
#define VIEWER_MODEL_CLOCK_H

#include "model/machine.h"

#include <hvscope/clock.h>

/* What is wrong with an index. Of a slot: slot; a, b: as the text has them. */
enum clock_fault_kind {
    CLOCK_BAD_HAND,
    CLOCK_BAD_LAST,
    CLOCK_BAD_COUNTS,
    CLOCK_BAD_HEAD,
    CLOCK_BAD_NEXT,
    CLOCK_BAD_LOOP,
    CLOCK_BAD_CHAINS,
    CLOCK_BAD_HASH,
    CLOCK_BAD_FREE,
    CLOCK_BAD_TWICE,
    CLOCK_BAD_STATE,
    CLOCK_BAD_ENTRY,
    CLOCK_BAD_BLOCK,
    CLOCK_BAD_LINKED,
    CLOCK_BAD_UNLINKED,
    CLOCK_BAD_PLACE,
};

struct clock_fault {
    enum clock_fault_kind kind;
    unsigned int slot; /* CLOCK_END: not one slot's */
    uint64_t a, b;
};

typedef void clock_found(void *context, const struct clock_fault *fault);

/*
 * Does the index of a CPU at rest agree with the entries of its slots? found()
 * is called for each fault: the whole index's first, then chain by chain, the
 * free stack, and slot by slot. Any contents are safe to ask about.
 */
void clock_check(const struct clock_index *c, const lpae_t pte[DOMHEAP_ENTRIES], clock_found *found,
                 void *context);

void clock_fault_text(const struct clock_fault *fault, char *text, size_t size);

#endif /* VIEWER_MODEL_CLOCK_H */
