# SPDX-License-Identifier: GPL-2.0-or-later
"""The regions of the image's EL2 address space: include/hvscope/layout.h; hv-layout's answer."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from typing import Any

from hvscope.beacon import Beacon

MB, GB = 1 << 20, 1 << 30
SLOT0 = 1 << 39

REGIONS = (
    ("identity", 0, 20 * SLOT0),
    ("image", 20 * SLOT0 + 2 * MB, 8 * MB),
    ("fixmap", 20 * SLOT0 + 10 * MB, 2 * MB),
    ("fdt", 20 * SLOT0 + 12 * MB, 4 * MB),
    ("vmap", 20 * SLOT0 + GB, GB),
    ("frametable", 20 * SLOT0 + 32 * GB, 32 * GB),
    ("domheap", 255 * SLOT0, 2 * GB),
    ("directmap", 256 * SLOT0, 10 * SLOT0),
)
WORDS = {
    "identity": "MMU going on",
    "image": "code and data", "fixmap": "fixed pages",
    "fdt": "device tree", "vmap": "global maps, stacks",
    "frametable": "struct of a frame", "domheap": "the slots",
    "directmap": "fixed offset",
}


Region = tuple[int, int, "str | None"]  # from, to, name
NOWHERE: Region = (0, 1 << 64, None)


def region_finder(beacon: Beacon | None) -> Callable[[int], Region]:
    """A function from VA to the region around it; without a beacon nothing is known."""
    if beacon is None:
        return lambda va: NOWHERE
    if not beacon.counted:
        return few_regions([("image", beacon.image_va, beacon.image[1]),
                            ("domheap", beacon.domheap_va, beacon.domheap_size)])
    starts = [start for _, start, _ in REGIONS]

    def find(va: int) -> Region:
        n = max(bisect_right(starts, va) - 1, 0)
        name, start, size = REGIONS[n]
        if start <= va < start + size:
            return start, start + size, name
        return start + size, starts[n + 1] if n + 1 < len(starts) else 1 << 64, None
    return find


def few_regions(regions: list[tuple[str, int, int]]) -> Callable[[int], Region]:
    """A function from VA to the region around it, or to the gap between two."""
    def find(va: int) -> Region:
        low, high = 0, 1 << 64
        for name, start, size in regions:
            if size and start <= va < start + size:
                return start, start + size, name
            if size and start > va:
                high = min(high, start)
            elif size:
                low = max(low, start + size)
        return low, high, None
    return find


def size_short(size: int) -> str:
    """2M, 4K, 1G: exact."""
    for unit in ("", "K", "M", "G"):
        if size % 1024 or size < 1024:
            return f"{size}{unit}"
        size >>= 10
    return f"{size}T"


def size_about(size: int) -> str:
    """The same, at most four digits and a unit."""
    for unit in ("", "K", "M", "G"):
        if size < 1024 or size < 10240 and size % 1024:
            return f"{size}{unit}"
        size >>= 10
    return f"{size}T"


def layout_text(ranges: Iterable[Any], cpu: int, root: int, own_slot: int) -> str:
    """Regions with what is mapped in each; ranges: of the whole EL2 space."""
    mapped: dict[str | None, list[int]] = {}
    for _, size, _, _, leaves, _, region in ranges:
        total = mapped.setdefault(region, [0, 0])
        total[0] += size
        total[1] += leaves
    lines = [f"CPU{cpu}, root {root:#x}; L0[{own_slot}] is its own, the rest is shared",
             "  L0       va              size  mapped  leaves  region"]
    for name, start, size in REGIONS:
        total = mapped.get(name, [0, 0])
        first, last = start >> 39, start + size - 1 >> 39
        slots = f"{first}" if first == last else f"{first}-{last}"
        lines.append(f"  {slots:<7}  {start:<#14x}  {size_short(size):>4}  "
                     f"{size_about(total[0]):>6}  {total[1]:>6}  {name}: {WORDS[name]}")
    if None in mapped:
        lines.append(f"  outside all regions: {size_about(mapped[None][0])} mapped; pt-dump")
    return "\n".join(lines)


def foreign_text(ranges: Iterable[Any], cpu: int, root: int, level: int) -> str:
    """The same of a Xen, whose image and slots alone have names: the rest by root entries."""
    groups: dict[tuple[str | None, int], list[int]] = {}
    shift = 39 - 9 * level
    for va, size, _, _, leaves, _, region in ranges:
        group = groups.setdefault((region, -1 if region else va >> shift), [va, 0, 0, 0])
        group[1:] = [va + size, group[2] + size, group[3] + leaves]
    lines = [f"CPU{cpu}, root {root:#x}; of a Xen only the image and the slots have names here",
             f"  L{level}       from            to              mapped  leaves  region"]
    for (name, _), (start, end, size, leaves) in groups.items():
        first, last = start >> shift, end - 1 >> shift
        entries = f"{first}" if first == last else f"{first}-{last}"
        lines.append(f"  {entries:<7}  {start:<#14x}  {end:<#14x}  {size_about(size):>6}  "
                     f"{leaves:>6}  {f'{name}: {WORDS[name]}' if name else '-'}")
    return "\n".join(lines)
