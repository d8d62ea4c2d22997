/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Engine "clock": what it keeps of a CPU's slots beside their entries. One such
 * block a CPU, whole in physical memory; the beacon's block of the CPU has its
 * address.
 *
 * A slot that holds a frame, or owes the TLBI of one, is on the chain of that
 * frame's block: head[clock_hash(block)], next[], …, CLOCK_END. The others are
 * on the free stack. What a slot must be in each state:
 *
 *   state        entry                  on its chain   on the stack
 *   CLOCK_FREE   0                      no             free[0 .. nr_free - 1]
 *   CLOCK_COLD   valid                  yes            no
 *   CLOCK_HOT    valid                  yes            no
 *   CLOCK_OWED   0                      yes            free[1024 - nr_owed .. 1023]
 */
#ifndef HVSCOPE_CLOCK_H
#define HVSCOPE_CLOCK_H

#include <hvscope/mapcache.h>
#include <stddef.h>

/* A block is 2 MiB of physical memory: the frame numbers above SLOT_MFN_SHIFT. */
#define CLOCK_END DOMHEAP_ENTRIES /* ends a chain */

/* Chains. Twice as many as slots: a search that finds nothing passes half a slot on average. */
#ifndef CLOCK_HEADS /* tests/model: fewer, for chains that are longer */
#define CLOCK_HEADS (2 * DOMHEAP_ENTRIES)
#endif

/* Reclaim looks at the states of so many slots at a time. */
#if DOMHEAP_ENTRIES < 8
typedef uint16_t clock_states_t;
#else
typedef uint64_t clock_states_t;
#endif
#define CLOCK_STATES_SLOTS ((unsigned int)sizeof(clock_states_t))

/* Slots that stay for interrupts when all others are in use. */
#define CLOCK_RESERVE (DOMHEAP_ENTRIES / 256 ? DOMHEAP_ENTRIES / 256 : 1)

enum clock_state {
    CLOCK_FREE, /* may become valid: the TLB holds nothing of it */
    CLOCK_COLD, /* not found again since it was made, or since the hand came by: the next victim */
    CLOCK_HOT,  /* found again; or its count was not 0 when the hand came by */
    CLOCK_OWED, /* broken, its TLBI is still to come: only its own frame may be made in it */
};

enum clock_policy {
    CLOCK_LAZY,   /* what was unmapped stays in the tables until its slot is reclaimed */
    CLOCK_ZAP,    /* the last unmap breaks, and owes the TLBI; zap_limit of these at most */
    CLOCK_STRICT, /* the last unmap breaks and flushes */
};

struct clock_index {
    uint64_t map;       /* VA of the slots */
    uint16_t last;      /* slot of the map before this one */
    uint16_t keep;      /* an unmap only counts down from this count on: 1 lazy, 2 zap and strict */
    uint16_t hand;      /* slot that the next reclaim looks at first: a whole word of states */
    uint16_t nr_free;   /* slots on the free stack */
    uint16_t nr_owed;   /* slots whose TLBI is owed */
    uint16_t policy;    /* enum clock_policy */
    uint16_t zap_limit; /* owed slots that bring the flush about */
    uint16_t batch;     /* a reclaim that has taken so many slots looks at no further word */
    uint32_t range;     /* 1: FEAT_TLBIRANGE */
    uint32_t reserved;
    uint64_t reclaims; /* flushes of a batch, reclaimed or owed; these only grow */
    uint64_t reclaimed;
    uint64_t refused; /* maps that found all slots in use */
    union {
        uint8_t state[DOMHEAP_ENTRIES]; /* enum clock_state */
        clock_states_t states[DOMHEAP_ENTRIES / sizeof(clock_states_t)];
    };
    union {
        struct {
            uint16_t next[DOMHEAP_ENTRIES];
            uint16_t head[CLOCK_HEADS];
        };
        uint16_t link[DOMHEAP_ENTRIES + CLOCK_HEADS]; /* both: what leads to a slot */
    };
    uint16_t free[DOMHEAP_ENTRIES];
    uint32_t block[DOMHEAP_ENTRIES]; /* of a slot that is on a chain */
};

_Static_assert(DOMHEAP_ENTRIES != 1024 || sizeof(struct clock_index) == 13368, "shared with tools");
_Static_assert(offsetof(struct clock_index, state) == 56, "shared with tools");

/* The chain of a block. Frames that are 2 GiB apart, or contiguous, have different ones. */
static inline unsigned int clock_hash(uint64_t block)
{
    /* A constant. NOLINTNEXTLINE(bugprone-implicit-widening-of-multiplication-result) */
    return (block ^ block / CLOCK_HEADS) % CLOCK_HEADS;
}

#endif /* HVSCOPE_CLOCK_H */
