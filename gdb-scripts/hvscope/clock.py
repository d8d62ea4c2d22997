# SPDX-License-Identifier: GPL-2.0-or-later
"""Engine clock: what it keeps of slots beside their entries (include/hvscope/clock.h), checked.

viewer/model/clock.c says the same, in C. Everything read here is guest data: any contents are
safe to ask about.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from hvscope.beacon import Beacon, ReadPhys
from hvscope.error import Unreadable
from hvscope.pte import PTE_ADDR_MASK, PTE_VALID, SLOT_SHIFT

SLOTS = 1024
END = SLOTS  # ends a chain
HEADS = 2 * SLOTS  # chains
WORD = 8  # states that a reclaim looks at at a time
RESERVE = SLOTS // 256  # slots that stay for interrupts
FREE, COLD, HOT, OWED = range(4)
STATES = ("free", "cold", "hot", "owed")
PLACES = ("on no list", "on the free stack", "among the owed")
PLACE_OF = (1, 0, 0, 2)  # the list of a state
INDEX = struct.Struct(f"<Q8HII3Q{SLOTS}B{SLOTS}H{HEADS}H{SLOTS}H{SLOTS}I")

assert INDEX.size == 13368

Fault = tuple["int | None", str]  # the slot, if it is one's


class Index:
    """struct clock_index."""

    def __init__(self, data: bytes) -> None:
        words = INDEX.unpack(data)
        (_, self.last, _, self.hand, self.nr_free, self.nr_owed, _, _, self.batch) = words[:9]
        lists = words[14:]
        self.state = lists[:SLOTS]
        self.next = lists[SLOTS:2 * SLOTS]
        self.head = lists[2 * SLOTS:2 * SLOTS + HEADS]
        self.free = lists[2 * SLOTS + HEADS:3 * SLOTS + HEADS]
        self.block = lists[3 * SLOTS + HEADS:]

    @property
    def counts_fit(self) -> bool:
        """With other counts nobody knows where the lists end."""
        return self.nr_free + self.nr_owed <= SLOTS


def clock_hash(block: int) -> int:
    """The chain of a block of 2 MiB."""
    return (block ^ block // HEADS) % HEADS


def has_index(beacon: Beacon) -> bool:
    """Is there one to be read?"""
    return beacon.counted and beacon.engine_name == "clock" and beacon.domheap_entries == SLOTS


def index_read(read: ReadPhys, beacon: Beacon, cpu: int) -> Index | None:
    """The index of a CPU; None if its address leads nowhere."""
    pa = beacon.cpus[cpu].fields["clock_index"]
    if pa % 8 or not beacon.readable(pa, INDEX.size):
        return None
    try:
        return Index(read(pa, INDEX.size))
    except Unreadable:
        return None


def whole_faults(index: Index) -> list[Fault]:
    """Of numbers that are no slot's."""
    faults: list[Fault] = []
    if index.hand >= SLOTS:
        faults.append((None, f"the hand is at slot {index.hand}: there is none such"))
    elif index.hand % WORD:
        faults.append((None, f"the hand is at slot {index.hand}: not the first of {WORD}"))
    if index.last >= SLOTS:
        faults.append((None, f"the slot mapped last is {index.last}: there is none such"))
    if not index.counts_fit:
        faults.append((None, f"{index.nr_free} slots are free and {index.nr_owed} owed: more than "
                             "there are"))
    return faults


def chain_faults(index: Index, on_chain: list[int | None]) -> list[Fault]:
    """Of chains; on_chain becomes the chain that each slot was met on. Where two chains meet they
    are one from there on: that is told once."""
    faults: list[Fault] = []
    for chain, slot in enumerate(index.head):
        before = None
        while slot < SLOTS:
            met = on_chain[slot]
            if met is not None:
                faults.append((slot, f"slot {slot}: chain {chain} comes back to it" if met == chain
                               else f"slot {slot} is on chain {met} and on chain {chain}"))
                slot = END
                break
            on_chain[slot] = chain
            block = index.block[slot]
            if clock_hash(block) != chain:
                faults.append((slot, f"slot {slot} of block {block:#x} is on chain {chain}: its "
                                     f"own is {clock_hash(block)}"))
            before, slot = slot, index.next[slot]
        if slot != END:
            faults.append((before, f"chain {chain} begins at slot {slot}: there is none such"
                           if before is None else
                           f"slot {before}: slot {slot} follows it: there is none such"))
    return faults


def list_faults(index: Index, place: list[int]) -> list[Fault]:
    """Of the free stack and the owed slots; place becomes the list that each slot is on."""
    faults: list[Fault] = []
    if not index.counts_fit:
        return faults
    for here, places in ((1, range(index.nr_free)), (2, range(SLOTS - index.nr_owed, SLOTS))):
        for at in places:
            slot = index.free[at]
            if slot >= SLOTS:
                faults.append((None, f"free[{at}] is slot {slot}: there is none such"))
            elif place[slot]:
                faults.append((slot, f"slot {slot} is listed twice: free[{at}] is it too"))
            else:
                place[slot] = here
    return faults


def slot_faults(index: Index, slot: int, pte: int, chain: int | None, place: int) -> list[str]:
    """Of a row of the table in clock.h."""
    state, words = index.state[slot], []
    if state > OWED:
        return [f"slot {slot}: its state byte is {state}"]
    used, name = state in (COLD, HOT), STATES[state]
    if not pte & PTE_VALID if used else pte:
        words.append(f"slot {slot} is {name}, and its entry is {pte:#x}")
    elif used and (pte & PTE_ADDR_MASK) >> SLOT_SHIFT != index.block[slot]:
        words.append(f"slot {slot} is said to map block {index.block[slot]:#x}, and its entry is "
                     f"{pte:#x}")
    if chain is not None and state == FREE:
        words.append(f"slot {slot} is free, and on chain {chain}")
    if chain is None and state != FREE:
        words.append(f"slot {slot} is {name}, and on no chain")
    if place != PLACE_OF[state] and index.counts_fit:
        words.append(f"slot {slot} is {name}, and {PLACES[place]}")
    return words


def index_faults(index: Index, ptes: Sequence[int]) -> list[Fault]:
    """What does not agree between the index of a CPU at rest and the entries of its slots: first
    of the whole, then chain by chain, the lists, and slot by slot."""
    on_chain: list[int | None] = [None] * SLOTS
    place = [0] * SLOTS
    faults = whole_faults(index) + chain_faults(index, on_chain) + list_faults(index, place)
    for slot, (state, pte, chain, here) in enumerate(zip(index.state, ptes, on_chain, place)):
        used = state in (COLD, HOT)
        if used and pte & PTE_VALID and chain is not None and not here and \
                (pte & PTE_ADDR_MASK) >> SLOT_SHIFT == index.block[slot]:
            continue  # as nearly all are
        faults += [(slot, words) for words in slot_faults(index, slot, pte, chain, here)]
    return faults


def cpu_index_faults(read: ReadPhys, beacon: Beacon, cpu: int, ptes: Sequence[int]) -> list[Fault]:
    """The faults of a CPU whose entries these are; none while it is changing them."""
    if not has_index(beacon):
        return []
    index = index_read(read, beacon, cpu)
    if index is None:
        pa = beacon.cpus[cpu].fields["clock_index"]
        return [(None, f"{pa:#x}, where it should be, cannot be read")]
    if beacon.cpus[cpu].generation % 2 or len(ptes) != SLOTS:
        return []
    return index_faults(index, ptes)
