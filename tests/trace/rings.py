# SPDX-License-Identifier: GPL-2.0-or-later
"""A naive reader of event rings, to hold the tools and the tracer against.

It shares no code with them: the format of include/hvscope/trace.h, written out again.
"""

import struct
from dataclasses import dataclass

NONE, MAP, UNMAP, BYPASS, PTE, REFS, TLBI, TTBR, IRQ, TEXT, BARRIERS, DETAIL = range(12)
RECORD, GROUP = 32, 8
S2, EL1 = 1, 2


@dataclass(frozen=True)
class Event:
    """An event, or (kind BARRIERS) one barrier; key is what two witnesses must agree on."""

    kind: int
    key: tuple
    seq: int
    time: int
    regime: int = 0
    pc: int = 0


def codes_of(word: int) -> list[int]:
    """The barriers of a word, the oldest first."""
    return [int(digit, 16) for digit in f"{word:x}"[1:]]


class Ring:
    """The records of one ring, taken over piece by piece."""

    def __init__(self, read, base: int, entries: int):
        self.read, self.base, self.entries = read, base, entries
        self.records: list[tuple[int, int, int, int]] = []
        self.first = None
        self.taken = 0

    def take(self, head: int) -> None:
        """Take over the records up to head; the first time, the newer half of the ring."""
        if self.first is None:
            self.first = self.taken = max(0, head - self.entries // 2)
        at = self.first + len(self.records)
        while at < head:
            n = min(head - at, self.entries - at % self.entries)
            self.records += struct.iter_unpack(
                "<4Q", self.read(self.base + at % self.entries * RECORD, n * RECORD))
            at += n

    def check(self, head: int) -> None:
        """After take(): with the head as it is now, nothing that was taken was overtaken."""
        whole = head + GROUP - self.entries
        assert whole <= self.taken, "the ring was read too late"
        self.taken = self.first + len(self.records)

    def events(self) -> list[Event]:
        """What the records say, from the first whose number is known."""
        return Decoder(self.first, self.records).events


class Decoder:
    """Records to numbered events."""

    def __init__(self, index: int, records: list[tuple[int, int, int, int]]):
        self.index, self.records = index, records
        self.sides = self.barriers = self.told = 0 if index == 0 else None
        self.events: list[Event] = []
        for n in range(len(records)):
            self.record(n)

    def record(self, n: int) -> None:
        """One record; a DETAIL was read with the one before it."""
        head, what, caller, word = self.records[n]
        kind, more = head >> 48 & 15, head >> 52
        if kind == DETAIL:
            self.sides = None if self.sides is None else self.sides + 1
            return
        detail = self.records[n + 1] if kind == PTE and n + 1 < len(self.records) else None
        if kind == PTE and not detail:
            return
        if self.told is None:
            if kind == BARRIERS:
                self.sides, self.barriers = what + 1, caller + len(codes_of(word))
                self.told = 0
            return
        seq = self.index + n - self.sides + self.barriers + self.told
        seq = self.tell(detail[3] if detail else word, seq, head)
        if kind == BARRIERS:
            assert (self.sides, self.barriers) == (what, caller), (
                f"record {self.index + n}: {what} sides and {caller} barriers before it, "
                f"not {self.sides} and {self.barriers}")
            self.sides, self.barriers, self.told = what + 1, caller + self.told, 0
            return
        self.events.append(Event(kind, key_of(kind, more, what, caller, word), seq,
                                 head & (1 << 48) - 1,
                                 more >> 4 & 3 if kind in (PTE, REFS) else 0,
                                 detail[1] if detail else caller))

    def tell(self, word: int, seq: int, head: int) -> int:
        """The barriers that came since the record before; the number that comes next."""
        codes = codes_of(word)
        for code in codes[self.told:]:
            self.events.append(Event(BARRIERS, (code,), seq, head & (1 << 48) - 1))
            seq += 1
        self.told = len(codes)
        return seq


def key_of(kind: int, more: int, what: int, caller: int, word: int) -> tuple:
    """What an event says, without times and places in the code."""
    if kind == PTE:
        return (what, caller, word)
    if kind == REFS:
        return (what, more >> 6 & 15, caller)
    if kind == TLBI:
        return (more, what)
    return (what, caller) if kind in (MAP, UNMAP, BYPASS) else (what,)
