# SPDX-License-Identifier: GPL-2.0-or-later
"""Bits of stage 1 descriptors, and the states of a mapcache slot: pte.h and mapcache.h."""

from __future__ import annotations

PAGE_SHIFT = 12
PAGE_SIZE = 1 << PAGE_SHIFT

PTE_VALID = 1 << 0
PTE_TABLE = 1 << 1
PTE_ATTR_SHIFT = 2
PTE_NS = 1 << 5
PTE_AP1 = 1 << 6
PTE_RO = 1 << 7
PTE_SH_SHIFT = 8
PTE_AF = 1 << 10
PTE_NG = 1 << 11
PTE_ADDR_MASK = 0x0000FFFFFFFFF000
PTE_GP = 1 << 50
PTE_DBM = 1 << 51
PTE_CONT = 1 << 52
PTE_PXN = 1 << 53
PTE_XN = 1 << 54
PTE_REFS_SHIFT = 55
PTE_REFS_MAX = 15
PTE_REFS_MASK = PTE_REFS_MAX << PTE_REFS_SHIFT
PTE_XN_TABLE = 1 << 60
PTE_RO_TABLE = 1 << 62

PTE_SH_NAMES = ("none", "reserved", "outer", "inner")

# A block as Xen writes it, without address and count.
PTE_XEN_BLOCK = 0x0040000000000F7D

# MAIR_EL2 of our image; the beacon does not repeat it.
MAIR_VALUE = 0xFF000004EEAA4400

SLOT_SHIFT = 21
SLOT_SIZE = 1 << SLOT_SHIFT
SLOT_ADDR_MASK = PTE_ADDR_MASK & ~(SLOT_SIZE - 1)
SLOT_ATTR_MASK = ~(PTE_REFS_MASK | SLOT_ADDR_MASK) & (1 << 64) - 1

SLOT_STATES = ("free", "cached", "in-use", "saturated", "broken")

Bank = tuple[int, int]


def pte_refs(pte: int) -> int:
    """The four software bits; in a mapcache slot, the reference count."""
    return (pte & PTE_REFS_MASK) >> PTE_REFS_SHIFT


def pte_is_table(pte: int) -> bool:
    """A table entry? (Not asked of the last level, where bit 1 means "page".)"""
    return pte & (PTE_VALID | PTE_TABLE) == PTE_VALID | PTE_TABLE


def slot_is_block(pte: int) -> bool:
    """Does this level 2 entry map 2 MiB?"""
    return pte & (PTE_VALID | PTE_TABLE) == PTE_VALID


def slot_state(pte: int, attr: int, in_ram: bool) -> str:
    """The state's word; attr is a usual slot's bits under SLOT_ATTR_MASK."""
    refs = pte_refs(pte)
    if not pte & PTE_VALID:
        return "broken" if refs else "free"
    if not slot_is_block(pte) or pte & SLOT_ATTR_MASK != attr or not in_ram:
        return "broken"
    if refs == 0:
        return "cached"
    return "saturated" if refs == PTE_REFS_MAX else "in-use"


FLAGS = ((PTE_NS, "ns"), (PTE_AP1, "ap1"), (PTE_RO, "ro"), (PTE_AF, "af"), (PTE_NG, "ng"),
         (PTE_GP, "gp"), (PTE_DBM, "dbm"), (PTE_CONT, "cont"), (PTE_PXN, "pxn"), (PTE_XN, "xn"))
TABLE_FLAGS = ((PTE_XN_TABLE, "xntable"), (PTE_RO_TABLE, "rotable"))


def pte_flag_names(pte: int, leaf: bool) -> list[str]:
    """Short names of the attribute bits that are set in a valid entry."""
    names = [name for bit, name in (FLAGS if leaf else TABLE_FLAGS) if pte & bit]
    if leaf:
        names.insert(0, f"attr{pte >> PTE_ATTR_SHIFT & 7}")
        names.append(f"sw={pte_refs(pte):#x}")
    return names
