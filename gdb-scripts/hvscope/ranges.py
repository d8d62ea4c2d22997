# SPDX-License-Identifier: GPL-2.0-or-later
"""An address space as ranges: hvscope.ranges/1, and text.

Neighbouring leaves are one range if level, rights, type and software bits are the
same and the output goes on; slots of the mapcache always stay apart.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from hvscope.attributes import Attributes, leaf_attributes
from hvscope.beacon import ReadPhys
from hvscope.error import HvError, WalkStop
from hvscope.layout import NOWHERE, Region, size_short
from hvscope.pte import PTE_ADDR_MASK
from hvscope.regime import Regime
from hvscope.walk import ADDRESS_SIZE, OUTSIDE_RAM, check_root, leaf_fault

SCHEMA = "hvscope.ranges/1"
TABLES_MAX = 1 << 16  # tables that point to each other never end a scan
RANGES_MAX = 1 << 19
ABOVE_MASK = 31 << 59
KEY_MASK = ~PTE_ADDR_MASK
SHARE_SHORT = {"none": "ns", "inner": "is", "outer": "os", "reserved": "??"}


class Range(NamedTuple):
    """Leaves that go on where the one before ends."""

    va: int
    size: int
    pa: int
    level: int
    leaves: int
    attributes: Attributes
    region: str | None


class Scan:
    """One pass over the tables of a regime."""

    def __init__(self, read: ReadPhys, regime: Regime, low: int = 0, high: int = (1 << 64) - 1,
                 region: Callable[[int], Region] = lambda va: NOWHERE) -> None:
        self.read, self.regime, self.region = read, regime, region
        self.low, self.high = low, high
        self.base = regime.base()
        self.ranges: list[Range] = []
        self.faults: dict[str, int] = {}  # entries that are not 0 and translate nothing
        self.tables = 0
        self.here: Region = (0, 0, None)  # the region of the last leaf
        self.known: dict[tuple[int, int], Attributes] = {}

    def run(self, root: int) -> None:
        """Reads all tables from a root."""
        check_root(self.regime, root)
        level = self.regime.start_level
        if self.regime.flag("epd"):
            return
        if root >> self.regime.out_bits:
            self.fault(ADDRESS_SIZE)
            return
        self.table(level, root, 1 << self.regime.index_bits(level), self.base, 0)

    def fault(self, reason: str) -> None:
        """Counts an entry that translates nothing."""
        self.faults[reason] = self.faults.get(reason, 0) + 1

    def table(self, level: int, pa: int, entries: int, va: int, above: int) -> None:
        """One table, and those below it."""
        self.tables += 1
        if self.tables > TABLES_MAX or len(self.ranges) > RANGES_MAX:
            raise HvError(f"more than {TABLES_MAX} tables or {RANGES_MAX} ranges below this root: "
                          "tables that point to each other? Ask for a part with --range")
        try:
            data = self.read(pa, entries * 8)
        except WalkStop as stop:
            self.fault(stop.reason)
            return
        except LookupError:
            self.fault(OUTSIDE_RAM)
            return
        if data.count(0) == len(data):
            return
        shift = self.regime.shift(level)
        first = max(self.low - va >> shift, 0)
        last = min((self.high - va >> shift) + 1, entries)
        self.entries(level, struct.unpack(f"<{entries}Q", data), first, last, va, above)

    def entries(self, level: int, ptes: tuple[int, ...], at: int, end: int, va: int,
                above: int) -> None:
        """Entries at..end of a table whose first one is for va."""
        regime, shift = self.regime, self.regime.shift(level)
        while at < end:
            pte = ptes[at]
            if not pte & 1:
                at += 1
                continue
            kind = regime.kind(pte, level)
            if kind == "table":
                self.below(level, pte, va + (at << shift), above)
                at += 1
            else:
                at += self.leaves(level, kind, ptes, at, end, va + (at << shift), above)

    def below(self, level: int, pte: int, va: int, above: int) -> None:
        """The table that an entry points to."""
        regime = self.regime
        table = regime.output_pa(pte, regime.granule.shift)
        if table >> regime.out_bits:
            self.fault(ADDRESS_SIZE)
        else:
            self.table(level + 1, table, 1 << regime.granule.stride, va,
                       above | pte & ABOVE_MASK)

    def leaves(self, level: int, kind: str, ptes: tuple[int, ...], at: int, end: int, va: int,
               above: int) -> int:
        """A run of leaves that differ in their address only; how many they are."""
        regime, shift, pte = self.regime, self.regime.shift(level), ptes[at]
        pa = regime.output_pa(pte, shift)
        if not self.here[0] <= va < self.here[1]:
            self.here = self.region(va)
        region = self.here[2]
        count = 1
        if region != "domheap":
            step, after = 1 << shift, at + 1
            while after < end and ptes[after] - pte == step:
                pte, after = ptes[after], after + 1
            count = after - at
        over = (pa + (count << shift) - 1) >> regime.out_bits
        if over or regime.output_pa(pte, shift) - pa != count - 1 << shift:
            count = 1  # the address ran over into other bits
        fault = leaf_fault(regime, kind, ptes[at], pa)
        if fault is not None:
            self.faults[fault] = self.faults.get(fault, 0) + count
        else:
            self.add(va, count << shift, pa, level, count, self.attributes(ptes[at], above), region)
        return count

    def attributes(self, pte: int, above: int) -> Attributes:
        """Of a leaf; leaves with the same bits are decoded once."""
        key = (pte & KEY_MASK, above)
        if key not in self.known:
            self.known[key] = leaf_attributes(self.regime, above, pte)
        return self.known[key]

    def add(self, va: int, size: int, pa: int, level: int, leaves: int, attributes: Attributes,
            region: str | None) -> None:
        """A run of leaves: part of the last range, or the next one."""
        if self.ranges and region != "domheap":
            last = self.ranges[-1]
            if (last.va + last.size == va and last.pa + last.size == pa and last.level == level
                    and last.attributes == attributes and last.region == region):
                self.ranges[-1] = last._replace(size=last.size + size, leaves=last.leaves + leaves)
                return
        self.ranges.append(Range(va, size, pa, level, leaves, attributes, region))


def ranges_json(ranges: list[Range], regime: str, cpu: int | None, root: int) -> str:
    """The ranges on one line; by a template, since there may be many."""
    import json
    head = json.dumps({"schema": SCHEMA, "regime": regime, "cpu": cpu, "root": hex(root),
                       "ranges": []}, separators=(",", ":"))
    return head[:-2] + ",".join(range_json(one) for one in ranges) + "]}"


def range_json(one: Range) -> str:
    """One range."""
    perm, perm_el0, kind, share, software = one.attributes
    return ('{"va":"%#x","size":"%#x","pa":"%#x","level":%d,"leaves":%d,"perm":"%s","perm_el0":%s,'
            '"type":"%s","share":"%s","software":"%s","region":%s}'
            % (one.va, one.size, one.pa, one.level, one.leaves, perm, quoted(perm_el0), kind, share,
               software, quoted(one.region)))


def quoted(word: str | None) -> str:
    """A word in JSON."""
    return "null" if word is None else f'"{word}"'


def type_short(kind: str) -> str:
    """wb, nc, nGnRE, ...: of at most 16 characters."""
    for old, new in (("normal-", ""), ("device-", ""), ("-transient", "t"), ("inner-", "i:"),
                     ("-outer-", " o:")):
        kind = kind.replace(old, new)
    return kind


def attributes_text(attributes: Attributes) -> str:
    """The end of a line."""
    perm, perm_el0, kind, share, software = attributes
    both = perm if perm_el0 is None else f"{perm}/{perm_el0}"
    refs = "" if software == "0x0" else f"sw={software[2:]}"
    return f"{both:<7}  {SHARE_SHORT[share]}  {refs:<4}  {type_short(kind)}"


def range_lines(ranges: list[Range]) -> list[str]:
    """A line a range, and one for each region's name. What repeats is made once."""
    lines, region = [], None
    ends: dict[Attributes, str] = {}
    sizes: dict[int, str] = {}
    for va, size, pa, level, _, attributes, here in ranges:
        if here != region:
            region = here
            lines.append(f"{region or 'outside all regions'}:")
        end = ends.get(attributes)
        if end is None:
            end = ends[attributes] = attributes_text(attributes)
        words = sizes.get(size)
        if words is None:
            words = sizes[size] = size_short(size)
        lines.append("  %-#18x  %8s  %-#14x  L%-2d %s" % (va, words, pa, level, end))
    return lines


def ranges_text(ranges: list[Range], head: str, faults: dict[str, int]) -> str:
    """For people, 80 columns wide; a line for each region's name."""
    lines = [head]
    if ranges:
        lines.append("  va                      size  pa              L   rights   sh  sw    type")
    lines += range_lines(ranges)
    total = sum(one.size for one in ranges)
    lines.append(f"  {len(ranges)} ranges, {sum(one.leaves for one in ranges)} leaves, "
                 f"{size_short(total)} mapped")
    lines += [f"  {count} entries translate nothing: {reason}" for reason, count in faults.items()]
    return "\n".join(lines)
