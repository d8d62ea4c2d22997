# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces in the format of traces/FORMAT.md, as lists of words.

A word is a record: a map is mfn << 1 | 1, an unmap depth << 1 (0 is the
youngest live map). The image hashes the same words.
"""

import lzma
import struct
from collections.abc import Iterator
from pathlib import Path

RAM_START = 0x40000000
RAM_SIZE = 64 << 30
BASE = RAM_START >> 12
HEADER = struct.Struct("<4sHHIIQQQIIIIQ")


def map_word(mfn: int) -> int:
    """The record of a map."""
    return mfn << 1 | 1


def unmap_word(depth: int = 0) -> int:
    """The record of an unmap."""
    return depth << 1


def records_hash(words: list[int]) -> int:
    """FNV-1a, 64 bits, a word at a time: hv/work/bench.c does the same."""
    value = 0xcbf29ce484222325
    for word in words:
        value = (value ^ word) * 0x100000001b3 & 0xffffffffffffffff
    return value


def leb128(value: int) -> bytes:
    """7 bits a byte, the low ones first."""
    out = bytearray()
    while value > 0x7f:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def encode(words: list[int]) -> bytes:
    """A trace of one CPU and one caller."""
    stream, last = bytearray(), BASE
    for word in words:
        if word & 1:
            delta = (word >> 1) - last
            last = word >> 1
            stream += b"\0" + leb128(2 * delta if delta >= 0 else -2 * delta - 1)
        else:
            stream += b"\x80" + leb128(word >> 1)
    header = HEADER.pack(b"XMCT", 1, 64, 1, 0, RAM_START, RAM_SIZE, len(words), 1, 0, 1024, 512,
                         BASE)
    return b"".join((header, b"\5bench", struct.pack("<QQ", len(words), len(stream)), stream))


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """The number at this offset, and the offset behind it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7f) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def streams(data: bytes) -> tuple[int, list[memoryview]]:
    """First frame of RAM, and each CPU's stream."""
    view = memoryview(data)
    fields = HEADER.unpack_from(data)
    ncpu, callers, phases, base = fields[3], fields[8], fields[9], fields[12]
    at = HEADER.size
    for _ in range(callers):
        at += 1 + data[at]
    for _ in range(phases):
        at += 1 + data[at] + 4 + 8 * ncpu
    found = []
    for _ in range(ncpu):
        size = struct.unpack_from("<QQ", data, at)[1]
        found.append(view[at + 16:at + 16 + size])
        at += 16 + size
    return base, found


def records(base: int, stream: memoryview) -> Iterator[int]:
    """The words of a stream."""
    last: dict[int, int] = {}
    at, end = 0, len(stream)
    while at < end:
        head = stream[at]
        value, at = varint(stream, at + 1)
        if head == 0xff:
            continue
        if head & 0x80:
            yield value << 1
        else:
            delta = value >> 1 if value & 1 == 0 else -(value >> 1) - 1
            last[head] = last.get(head, base) + delta
            yield last[head] << 1 | 1


def middle(words: Iterator[int], skip: int, pairs: int) -> list[int]:
    """So many maps and their unmaps, from where nothing is live after skip maps.

    What is live at the end is released.
    """
    live, maps = 0, 0
    for word in words:
        maps += word & 1
        live += 1 if word & 1 else -1
        if maps >= skip and not live:
            break
    taken, maps = [], 0
    for word in words:
        if maps == pairs and word & 1:
            break
        maps += word & 1
        live += 1 if word & 1 else -1
        taken.append(word)
    return taken + [unmap_word()] * live


def unpack(packed: Path) -> bytes:
    """A recorded trace as it was before xz."""
    return lzma.decompress(packed.read_bytes())


def real_streams(file: Path) -> list[Iterator[int]]:
    """The streams of an unpacked trace."""
    base, found = streams(file.read_bytes())
    return [records(base, stream) for stream in found]
