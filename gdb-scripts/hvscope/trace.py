# SPDX-License-Identifier: GPL-2.0-or-later
"""The event ring of each CPU: include/hvscope/trace.h; who maps, from what it still holds.

The ring is guest data: its place and size are checked, its records are only shown.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from hvscope.beacon import Beacon, ReadPhys
from hvscope.error import HvError

RECORD_SIZE = 32
ENTRIES_MAX = 1 << 20
GROUP_MAX = 8
TRACE_ALL = 2
MAP, UNMAP, BYPASS, PTE, REFS, TLBI, TTBR, IRQ, TEXT, BARRIERS, DETAIL = range(1, 12)
DSB, ISB = 12, 13  # no records of their own
KINDS = ("none", "map", "unmap", "bypass", "pte", "pte", "tlbi", "ttbr", "irq", "text", "", "",
         "dsb", "isb")
TEXTS = ("boot", "finding", "panic")
TLBI_OPS = ("alle2", "vae2", "vale2", "rvae2", "rvale2", "ipas2e1", "vmalle1", "vmalls12e1",
            "alle1", "other", "vae1", "vale1", "vaae1", "vaale1", "aside1")
STORE_REGIMES = ("el2", "s2", "el1", "unknown")
TLBI_SUFFIX = ("", "is", "os", "os")
DSB_DOMAINS = ("osh", "nsh", "ish", "sy")
DSB_TYPES = ("", "ld", "st", "")
MARK, ISB_CODE = 8, 4
TIME_MASK = (1 << 48) - 1
REFS_MASK = 15 << 55
TEXT_MAX = 80
OWNERS_SHOWN = 16

Where = Callable[[int], str]  # an address of code in words
Words = tuple[int, int, int, int]  # of a record


class Record(NamedTuple):
    """One event; seq counts this CPU's events and barriers from 0, time is CNTPCT_EL0."""

    cpu: int
    seq: int
    time: int
    kind: int
    mfn: int
    slot: int
    refs: int
    hit: bool
    probe: int
    caller: int
    says: str = ""  # what an event that is no call says

    @property
    def word(self) -> str:
        """map, hit (a map that found its frame), unmap, pte, dsb ..., or the kind's number."""
        if self.kind == MAP and self.hit:
            return "hit"
        if self.kind == TEXT:
            return TEXTS[self.slot] if self.slot < len(TEXTS) else TEXTS[0]
        return KINDS[self.kind] if self.kind < len(KINDS) else f"kind{self.kind}"


def record_decode(cpu: int, seq: int, head: int, what: int, caller: int) -> Record:
    """A call's record from its words."""
    return Record(cpu, seq, head & TIME_MASK, head >> 48 & 15, what & (1 << 36) - 1,
                  what >> 36 & 1023, what >> 46 & 15, bool(what >> 50 & 1), what >> 51 & 1023,
                  caller)


def other(cpu: int, seq: int, head: int, kind: int, says: str, caller: int = 0,
          text: int = 0) -> Record:
    """An event that is no call."""
    return Record(cpu, seq, head & TIME_MASK, kind, 0, text, 0, False, 0, caller, says)


def barrier_count(word: int) -> int:
    """How many codes a barrier word holds."""
    count = (word.bit_length() - 1) // 4 if word else 0
    return count if word >> 4 * count == MARK else 0


def barrier(cpu: int, seq: int, head: int, code: int) -> Record:
    """A barrier from its code, at the time of the record that carries it."""
    if code == ISB_CODE:
        return other(cpu, seq, head, ISB, "")
    return other(cpu, seq, head, DSB, DSB_DOMAINS[code >> 2] + DSB_TYPES[code & 3])


def table_level(beacon: Beacon, more: int, pa: int) -> int | None:
    """The level that a store's record says, or else that of the tables the beacon names."""
    if more >> 2 & 1:
        return more & 3
    for cpu in beacon.cpus:
        for level, key in ((0, "root"), (1, "l1"), (2, "l2_0"), (2, "l2_1")):
            if cpu.fields[key] == pa & ~0xFFF:
                return level
    return None


def store_says(beacon: Beacon, words: Words) -> str:
    """Which entry, what it was, and what it is."""
    more, pa = words[0] >> 52, words[1] & ((1 << 48) - 8)
    old, new = words[2], words[3]
    if words[0] >> 48 & 15 == REFS:
        new = words[2]
        old = new & ~REFS_MASK | (more >> 6 & 15) << 55
    level = table_level(beacon, more, pa)
    regime = STORE_REGIMES[more >> 4 & 3]
    return (f"{regime}{'' if level is None else f' L{level}'}[{(pa & 0xFFF) // 8}] at {pa:#x}: "
            f"{old:#x} -> {new:#x}")


def tlbi_says(more: int, operand: int) -> str:
    """The operation, and what it covers."""
    op, va, size = more & 15, (operand & (1 << 44) - 1) << 12 & TIME_MASK, 4096
    name = (TLBI_OPS[op] if op < len(TLBI_OPS) else "unknown") + TLBI_SUFFIX[more >> 4 & 3]
    if TLBI_OPS[op:op + 1] in (("vae1",), ("vale1",), ("aside1",)):
        name += f" asid {operand >> 48}"
    if op in (3, 4):
        va = (operand & (1 << 37) - 1) << 12
        size = (operand >> 39 & 31) + 1 << 5 * (operand >> 44 & 3) + 1 + 12
    return f"{name} {va:#x} +{size:#x}" if 1 <= op <= 5 or 10 <= op <= 13 else name


def text_says(records: list[Words]) -> str:
    """A TEXT and its DETAILs, printable."""
    data = b"".join(struct.pack("<QQ", words[1], words[2]) for words in records)[:TEXT_MAX]
    return "".join(chr(c) if 32 <= c < 127 else "?" for c in data.split(b"\0", 1)[0])


def says_of(beacon: Beacon, group: list[Words]) -> tuple[str, int]:
    """What a group of records says, and where it is."""
    words, kind = group[0], group[0][0] >> 48 & 15
    if kind in (PTE, REFS):
        return store_says(beacon, words), group[1][1] if kind == PTE and len(group) > 1 else 0
    if kind == TLBI:
        return tlbi_says(words[0] >> 52, words[1]), words[2]
    if kind == TTBR:
        return f"{words[1]:#x}", words[2]
    if kind == IRQ:
        return f"interrupt {words[1]}", words[2]
    return text_says(group), 0


class Numbers:
    """What gives events their numbers: how many sides and barriers were before."""

    def __init__(self, first: int, records: list[Words], sides: int, barriers: int) -> None:
        """From the records that say it, or else from the CPU's block."""
        self.sides, self.barriers = sides, barriers
        passed, sides_said = 0, False
        for head, what, caller, _ in records:
            kind = head >> 48 & 15
            if kind in (BARRIERS, DETAIL) and not sides_said:
                said = what if kind == BARRIERS else head & TIME_MASK if head >> 52 & 1 else caller
                self.sides, sides_said = said - passed, True
            if kind == BARRIERS:
                self.barriers = caller
                break
            passed += kind == DETAIL
        self.codes = 0 if first == 0 else None  # in the word so far; None: not known


def groups(records: list[Words]) -> Iterator[tuple[int, list[Words]]]:
    """Each record with the DETAILs behind it, and its place."""
    at = 0
    while at < len(records):
        end = at + 1
        while end < len(records) and records[end][0] >> 48 & 15 == DETAIL:
            end += 1
        yield at, records[at:end]
        at = end


def ring_events(beacon: Beacon, cpu: int, first: int, records: list[Words], sides: int = 0,
                barriers: int = 0) -> Iterator[Record]:
    """The events of records, the first of which has the number first in the ring."""
    now = Numbers(first, records, sides, barriers)
    for at, group in groups(records):
        words, kind = group[0], group[0][0] >> 48 & 15
        if kind == DETAIL:  # the record that it belongs to is lost
            now.sides += len(group)
            continue
        carried = group[1:2] if kind == PTE else group[:1]
        word = carried[0][3] if carried else 0
        count = barrier_count(word)
        seq = first + at - now.sides + now.barriers + count
        before = count if now.codes is None else min(now.codes, count)
        for n in range(before, count):
            yield barrier(cpu, seq - count + n, words[0], word >> 4 * (count - 1 - n) & 15)
        now.codes = count
        now.sides += len(group) - 1
        if kind == BARRIERS:
            now.sides, now.barriers, now.codes = now.sides + 1, now.barriers + count, 0
        elif MAP <= kind <= BYPASS:
            yield record_decode(cpu, seq, *words[:3])
        elif PTE <= kind <= TEXT:
            says, where = says_of(beacon, group)
            yield other(cpu, seq, words[0], PTE if kind == REFS else kind, says, where,
                        words[0] >> 52 if kind == TEXT else 0)


def ring_read(read: ReadPhys, beacon: Beacon, cpu: int, newest: int | None = None
              ) -> list[Record]:
    """Events of a halted CPU, oldest first; newest: only so many of the last ones."""
    fields = beacon.cpus[cpu].fields
    ring, entries, head = (fields[key] for key in ("ring", "ring_entries", "ring_head"))
    if not ring or not entries:
        return []
    if entries & entries - 1 or entries > ENTRIES_MAX or ring % 8 or \
            not beacon.readable(ring, entries * RECORD_SIZE):
        raise HvError(f"the event ring of CPU{cpu} is not in RAM: {entries} records at {ring:#x}")
    whole = entries - GROUP_MAX if beacon.fields["trace_mode"] == TRACE_ALL else entries
    count = min(head, max(whole, 1))
    first = (head - count) % entries
    pieces = [(first, min(count, entries - first)), (0, count - min(count, entries - first))]
    data = b"".join(read(ring + at * RECORD_SIZE, n * RECORD_SIZE) for at, n in pieces if n)
    words = [(a, b, c, d) for a, b, c, d in struct.iter_unpack("<QQQQ", data)]
    found = list(ring_events(beacon, cpu, head - count, words,
                             fields["ring_sides"], fields["ring_barriers"]))
    return found if newest is None else found[max(len(found) - newest, 0):]


def require_ring(beacon: Beacon) -> None:
    """HvError if the image keeps no records."""
    if not beacon.counted:
        raise HvError("a Xen keeps no event ring; mapcache-trace logs its calls by breakpoint")
    if not any(cpu.fields["ring"] for cpu in beacon.cpus):
        raise HvError("this image keeps no event ring: boot it with trace=api")


def log_line(r: Record, ago: float, where: Where, fitted: Callable[[str, str], str]) -> str:
    """One event, as wide as fitted() makes it; what a store changed is on a line of its own."""
    line = f"{r.cpu:>4} {r.seq:>9} {ago:>10.6f}  {r.word:<6}  "
    if r.kind == PTE:
        return line + r.says.replace(": ", "\n" + " " * len(line), 1)
    if not MAP <= r.kind <= BYPASS:
        return fitted(line, r.says).rstrip()
    slot = f"{'-':>4}  {'-':>4} {'-':>5}" if r.kind == BYPASS else \
        f"{r.slot:>4}  {r.refs:>4} {r.probe if r.kind == MAP else '-':>5}"
    line += f"{r.mfn:<#9x}  {slot}  "
    return fitted(line, where(r.caller))


def log_text(records: list[Record], cntfrq: int, where: Where, fitted: Callable[[str, str], str]
             ) -> str:
    """Events for people; times count back from the last one."""
    if not records:
        return "no events yet"
    last = max(record.time for record in records)
    lines = [" cpu     event       time  what    mfn        slot  refs probe  caller"]
    lines += [log_line(r, (r.time - last) / cntfrq if cntfrq else 0, where, fitted)
              for r in records]
    return "\n".join(lines)


class Holder(NamedTuple):
    """Who took a reference that is not given back."""

    mfn: int
    record: Record


def slot_holders(records: Iterable[Record], slot: int) -> list[Holder]:
    """Maps of a slot that are still open: an unmap ends the youngest map of its page."""
    held: list[Holder] = []
    for record in records:
        if record.slot != slot or record.kind not in (MAP, UNMAP):
            continue
        if record.kind == MAP:
            if not record.hit:
                held = []
            held.append(Holder(record.mfn, record))
            continue
        for n in range(len(held) - 1, -1, -1):
            if held[n].mfn == record.mfn:
                del held[n]
                break
    return held


class Owner(NamedTuple):
    """A 2 MiB frame that a slot had, from the map that took the slot for it."""

    mfn: int
    first: Record
    last: Record
    maps: int
    most: int
    whole: bool  # does the ring still hold the map that took the slot?


def slot_owners(records: Iterable[Record], slot: int) -> list[Owner]:
    """The frames that a slot had, oldest first, as far as the ring goes back."""
    owners: list[Owner] = []
    for record in records:
        if record.slot != slot or record.kind not in (MAP, UNMAP):
            continue
        frame = record.mfn & ~511
        taken = record.kind == MAP and not record.hit
        if taken or not owners or owners[-1].mfn != frame:
            owners.append(Owner(frame, record, record, 0, 0, taken))
        now = owners[-1]
        owners[-1] = now._replace(last=record, maps=now.maps + (record.kind == MAP),
                                  most=max(now.most, record.refs))
    return owners


def history_text(owners: list[Owner], cpu: int, slot: int, cntfrq: int, newest: int, where: Where,
                 fitted: Callable[[str, str], str]) -> str:
    """The last owners of a slot, youngest last."""
    if not owners:
        return f"CPU{cpu}, slot {slot}: the ring holds no event of it"
    shown = owners[-OWNERS_SHOWN:]
    lines = [f"CPU{cpu}, slot {slot}: {len(owners)} owners in the ring, the last "
             f"{len(shown)}", "      event        time  mfn        maps  most  first mapped by"]
    for one in shown:
        ago = (one.first.time - newest) / cntfrq if cntfrq else 0
        line = f" {one.first.seq:>10}  {ago:>10.6f}  {one.mfn:<#9x}  {one.maps:>4}  {one.most:>4}  "
        by = where(one.first.caller) if one.whole else "(before the ring's first event)"
        lines.append(fitted(line, by))
    return "\n".join(lines)
