# SPDX-License-Identifier: GPL-2.0-or-later
"""mapcache-break: breakpoints on the image's trace points, and the filter that calls them.

The image calls an empty function when a change matches the filter in its beacon, so
GDB stops there and nowhere else. The filter is the one thing that these commands write
into the machine; it is written again when the machine has been reset.
"""

from __future__ import annotations

import re

import gdb

from hvscope import beacon as layout
from hvscope.arguments import usage
from hvscope.beacon import Beacon
from hvscope.error import HvError, Unreadable
from hvscope.target import MASK64, TARGET, exception_level
from hvscope.walking import address

KINDS = ("slot", "mfn", "full", "commandeer", "saturate", "refs>=")
TRACE_POINTS = {"slot": "mapcache_hit", "mfn": "mapcache_hit", "refs": "mapcache_hit",
                "full": "mapcache_full", "commandeer": "mapcache_commandeer",
                "saturate": "mapcache_saturate"}
BITS = {"slot": layout.FILTER_SLOT, "mfn": layout.FILTER_MFN, "refs": layout.FILTER_REFS,
        "commandeer": layout.FILTER_COMMANDEER, "saturate": layout.FILTER_SATURATE, "full": 0}
WORDS = {"slot": "a map or an unmap changes slot {0}", "mfn": "frame {0:#x} is mapped or unmapped",
         "refs": "a map makes a count {0} or more", "full": "no slot is left",
         "commandeer": "a slot loses a frame to another one",
         "saturate": "a count becomes 15"}


class MapcacheBreak(gdb.Breakpoint):
    """A breakpoint on a trace point."""

    def __init__(self, kind: str, value: int) -> None:
        super().__init__(TRACE_POINTS[kind])
        self.kind, self.value = kind, value

    def stop(self) -> bool:
        """Stops, unless a guest runs at the same address, or another filter called."""
        if exception_level() != 2:
            return False
        frame = gdb.newest_frame()
        try:
            if self.kind == "slot":
                return int(frame.read_var("slot")) == self.value
            if self.kind == "mfn":
                return int(frame.read_var("mfn")["mfn"]) & MASK64 == self.value
            if self.kind == "refs":
                return int(frame.read_var("refs")) >= self.value
        except (ValueError, gdb.error):
            pass
        return True


class Breaks:
    """All of them. One object: BREAKS."""

    def __init__(self) -> None:
        self.points: list[MapcacheBreak] = []

    def add(self, kind: str, value: int) -> MapcacheBreak:
        """A new one; of each kind with a value there is one, since the filter has one."""
        self.alive()
        for point in [point for point in self.points if point.kind == kind]:
            point.delete()
        self.alive()
        self.points.append(MapcacheBreak(kind, value))
        return self.points[-1]

    def alive(self) -> list[MapcacheBreak]:
        """Those that were not deleted."""
        self.points = [point for point in self.points if point.is_valid()]
        return self.points

    def wanted(self, without: gdb.Breakpoint | None = None) -> bytes:
        """The filter that calls them."""
        bits, value = 0, {"slot": 0, "mfn": 0, "refs": 0}
        for point in self.alive():
            if point.enabled and point is not without:
                bits |= BITS[point.kind]
                value[point.kind] = point.value
        return layout.FILTER.pack(bits, value["slot"], value["mfn"], value["refs"], 0)

    def sync(self, beacon: Beacon, without: gdb.Breakpoint | None = None) -> None:
        """The filter into the image's memory, if another one is there."""
        at, wanted = beacon.pa + layout.FILTER_OFFSET, self.wanted(without)
        with TARGET.physical():
            if TARGET.read_phys(at, len(wanted)) != wanted:
                TARGET.write_phys(at, wanted)

    def note(self) -> None:
        """After a stop: a machine that was reset has lost its filter."""
        if self.alive():
            beacon = TARGET.beacon()
            if beacon.counted and has_filter(beacon):
                self.sync(beacon)

    def changed(self, point: gdb.Breakpoint, gone: bool) -> None:
        """The user disabled, enabled or deleted one."""
        if isinstance(point, MapcacheBreak) and hasattr(point, "kind"):
            try:
                self.sync(TARGET.beacon(), point if gone else None)
            except (HvError, Unreadable, gdb.error):
                pass


BREAKS = Breaks()
gdb.events.breakpoint_deleted.connect(lambda point: BREAKS.changed(point, True))
gdb.events.breakpoint_modified.connect(lambda point: BREAKS.changed(point, False))


def has_filter(beacon: Beacon) -> bool:
    """Does this image look at a filter?"""
    return beacon.size >= layout.FILTER_OFFSET + layout.FILTER.size


def spec(text: str) -> tuple[str, int]:
    """(kind, value) of what the user wrote."""
    if text in ("full", "commandeer", "saturate"):
        return text, 0
    found = re.fullmatch(r"(slot|mfn)\s+(.+)|(refs)\s*>=\s*(.+)", text)
    if found is None:
        raise usage("on what? slot N, mfn M, full, commandeer, saturate, refs>=N")
    kind = found[1] or found[3]
    value = address(found[2] or found[4], f"the {kind}")
    limits = {"slot": (0, 1023), "mfn": (0, (1 << 40) - 1), "refs": (1, 15)}
    low, high = limits[kind]
    if not low <= value <= high:
        raise usage(f"{kind} {value:#x}: not from {low} to {high:#x}")
    return kind, value


def set_break(text: str) -> str:
    """mapcache-break."""
    kind, value = spec(text)
    TARGET.connection()
    beacon = TARGET.beacon()
    if not beacon.counted:
        from hvscope import xenbreaks
        return xenbreaks.set_break(kind, value, beacon)
    if BITS[kind] and not has_filter(beacon):
        raise HvError("this image has no trace points: its beacon has no filter")
    if gdb.lookup_global_symbol(TRACE_POINTS[kind]) is None:
        raise HvError(f"no symbol {TRACE_POINTS[kind]}: load the image's symbols first "
                      "(`file build/hv.elf`)")
    point = BREAKS.add(kind, value)
    BREAKS.sync(beacon)
    return (f"breakpoint {point.number} at {TRACE_POINTS[kind]}(): stops when "
            + WORDS[kind].format(value))
