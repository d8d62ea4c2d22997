# SPDX-License-Identifier: GPL-2.0-or-later
"""The event ring of each CPU: include/hvscope/trace.h; who maps, from what it still holds.

The ring is guest data: its place and size are checked, its records are only shown.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable
from typing import NamedTuple

from hvscope.beacon import Beacon, ReadPhys
from hvscope.error import HvError

RECORD_SIZE = 32
ENTRIES_MAX = 1 << 20
KINDS = ("none", "map", "unmap", "bypass")
MAP, UNMAP, BYPASS = 1, 2, 3
OWNERS_SHOWN = 16

Where = Callable[[int], str]  # an address of code in words


class Record(NamedTuple):
    """One event; seq counts this CPU's events from 0, time is CNTPCT_EL0."""

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

    @property
    def word(self) -> str:
        """map, hit (a map that found its frame), unmap, bypass, or the kind's number."""
        if self.kind == MAP and self.hit:
            return "hit"
        return KINDS[self.kind] if self.kind < len(KINDS) else f"kind{self.kind}"


def record_decode(cpu: int, seq: int, head: int, what: int, caller: int) -> Record:
    """A record from its words."""
    return Record(cpu, seq, head & (1 << 48) - 1, head >> 48 & 15, what & (1 << 36) - 1,
                  what >> 36 & 1023, what >> 46 & 15, bool(what >> 50 & 1), what >> 51 & 1023,
                  caller)


def ring_read(read: ReadPhys, beacon: Beacon, cpu: int, newest: int | None = None
              ) -> list[Record]:
    """Records of a halted CPU, oldest first; newest: only so many of the last ones."""
    fields = beacon.cpus[cpu].fields
    ring, entries, head = (fields[key] for key in ("ring", "ring_entries", "ring_head"))
    if not ring or not entries:
        return []
    if entries & entries - 1 or entries > ENTRIES_MAX or ring % 8 or \
            not beacon.readable(ring, entries * RECORD_SIZE):
        raise HvError(f"the event ring of CPU{cpu} is not in RAM: {entries} records at {ring:#x}")
    count = min(head, entries, entries if newest is None else newest)
    first = (head - count) % entries
    pieces = [(first, min(count, entries - first)), (0, count - min(count, entries - first))]
    data = b"".join(read(ring + at * RECORD_SIZE, n * RECORD_SIZE) for at, n in pieces if n)
    return [record_decode(cpu, head - count + n, *words[:3])
            for n, words in enumerate(struct.iter_unpack("<QQQQ", data))]


def require_ring(beacon: Beacon) -> None:
    """HvError if the image keeps no records."""
    if not any(cpu.fields["ring"] for cpu in beacon.cpus):
        raise HvError("this image keeps no event ring: boot it with trace=api")


def log_text(records: list[Record], cntfrq: int, where: Where, fitted: Callable[[str, int], str]
             ) -> str:
    """Events for people, 80 columns wide; times count back from the last one."""
    if not records:
        return "no events yet"
    last = max(record.time for record in records)
    lines = [" cpu     event       time  what    mfn        slot  refs probe  caller"]
    for r in records:
        ago = (r.time - last) / cntfrq if cntfrq else 0
        slot = f"{'-':>4}  {'-':>4} {'-':>5}" if r.kind == BYPASS else \
            f"{r.slot:>4}  {r.refs:>4} {r.probe if r.kind == MAP else '-':>5}"
        line = f"{r.cpu:>4} {r.seq:>9} {ago:>10.6f}  {r.word:<6}  {r.mfn:<#9x}  {slot}  "
        lines.append(line + fitted(where(r.caller), 80 - len(line)))
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
                 fitted: Callable[[str, int], str]) -> str:
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
        lines.append(line + fitted(by, 80 - len(line)))
    return "\n".join(lines)
