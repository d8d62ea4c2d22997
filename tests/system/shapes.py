# SPDX-License-Identifier: GPL-2.0-or-later
"""Translation tables of any granule and size, made and read by hand: a naive oracle.

It shares no code with the tools. What a level maps, where a walk begins and how an address
lies in an entry are written out here from the Arm ARM, D8.2 and D8.3.
"""
from __future__ import annotations

import mmap
import random
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

RAM_BASE = 0x40000000
SHIFTS = {"4K": {-1: 48, 0: 39, 1: 30, 2: 21, 3: 12}, "16K": {0: 47, 1: 36, 2: 25, 3: 14},
          "64K": {1: 42, 2: 29, 3: 16}}
ENTRIES = {"4K": 512, "16K": 2048, "64K": 8192}
BLOCKS = {("4K", ""): (1, 2), ("4K", "lpa2"): (0, 1, 2), ("16K", ""): (2,), ("16K", "lpa2"): (1, 2),
          ("64K", ""): (2,), ("64K", "lpa"): (1, 2)}
ACCESS_FLAG = 1 << 10

Word = Callable[[int], "int | None"]  # of physical memory; None outside RAM
Words = Callable[[int, int], "tuple[int, ...]"]  # the same: so many; none outside RAM


class Shape(NamedTuple):
    """A regime: wide is "" for 48-bit addresses, lpa2 or lpa for 52-bit ones."""

    granule: str
    in_bits: int
    start: int
    wide: str = ""
    high: bool = False
    out_bits: int = 48
    stage2: bool = False
    sets_af: bool = False  # HA: a clear access flag is no fault

    def base(self) -> int:
        """Lowest address."""
        return (1 << 64) - (1 << self.in_bits) if self.high else 0

    def first_entries(self) -> int:
        """Of the first table, or of several side by side."""
        return 1 << self.in_bits - SHIFTS[self.granule][self.start]


class Leaf(NamedTuple):
    """What an address is mapped by."""

    va: int
    pa: int
    level: int
    pte: int


def put_address(shape: Shape, pa: int) -> int:
    """The address field of an entry."""
    if shape.wide == "lpa2":
        return pa % (1 << 50) + (pa >> 50) * (1 << 8)
    if shape.wide == "lpa":
        return pa % (1 << 48) + (pa >> 48) * (1 << 12)
    return pa


def get_address(shape: Shape, pte: int, shift: int) -> int:
    """The address in an entry, from bit `shift` up."""
    top = 50 if shape.wide == "lpa2" else 48
    pa = pte % (1 << top) // (1 << shift) * (1 << shift)
    if shape.wide == "lpa2":
        pa += pte // 256 % 4 * (1 << 50)
    if shape.wide == "lpa":
        pa += pte // 4096 % 16 * (1 << 48)
    return pa


def is_leaf(shape: Shape, pte: int, level: int) -> bool:
    """A valid block or page?"""
    if level == 3:
        return pte % 4 == 3
    return pte % 4 == 1 and level in BLOCKS[shape.granule, shape.wide]


def maps(shape: Shape, leaf: Leaf) -> bool:
    """Does this leaf translate, or does it fault?"""
    return (shape.sets_af or bool(leaf.pte & ACCESS_FLAG)) and leaf.pa >> shape.out_bits == 0


def below(shape: Shape, pte: int) -> int:
    """The table that an entry points to."""
    return get_address(shape, pte, SHIFTS[shape.granule][3])


def leaves(words: Words, shape: Shape, root: int) -> Iterator[Leaf]:
    """Every mapping, ascending."""
    def table(pa: int, level: int, base: int, count: int) -> Iterator[Leaf]:
        shift = SHIFTS[shape.granule][level]
        for n, pte in enumerate(words(pa, count)):
            if pte % 2 == 0:
                continue
            va = base + (n << shift)
            if level < 3 and pte % 4 == 3:
                if below(shape, pte) >> shape.out_bits == 0:
                    yield from table(below(shape, pte), level + 1, va, ENTRIES[shape.granule])
            elif is_leaf(shape, pte, level):
                leaf = Leaf(va, get_address(shape, pte, shift), level, pte)
                if maps(shape, leaf):
                    yield leaf
    yield from table(root, shape.start, shape.base(), shape.first_entries())


def walk(word: Word, shape: Shape, root: int, va: int) -> int | None:
    """PA of an address, None if it faults."""
    offset = va - shape.base()
    if not 0 <= offset < 1 << shape.in_bits:
        return None
    table = root
    for level in range(shape.start, 4):
        shift = SHIFTS[shape.granule][level]
        index = offset >> shift
        if level != shape.start:
            index %= ENTRIES[shape.granule]
        pte = word(table + 8 * index)
        if pte is None:
            return None
        if is_leaf(shape, pte, level):
            leaf = Leaf(va, get_address(shape, pte, shift), level, pte)
            return leaf.pa + offset % (1 << shift) if maps(shape, leaf) else None
        if pte % 4 != 3 or level == 3 or below(shape, pte) >> shape.out_bits:
            return None
        table = below(shape, pte)
    return None


class Builder:
    """Makes tables in a machine's RAM file."""

    def __init__(self, path, at: int) -> None:
        with open(path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        self.at = at  # where the next table goes

    def word(self, pa: int) -> int | None:
        """A word of RAM."""
        if not 0 <= pa - RAM_BASE <= len(self.memory) - 8:
            return None
        return struct.unpack_from("<Q", self.memory, pa - RAM_BASE)[0]

    def words(self, pa: int, count: int) -> tuple[int, ...]:
        """Words of RAM."""
        if not 0 <= pa - RAM_BASE <= len(self.memory) - 8 * count:
            return ()
        return struct.unpack_from(f"<{count}Q", self.memory, pa - RAM_BASE)

    def put(self, pa: int, *words: int) -> None:
        """Words into RAM."""
        struct.pack_into(f"<{len(words)}Q", self.memory, pa - RAM_BASE, *words)

    def table(self, shape: Shape, entries: int) -> int:
        """An empty table, aligned to its size."""
        size = max(8 * entries, 64)
        self.at = -(-self.at // size) * size
        self.memory[self.at - RAM_BASE:self.at - RAM_BASE + size] = bytes(size)
        self.at += size
        return self.at - size

    def root(self, shape: Shape) -> int:
        """The first table or tables."""
        return self.table(shape, shape.first_entries())

    def insert(self, shape: Shape, root: int, va: int, level: int, pa: int, bits: int) -> None:
        """Maps va to pa by a leaf of this level, unless a leaf is in the way."""
        offset, table = va - shape.base(), root
        for here in range(shape.start, level + 1):
            index = offset >> SHIFTS[shape.granule][here]
            if here != shape.start:
                index %= ENTRIES[shape.granule]
            at = table + 8 * index
            pte = self.word(at)
            if here == level:
                if pte == 0:
                    self.put(at, put_address(shape, pa) | bits | (3 if level == 3 else 1))
            elif pte == 0:
                table = self.table(shape, ENTRIES[shape.granule])
                self.put(at, put_address(shape, table) | 3)
            elif pte % 4 == 3:
                table = below(shape, pte)
            else:
                return

    def fill(self, shape: Shape, root: int, noise: random.Random, count: int) -> list[int]:
        """Leaves all over the range, some in rows, a few without access flag or out of range.

        Where they are, whether another was there before or not.
        """
        known = []
        shifts = SHIFTS[shape.granule]
        levels = [level for level in (*BLOCKS[shape.granule, shape.wide], 3)
                  if level >= shape.start]
        for _ in range(count):
            level = noise.choice(levels)
            size = 1 << shifts[level]
            bits = ACCESS_FLAG | noise.choice((0, 1 << 55, 5 << 55)) | noise.choice((0, 1 << 54))
            bits |= 0xFC if shape.stage2 else noise.choice((0, 1 << 7))
            if noise.random() < 0.1:
                bits &= ~ACCESS_FLAG
            va = shape.base() + noise.getrandbits(shape.in_bits) // size * size
            pa = noise.getrandbits(shape.out_bits + (noise.random() < 0.15)) // size * size
            pa %= 1 << (52 if shape.wide else 48)
            for n in range(noise.choice((1, 1, 6))):
                if (va + (n + 1) * size - shape.base()) >> shape.in_bits == 0:
                    self.insert(shape, root, va + n * size, level, pa + n * size, bits)
                    known.append(va + n * size)
        return known
