/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A snapshot of every CPU's mapcache.
 */
#ifndef VIEWER_MODEL_MAPCACHE_H
#define VIEWER_MODEL_MAPCACHE_H

#include "model/clock.h"
#include "model/walk.h"

#include <hvscope/mapcache.h>

#define SLOTS_MAX   DOMHEAP_ENTRIES
#define SLOT_UNREAD SLOT_STATES /* behind a chain that ends early */

/* What is known of a CPU's struct clock_index. */
enum index_status {
    INDEX_NONE, /* another engine; or the CPU was changing it, or it was not kept */
    INDEX_BAD,  /* its address leads nowhere */
    INDEX_READ,
};

struct cpu_snapshot {
    unsigned int cpu;
    struct beacon_cpu info;
    bool on;         /* the CPU runs on its own tables: what follows is valid */
    bool consistent; /* the generation was even, and the same before and after */
    struct chain chain;
    unsigned int counts[SLOT_STATES];
    unsigned int refs;
    lpae_t pte[SLOTS_MAX];
    uint8_t state[SLOTS_MAX]; /* enum slot_state, or SLOT_UNREAD */
    enum index_status index_status;
    struct clock_index index;
};

struct snapshot {
    struct machine machine;
    uint64_t time; /* CLOCK_MONOTONIC of the reading, ns; 0 if nobody asked */
    unsigned int ncpu;
    struct cpu_snapshot cpu[];
};

/* Room for ncpu CPUs; free() it. NULL if out of memory. */
struct snapshot *snapshot_new(unsigned int ncpu);

/*
 * Read all CPUs of m, which has as many as snap was made for. A CPU is read up
 * to four times until its reading is consistent. 0, or -1 with f if the beacon
 * changed or went away while it was read (EXIT_NOT_UNDERSTOOD).
 */
int snapshot_read(const struct source *src, const struct machine *m, struct snapshot *snap,
                  struct failure *f);

/* States and counts anew, after entries of that CPU were changed by hand. */
void snapshot_recount(struct snapshot *snap, unsigned int cpu);

/* All that tools say about one slot. */
struct slot_info {
    unsigned int slot;
    uint64_t va;
    lpae_t pte;
    enum slot_state state;
    unsigned int refs;
    bool block; /* a valid block: the four fields below mean something */
    uint64_t mfn;
    uint64_t pa;
    bool odd;      /* its address is outside RAM: legal on a Xen */
    bool has_home; /* engines whose slot follows from the frame */
    unsigned int home;
    unsigned int probe;
    const char *fault; /* why it is broken; "" if it is not */
};

/* slot: below the machine's number of slots. By the entry alone. */
struct slot_info slot_describe(const struct machine *m, unsigned int slot, lpae_t pte);

/* The same of a slot that was read, not SLOT_UNREAD, with what the engine's index says of it. */
struct slot_info cpu_slot(const struct machine *m, const struct cpu_snapshot *c, unsigned int slot);

/* Is there an index to be judged, and at rest? */
bool cpu_index_settled(const struct machine *m, const struct cpu_snapshot *c);

/* First address that the slot maps. */
uint64_t slot_va(const struct machine *m, unsigned int slot);

/* Has anything at all happened between two snapshots of one boot? */
bool snapshot_differs(const struct snapshot *a, const struct snapshot *b);

#endif /* VIEWER_MODEL_MAPCACHE_H */
