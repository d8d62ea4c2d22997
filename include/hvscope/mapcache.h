/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The mapcache's arithmetic: slot <-> VA <-> MFN, and the states of a slot.
 *
 * A slot is a level 2 block entry under L0 slot 255. Its four software bits
 * hold the reference count. (Engines "xen" and "bbm": a frame's home slot is
 * (mfn >> 9) % 1024, the probe distance is how far behind it the slot lies.)
 */
#ifndef HVSCOPE_MAPCACHE_H
#define HVSCOPE_MAPCACHE_H

#include <hvscope/layout.h>
#include <hvscope/pte.h>

#define SLOT_SHIFT     21
#define SLOT_SIZE      (UINT64_C(1) << SLOT_SHIFT)
#define SLOT_MFN_SHIFT (SLOT_SHIFT - PAGE_SHIFT)
#define SLOT_MFN_MASK  ((UINT64_C(1) << SLOT_MFN_SHIFT) - 1)

/* Bits of a slot entry that are neither its output address nor its count. */
#define SLOT_ATTR_MASK (~(PTE_REFS_MASK | (PTE_ADDR_MASK & ~(SLOT_SIZE - 1))))

enum slot_state {
    SLOT_FREE,      /* invalid, count 0 */
    SLOT_CACHED,    /* valid, count 0: still a live translation */
    SLOT_IN_USE,    /* valid, count 1 to 14 */
    SLOT_SATURATED, /* valid, count 15: the next map of its frame takes another slot */
    SLOT_BROKEN,    /* count on an invalid entry, a table, unusual attributes, PA outside RAM */
    SLOT_STATES
};

static inline unsigned int mapcache_home(mfn_t mfn, unsigned int entries)
{
    return (mfn_x(mfn) >> SLOT_MFN_SHIFT) % entries;
}

/* Slots between the home of mfn and slot, forward, with wrap-around. */
static inline unsigned int mapcache_probe(mfn_t mfn, unsigned int slot, unsigned int entries)
{
    return (slot + entries - mapcache_home(mfn, entries)) % entries;
}

/*
 * State of a slot whose entry is pte, for a target whose usual attribute bits
 * are attr (under SLOT_ATTR_MASK). in_ram: does its 2 MiB lie in RAM? Only
 * asked of valid blocks; say true where the question has no meaning.
 */
static inline enum slot_state slot_state(lpae_t pte, uint64_t attr, bool in_ram)
{
    if (!pte_valid(pte))
        return pte_refs(pte) ? SLOT_BROKEN : SLOT_FREE;
    if (!pte_is_leaf(pte, 2) || (pte & SLOT_ATTR_MASK) != attr || !in_ram)
        return SLOT_BROKEN;
    if (pte_refs(pte) == 0)
        return SLOT_CACHED;
    return pte_refs(pte) == PTE_REFS_MAX ? SLOT_SATURATED : SLOT_IN_USE;
}

/* The word that every tool uses for a state. */
static inline const char *slot_state_name(enum slot_state state)
{
    switch (state) {
    case SLOT_FREE:
        return "free";
    case SLOT_CACHED:
        return "cached";
    case SLOT_IN_USE:
        return "in-use";
    case SLOT_SATURATED:
        return "saturated";
    default:
        return "broken";
    }
}

#endif /* HVSCOPE_MAPCACHE_H */
