# SPDX-License-Identifier: GPL-2.0-or-later
"""Where symbols are: at the image's link address, or where it runs before its MMU is on.

The image is linked high and loaded low. While a CPU's MMU is off its PC is a
physical address, so GDB's symbols have to be there for source, backtraces and
variables. But a breakpoint that is set then is mostly meant for later. So, in
`auto`, the symbol file follows the selected CPU at each stop, and while that
CPU's MMU is off a second copy of it is at the link address: a breakpoint then
has two locations. GDB sets breakpoints again by itself when symbols move.

The copy goes at the first stop with the MMU on, so that no breakpoint has two
locations then: GDB 13 warns at every command if the location that it stopped
at was set again and is one of several.
"""

from __future__ import annotations

import struct

import gdb

from hvscope.beacon import (BEACON_IMAGE_MAGIC, BEACON_LOAD_OFFSET, HEADER, IMAGE_MAGIC, RAM_BASE)
from hvscope.error import HvError
from hvscope.target import execute, kept_selection, mmu_on

ELF_HEADER = struct.Struct("<4s12xHHIQQQIHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
EM_AARCH64 = 183
PT_LOAD = 1
MODES = ("auto", "phys", "virt")
LOAD_PA = RAM_BASE + BEACON_LOAD_OFFSET


def image_link_va(path: str) -> int | None:
    """Where an ELF file of our image is linked; None if it is another file."""
    try:
        with open(path, "rb") as file:
            head = ELF_HEADER.unpack(file.read(ELF_HEADER.size))
            magic, machine, table, size, count = head[0], head[2], head[5], head[9], head[10]
            if magic != b"\x7fELF" or machine != EM_AARCH64 or size != PROGRAM_HEADER.size:
                return None
            file.seek(table)
            loads = [PROGRAM_HEADER.unpack(file.read(size)) for _ in range(count)]
            first = min((row for row in loads if row[0] == PT_LOAD), key=lambda row: row[3])
            file.seek(first[2])
            header = HEADER.unpack(file.read(HEADER.size))
    except (OSError, struct.error, ValueError):
        return None
    ours = header[4] == BEACON_IMAGE_MAGIC and header[6] == IMAGE_MAGIC
    return first[3] if ours else None


def quoted(path: str) -> str:
    """A file name as a word of a gdb command."""
    return "".join("\\" + c if c in " \t\\'\"" else c for c in path)


class Symbols:
    """Places of the image's symbols. One object for the whole session: SYMBOLS."""

    def __init__(self) -> None:
        self.mode = "auto"
        self.main: gdb.Objfile | None = None  # as this object has last seen it
        self.path = ""
        self.link: int | None = None
        self.phys = False  # is the main symbol file at the physical address?
        self.copy: gdb.Objfile | None = None  # of the symbols, at the other place
        self.copy_phys = False

    def look(self) -> bool:
        """Is there a symbol file of our image? (The user may load another at any time.)"""
        path = gdb.current_progspace().filename
        main = next((o for o in gdb.objfiles() if o.filename == path and o is not self.copy), None)
        self.path = path or ""
        if main is not self.main:
            self.main, self.phys = main, False
            self.link = image_link_va(self.path) if main else None
        if self.copy is not None and not self.copy.is_valid():
            self.copy = None
        return self.link is not None and self.link != LOAD_PA

    def stale(self) -> bool:
        """Has the user loaded another symbol file since the last look?"""
        path = gdb.current_progspace().filename or ""
        return path != self.path or (self.main is not None and not self.main.is_valid())

    def move(self, phys: bool) -> None:
        """The main symbol file to one of its two places."""
        if phys == self.phys:
            return
        execute(f"symbol-file -o {self.offset(phys)} {quoted(self.path)}")
        self.main = next(o for o in gdb.objfiles()
                         if o.filename == self.path and o is not self.copy)
        self.phys = phys

    def set_copy(self, phys: bool | None) -> None:
        """The second copy to a place, or away."""
        if self.copy is not None and self.copy_phys != phys:
            base = LOAD_PA if self.copy_phys else self.link
            self.copy = None
            execute(f"remove-symbol-file -a {base}")
        if phys is not None and self.copy is None:
            before = gdb.objfiles()
            execute(f"add-symbol-file {quoted(self.path)} -o {self.offset(phys)}")
            self.copy = next(o for o in gdb.objfiles() if o not in before)
            self.copy_phys = phys

    def offset(self, phys: bool) -> int:
        """What to add to link addresses."""
        return LOAD_PA - (self.link or 0) if phys else 0

    def place(self, phys: bool, copy: bool) -> None:
        """Main file here, a copy at the other place or none; nothing else is disturbed."""
        wanted = (not phys) if copy else None
        has = self.copy_phys if self.copy is not None else None
        if phys == self.phys and wanted == has:
            return
        with kept_selection():
            if has is not None and has == phys:
                self.set_copy(None)
            self.move(phys)
            self.set_copy(wanted)
        restore_source_line()

    def follow(self) -> None:
        """Mode auto: to where the selected CPU runs."""
        on = mmu_on()
        if on is not None:
            self.place(not on, copy=not on)

    def sync(self) -> None:
        """After a stop, or a new symbol file: symbols to where they belong."""
        if not self.look():
            return
        if self.mode == "auto":
            self.follow()
        else:
            self.place(self.mode == "phys", copy=False)

    def set_mode(self, mode: str) -> None:
        """The user's choice; HvError if the symbol file is not one of our image."""
        if not self.look():
            raise HvError("no symbols of an hvscope image are loaded; `file build/hv-xen.elf`")
        self.mode = mode
        self.sync()

    def words(self) -> str:
        """Where symbols are now."""
        if not self.look():
            return f"symbols: {self.mode}; no hvscope image is loaded"
        base = LOAD_PA if self.phys else self.link
        text = f"symbols: {self.mode}, now at {base:#x} ({'physical' if self.phys else 'virtual'})"
        return text + (f"; breakpoints also at {self.link if self.phys else LOAD_PA:#x}"
                       if self.copy is not None else "")


def restore_source_line() -> None:
    """`list` shows the current line again: loading symbols makes gdb forget it."""
    try:
        gdb.execute("frame", to_string=True)
    except gdb.error:
        pass


SYMBOLS = Symbols()
