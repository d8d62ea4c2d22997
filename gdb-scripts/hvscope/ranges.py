# SPDX-License-Identifier: GPL-2.0-or-later
"""An address space as ranges: hvscope.ranges/1, and text.

Neighbouring leaves are one range if level, rights, type and software bits are the
same and the output goes on; slots of the mapcache always stay apart.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from operator import sub
from typing import Final

from hvscope.attributes import Attributes, leaf_attributes
from hvscope.beacon import ReadPhys
from hvscope.error import HvError, Unreadable, WalkStop
from hvscope.layout import NOWHERE, Region, size_short
from hvscope.regime import Regime
from hvscope.walk import ADDRESS_SIZE, OUTSIDE_RAM, RESERVED, check_root, leaf_fault

SCHEMA = "hvscope.ranges/1"
TABLES_MAX = 1 << 16  # tables that point to each other never end a scan
RANGES_MAX = 1 << 18
KEPT_MAX = 1 << 12  # tables that are kept, in case others point to them too
ABOVE_MASK = 31 << 59
SHARE_SHORT = {"none": "ns", "inner": "is", "outer": "os", "reserved": "??"}
DOMHEAP = "domheap"

# Leaves that go on where the one before ends: VA, size, PA, level, leaves, attributes, region.
Range = tuple[int, int, int, int, int, Attributes, "str | None"]
VA: Final = 0
SIZE: Final = 1
PA: Final = 2
LEVEL: Final = 3
LEAVES: Final = 4
ATTRIBUTES: Final = 5
REGION: Final = 6
Meaning = tuple[str, "str | None", "Attributes | None"]  # kind, fault, attributes


class Level:
    """What entries of one level below given table attributes mean; each decoded once."""

    def __init__(self, regime: Regime, level: int, above: int) -> None:
        self.regime, self.level, self.above = regime, level, above
        self.shift = regime.shift(level)
        self.pa_mask = (1 << 48) - (1 << self.shift)
        self.known: dict[int, Meaning] = {}

    def meaning(self, pte: int) -> Meaning:
        """Of an entry, its address left aside."""
        regime = self.regime
        kind = regime.kind(pte, self.level)
        if kind in ("table", "invalid"):
            return kind, None, None
        fault = leaf_fault(regime, kind, pte, 0)
        return kind, fault, None if fault else leaf_attributes(regime, self.above, pte)

    def pa(self, pte: int) -> int:
        """Output address of a leaf."""
        return self.regime.output_pa(pte, self.shift)

    def runs(self, ptes: tuple[int, ...], at: int, end: int) -> Iterator[tuple[int, int]]:
        """(index, count) of entries that differ in their address only, which goes on.

        The differences of neighbours are taken in one go: a large space has a million entries.
        """
        step = 1 << self.shift
        gaps = map(sub, ptes[at + 1:end], ptes[at:end])
        for after in [n for n, gap in enumerate(gaps, at + 1) if gap != step]:
            yield at, after - at
            at = after
        if at < end:
            yield at, end - at


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
        self.kept: dict[int, bytes] = {}
        self.here: Region = (0, 0, None)  # the region of the last leaf
        self.levels: dict[tuple[int, int], Level] = {}
        self.top = 1 << regime.out_bits
        self.wide = regime.lpa or regime.lpa2  # an address is not one field of the entry

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

    def fault(self, reason: str, count: int = 1) -> None:
        """Counts entries that translate nothing."""
        self.faults[reason] = self.faults.get(reason, 0) + count

    def table(self, level: int, pa: int, entries: int, va: int, above: int) -> None:
        """One table, and those below it."""
        self.tables += 1
        if self.tables > TABLES_MAX or len(self.ranges) > RANGES_MAX:
            raise HvError(f"more than {TABLES_MAX} tables or {RANGES_MAX} ranges below this root: "
                          "tables that point to each other? Ask for a part with --range")
        try:
            data = self.kept.get(pa) or self.read(pa, entries * 8)
        except WalkStop as stop:
            self.fault(stop.reason)
            return
        except Unreadable:
            self.fault(OUTSIDE_RAM)
            return
        if len(self.kept) < KEPT_MAX and level > self.regime.start_level:
            self.kept[pa] = data
        if data.count(0) == len(data):
            return
        rules = self.levels.get((level, above))
        if rules is None:
            rules = self.levels[level, above] = Level(self.regime, level, above)
        first = max(self.low - va >> rules.shift, 0)
        last = min((self.high - va >> rules.shift) + 1, entries)
        self.entries(rules, struct.unpack(f"<{entries}Q", data), first, last, va)

    def entries(self, rules: Level, ptes: tuple[int, ...], at: int, end: int, va: int) -> None:
        """Entries at..end of a table whose first one is for va."""
        shift = rules.shift
        for n, count in rules.runs(ptes, at, end):
            pte = ptes[n]
            if not pte & 1:
                continue
            if count == 1 or self.whole(rules, pte, ptes[n + count - 1], count):
                self.entry(rules, pte, count, va + (n << shift))
            else:
                for m in range(n, n + count):
                    self.entry(rules, ptes[m], 1, va + (m << shift))

    def entry(self, rules: Level, pte: int, count: int, va: int) -> None:
        """A run of entries, by the first one."""
        key = pte & ~rules.pa_mask
        meaning = rules.known.get(key)
        if meaning is None:
            meaning = rules.known[key] = rules.meaning(pte)
        if meaning[0] != "table":
            self.leaves(rules, meaning, pte, count, va)
            return
        for n in range(count):
            self.below(rules, pte + (n << rules.shift), va + (n << rules.shift))

    def below(self, rules: Level, pte: int, va: int) -> None:
        """The table that an entry points to."""
        regime = self.regime
        table = regime.output_pa(pte, regime.granule.shift)
        if table >> regime.out_bits:
            self.fault(ADDRESS_SIZE)
        else:
            self.table(rules.level + 1, table, 1 << regime.granule.stride, va,
                       rules.above | pte & ABOVE_MASK)

    def whole(self, rules: Level, first: int, last: int, count: int) -> bool:
        """Is a run one piece? An address may run over, into other bits or out of range."""
        pa, end = rules.pa(first), rules.pa(last)
        return (end - pa == count - 1 << rules.shift and not (first ^ last) & ~rules.pa_mask
                and end < self.top)

    def leaves(self, rules: Level, meaning: Meaning, pte: int, count: int, va: int) -> None:
        """A run of leaves: part of the last range, or the next one."""
        _, fault, attributes = meaning
        pa = rules.pa(pte) if self.wide else pte & rules.pa_mask
        if pa >= self.top and fault != RESERVED:
            fault = ADDRESS_SIZE
        if fault is not None:
            self.fault(fault, count)
            return
        assert attributes is not None  # of a leaf without a fault
        if not self.here[0] <= va < self.here[1]:
            self.here = self.region(va)
        region, size = self.here[2], count << rules.shift
        if region == DOMHEAP:
            one = 1 << rules.shift
            self.ranges += [(va + n * one, one, pa + n * one, rules.level, 1, attributes, region)
                            for n in range(count)]
            return
        if self.ranges:
            last = self.ranges[-1]
            if (last[PA] + last[SIZE] == pa and last[VA] + last[SIZE] == va
                    and last[ATTRIBUTES] == attributes and last[LEVEL] == rules.level
                    and last[REGION] == region):
                self.ranges[-1] = (last[VA], last[SIZE] + size, last[PA], rules.level,
                                   last[LEAVES] + count, attributes, region)
                return
        self.ranges.append((va, size, pa, rules.level, count, attributes, region))


def ranges_json(ranges: list[Range], regime: str, cpu: int | None, root: int) -> str:
    """The ranges on one line; by a template, since there may be many."""
    import json
    head = json.dumps({"schema": SCHEMA, "regime": regime, "cpu": cpu, "root": hex(root),
                       "ranges": []}, separators=(",", ":"))
    ends: dict[tuple[Attributes, str | None], str] = {}
    rows = []
    for va, size, pa, level, leaves, attributes, region in ranges:
        end = ends.get((attributes, region))
        if end is None:
            end = ends[attributes, region] = end_json(attributes, region)
        rows.append('{"va":"%#x","size":"%#x","pa":"%#x","level":%d,"leaves":%d,%s'
                    % (va, size, pa, level, leaves, end))
    return head[:-2] + ",".join(rows) + "]}"


def end_json(attributes: Attributes, region: str | None) -> str:
    """What many ranges have in common."""
    perm, perm_el0, kind, share, software = attributes
    return (f'"perm":"{perm}","perm_el0":{quoted(perm_el0)},"type":"{kind}","share":"{share}",'
            f'"software":"{software}","region":{quoted(region)}}}')


def quoted(word: str | None) -> str:
    """A word in JSON."""
    return "null" if word is None else f'"{word}"'


def type_short(kind: str) -> str:
    """wb, nc, nGnRE, wb/nc (inner, outer), nGnRE-x (nXS), ...: of at most 9 characters."""
    for old, new in (("normal-", ""), ("device-", ""), ("-transient", "t"), ("inner-", ""),
                     ("-outer-", "/"), ("reserved", "res"), ("-nxs", "-x")):
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
    lines: list[str] = []
    region: str | None = None
    ends: dict[tuple[int, Attributes], str] = {}
    sizes: dict[int, str] = {}
    for va, size, pa, level, _, attributes, here in ranges:
        if here != region:
            region = here
            lines.append(f"{region or 'outside all regions'}:")
        end = ends.get((level, attributes))
        if end is None:
            end = ends[level, attributes] = f"L{level:<2d} {attributes_text(attributes)}"
        words = sizes.get(size)
        if words is None:
            words = sizes[size] = f"{size_short(size):>8}"
        lines.append("  %-#18x %s  %-#15x %s" % (va, words, pa, end))
    return lines


def ranges_text(ranges: list[Range], head: str, faults: dict[str, int]) -> str:
    """For people, 80 columns wide; a line for each region's name."""
    lines = [head]
    if ranges:
        lines.append("  va                     size  pa              L   rights   sh  sw    type")
    lines += range_lines(ranges)
    total = sum(one[SIZE] for one in ranges)
    lines.append(f"  {len(ranges)} ranges, {sum(one[LEAVES] for one in ranges)} leaves, "
                 f"{size_short(total)} mapped")
    lines += [f"  {count} entries translate nothing: {reason}" for reason, count in faults.items()]
    return "\n".join(lines)
