/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * map_domain_page() and unmap_domain_page(), from their entry, their store of a
 * slot, and their return.
 *
 * A map is recorded right after its store of the slot: an interrupt that comes
 * later, and maps too, is then behind it, as it was.
 */
#ifndef HVSCOPE_TRACER_CALLS_H
#define HVSCOPE_TRACER_CALLS_H

#include "tracer/ring.h"
#include "tracer/symbols.h"

/* A function: its entry is that of the first part, returns are in all. nr 0: not known. */
struct call_site {
    struct symbol part[SYMBOL_PARTS_MAX];
    unsigned int nr;
};

struct calls_config {
    struct call_site map, unmap;
    uint64_t domheap_va;
    unsigned int domheap_entries; /* slots; 0: no maps and unmaps can be told */
};

void calls_init(const struct calls_config *config, struct trace_file *file);

/* What an instruction at va is to these functions. */
bool calls_is_entry(uint64_t va);
bool calls_is_inside(uint64_t va);

/*
 * CPU cpu is about to execute the first instruction at va, or a return inside, which
 * frees so many bytes of stack (or DECODED_UNKNOWN).
 */
void calls_enter(unsigned int cpu, uint64_t va);
void calls_return(unsigned int cpu, int popped);

/* It stored an entry, which is recorded already. */
void calls_store(unsigned int cpu, const struct table_store *store);

#endif /* HVSCOPE_TRACER_CALLS_H */
