# SPDX-License-Identifier: GPL-2.0-or-later
"""The lookup of engine clock, replayed; viewer/model/clock_lookup.c does the same, in C.

The slot of the map before, the chain of the frame's block, its own owed slot, a free slot, and
what is done to get one: on a copy of the index, with the image's own steps, so that slots are
freed in the same order.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hvscope.clock import (COLD, END, FREE, HOT, OWED, RESERVE, SLOTS, WORD, Index,
                           clock_hash)
from hvscope.error import HvError
from hvscope.pte import (PAGE_SHIFT, PTE_ADDR_MASK, PTE_REFS_MASK, PTE_REFS_MAX, PTE_VALID,
                         SLOT_SHIFT, pte_refs)

SLOT_MFN_SHIFT = SLOT_SHIFT - PAGE_SHIFT
OWED_REASON = "this frame, broken: its TLBI is owed"

Object = dict[str, Any]


class Astray(Exception):
    """The index leads to no slot, or round and round."""


class Replay:
    """One lookup; flushed and victims: slots that are freed first."""

    def __init__(self, index: Index, ptes: Sequence[int], mfn: int, attr: int) -> None:
        self.index, self.ptes, self.mfn = index, list(ptes), mfn
        self.block = mfn >> SLOT_MFN_SHIFT
        self.want = self.block << SLOT_SHIFT | attr
        self.chain = clock_hash(self.block)
        self.free, self.state = list(index.free), list(index.state)
        self.nr_free, self.nr_owed = index.nr_free, index.nr_owed
        self.steps: list[Object] = []
        self.flushed: list[int] = []
        self.victims: list[int] = []
        self.reserve: int | None = None

    def run(self, bypassed: bool) -> tuple[str, int | None, int | None]:
        """(verdict, slot, count that it gets)."""
        index = self.index
        if index.last >= SLOTS or index.hand >= SLOTS or not index.counts_fit:
            raise Astray
        if self.step(index.last, "mapped last: "):
            return "hit", index.last, pte_refs(self.ptes[index.last]) + 1
        slot = self.walk_chain()
        if slot is not None:
            return "hit", slot, pte_refs(self.ptes[slot]) + 1
        if bypassed:
            return "bypass", None, None
        slot = self.find_owed()
        return ("remake", slot, 1) if slot is not None else self.take()

    def step(self, slot: int, prefix: str) -> bool:
        """Looks at a slot; is it the frame's, with room in its count?"""
        pte = self.ptes[slot]
        same, refs = pte & ~PTE_REFS_MASK == self.want, pte_refs(pte)
        if same:
            reason = "this frame, with room in its count" if refs < PTE_REFS_MAX else \
                "this frame, but its count is 15"
        else:
            reason = f"another frame, {(pte & PTE_ADDR_MASK) >> PAGE_SHIFT:#x}" \
                if pte & PTE_VALID else "nothing is mapped in it"
        self.steps.append({"slot": slot, "pte": hex(pte), "refs": refs, "reason": prefix + reason})
        return same and refs < PTE_REFS_MAX

    def walk_chain(self) -> int | None:
        """The slot on the chain that maps the frame and has room."""
        slot = self.index.head[self.chain]
        for _ in range(SLOTS):
            if slot >= SLOTS:
                break
            if self.step(slot, ""):
                return slot
            slot = self.index.next[slot]
        if slot != END:
            raise Astray
        return None

    def find_owed(self) -> int | None:
        """The slot on the chain that owes the TLBI of this frame."""
        for step in self.steps[1:] if self.nr_owed else ():
            slot = step["slot"]
            if self.state[slot] == OWED and self.index.block[slot] == self.block:
                step["reason"] = OWED_REASON
                return slot
        return None

    def put(self, slots: list[int]) -> None:
        """These are free now."""
        for slot in slots:
            if slot >= SLOTS or self.nr_free >= SLOTS:
                raise Astray
            self.free[self.nr_free] = slot
            self.nr_free += 1

    def flush(self) -> None:
        """The TLBI of everything that is owed."""
        self.flushed = self.free[SLOTS - self.nr_owed:]
        self.nr_owed = 0
        self.put(self.flushed)

    def reclaim(self) -> None:
        """The hand goes round, by words of states, until it has a batch of idle slots; a second
        time only if the first leaves no more than the reserve."""
        if self.state[self.index.last] == COLD:
            self.state[self.index.last] = HOT
        for turn in range(2):
            if turn and self.nr_free + len(self.victims) > RESERVE:
                break
            for step in range(0, SLOTS, WORD):
                if len(self.victims) >= self.index.batch:
                    break
                for slot in range(self.index.hand + step, self.index.hand + step + WORD):
                    self.pass_slot(slot % SLOTS)
        self.put(self.victims)

    def pass_slot(self, slot: int) -> None:
        """What the hand does to a slot."""
        if self.state[slot] == HOT:
            self.state[slot] = COLD
        elif self.state[slot] == COLD and pte_refs(self.ptes[slot]):
            self.state[slot] = HOT
        elif self.state[slot] == COLD:
            self.state[slot] = FREE
            self.victims.append(slot)

    def take(self) -> tuple[str, int | None, int | None]:
        """A free slot, for a caller that is not an interrupt: some are not for it."""
        verdict = "take"
        if self.nr_free <= RESERVE and self.nr_owed:
            verdict = "flush"
            self.flush()
        if self.nr_free <= RESERVE:
            verdict = "reclaim"
            self.reclaim()
        top = self.free[self.nr_free - 1] if self.nr_free else None
        if top is not None and top >= SLOTS:
            raise Astray
        if self.nr_free > RESERVE:
            return verdict, top, 1
        self.reserve = top
        return "full", None, None


def explain_clock(head: Object, index: Index | None, ptes: Sequence[int], attr: int,
                  bypassed: bool) -> Object:
    """The answer of mapcache-explain but for duplicates; HvError if the index leads astray."""
    try:
        if index is None:
            raise Astray
        replay = Replay(index, ptes, int(head["mfn"], 0), attr)
        verdict, slot, refs = replay.run(bypassed)
    except Astray:
        raise HvError(f"CPU{head['cpu']}: the engine's index of its slots leads astray: see "
                      "mapcache-check") from None
    return {**head, "home": None, "verdict": verdict, "slot": slot, "refs": refs, "probe": None,
            "steps": replay.steps, "duplicates": [], "chain": replay.chain,
            "flushed": replay.flushed, "victims": replay.victims, "reserve": replay.reserve}
