# SPDX-License-Identifier: GPL-2.0-or-later
"""A hypervisor's ELF file: where it is linked, which build it is, where its variables are.

32 and 64 bit, with or without debug information: gdb's Python finds symbols
without any only one by one, and not their sizes. No gdb in here.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator

from hvscope.error import HvError

EM_ARM, EM_AARCH64 = 40, 183
PT_LOAD = 1
SHT_SYMTAB, SHT_NOTE, SHF_ALLOC = 2, 7, 2
NT_GNU_BUILD_ID = 3
HEADS = {1: struct.Struct("<16xHHIIIIIHHHHHH"), 2: struct.Struct("<16xHHIQQQIHHHHHH")}
LOADS = {1: struct.Struct("<IIIIIIII"), 2: struct.Struct("<IIQQQQQQ")}
SECTIONS = {1: struct.Struct("<10I"), 2: struct.Struct("<IIQQQQIIQQ")}
SYMBOLS = {1: struct.Struct("<IIIBBH"), 2: struct.Struct("<IBBHQQ")}

Section = tuple[int, int, int, int, int, int]  # type, flags, address, offset, size, link


class Elf:
    """What is read of a file: va, size, build_id and its address, symbols: (address, size)."""

    def __init__(self, path: str) -> None:
        self.path = path
        try:
            with open(path, "rb") as file:
                self.data = file.read()
            self.read_all()
        except (OSError, struct.error, KeyError, IndexError):
            raise HvError(f"cannot read symbols of {path}") from None

    def read_all(self) -> None:
        """Header, loads, notes and symbols."""
        self.bits = self.data[4]
        head = HEADS[self.bits].unpack_from(self.data)
        if self.data[:4] != b"\x7fELF" or head[1] not in (EM_ARM, EM_AARCH64):
            raise HvError(f"{self.path} is no ELF file for Arm")
        self.arm32 = head[1] == EM_ARM
        segments = [self.load(head[4] + n * head[8]) for n in range(head[9])]
        loads = [(va, size) for kind, va, size in segments if kind == PT_LOAD]
        self.va = min((va for va, _ in loads), default=0)
        self.size = max((va + size for va, size in loads), default=0) - self.va
        sections = [self.section(head[5] + n * head[10]) for n in range(head[11])]
        self.build_id, self.build_id_va = b"", 0
        self.symbols: dict[str, tuple[int, int]] = {}
        for kind, flags, va, offset, size, link in sections:
            if kind == SHT_NOTE and flags & SHF_ALLOC:
                self.notes(va, offset, size)
            if kind == SHT_SYMTAB:
                self.symbols.update(self.names(offset, size, sections[link][3]))
        del self.data

    def load(self, at: int) -> tuple[int, int, int]:
        """(type, address, size in memory) of a program header."""
        row = LOADS[self.bits].unpack_from(self.data, at)
        return (row[0], row[2], row[5]) if self.bits == 1 else (row[0], row[3], row[6])

    def section(self, at: int) -> Section:
        """A section header."""
        row = SECTIONS[self.bits].unpack_from(self.data, at)
        return row[1], row[2], row[3], row[4], row[5], row[6]

    def notes(self, va: int, offset: int, size: int) -> None:
        """The build ID, if these notes have one."""
        at = offset
        while at + 12 <= offset + size:
            name, length, kind = struct.unpack_from("<III", self.data, at)
            start = at + 12 + (name + 3 & ~3)
            if kind == NT_GNU_BUILD_ID:
                self.build_id = self.data[start:start + length]
                self.build_id_va = va + start - offset
            at = start + (length + 3 & ~3)

    def names(self, offset: int, size: int, strings: int
              ) -> Iterator[tuple[str, tuple[int, int]]]:
        """The defined symbols of a table."""
        for row in SYMBOLS[self.bits].iter_unpack(self.data[offset:offset + size]):
            name, section = row[0], row[5] if self.bits == 1 else row[3]
            value, length = (row[1], row[2]) if self.bits == 1 else (row[4], row[5])
            if name and section:
                end = self.data.index(b"\0", strings + name)
                yield self.data[strings + name:end].decode(errors="replace"), (value, length)


LAST: list[tuple[object, Elf]] = []  # the file that was read last, and what it was then


def elf_read(path: str) -> Elf:
    """The file; an unchanged one is not read again."""
    try:
        now = os.stat(path)
    except OSError:
        raise HvError(f"cannot read symbols of {path}") from None
    key = (path, now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns)
    if not LAST or LAST[0][0] != key:
        LAST[:] = [(key, Elf(path))]
    return LAST[0][1]
