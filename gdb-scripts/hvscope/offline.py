# SPDX-License-Identifier: GPL-2.0-or-later
"""Physical memory kept in a file: an ELF core of QEMU's, or a snapshot or recording of hvscope's.

No gdb in here. Files are not trusted: what is cut off, damaged or foreign is an HvError.
"""

from __future__ import annotations

import os
import struct
import zlib

from hvscope.beacon import BEACON_LOAD_OFFSET, HEADER, IMAGE_MAGIC, RAM_BASE
from hvscope.error import EXIT_NO_TARGET, HvError, Unreadable, WalkStop
from hvscope.pte import PAGE_SIZE

ELF_HEADER = struct.Struct("<4sBBB9xHHIQQQIHHHHHH")
PROGRAM_HEADER = struct.Struct("<IIQQQQQQ")
ELF_MAGIC, ELF_64, ELF_LITTLE, ET_CORE, EM_AARCH64 = b"\x7fELF", 2, 1, 4, 183
PT_LOAD = 1

# viewer/source/recording.h
RECORDING_HEADER = struct.Struct("<QIIQQ24sQ")
RECORDING_MAGIC = 0x3143455250435648
RECORDING_VERSION = 1
FRAME_HEAD = struct.Struct("<IIIBBHQ24s")
FRAME_MAGIC = 0x4D415246
FRAME_BYTES_MAX = 64 << 20
PIECE_HEAD = struct.Struct("<QII")
PAGES_MAX = 1 << 16


class Memory:
    """Memory in a file. kind: what a person calls it; base: start of the RAM with the image."""

    kind = ""

    def __init__(self, path: str, base: int) -> None:
        self.path, self.base = path, base

    def read(self, pa: int, size: int) -> bytes:
        """`size` bytes at pa; Unreadable if the file has not got them all."""
        raise NotImplementedError


class Core(Memory):
    """What QEMU's dump-guest-memory writes: RAM by physical address, no system registers."""

    kind = "core"

    def __init__(self, path: str, file: int, loads: list[tuple[int, int, int]]) -> None:
        super().__init__(path, RAM_BASE)
        self.file, self.loads = file, loads  # (PA, bytes, place in the file)
        self.base = next((pa for pa, _, _ in loads if self.has_image(pa)), RAM_BASE)

    def __del__(self) -> None:
        os.close(self.file)

    def has_image(self, base: int) -> bool:
        """Does RAM that begins here hold an arm64 image where QEMU loads it?"""
        try:
            header = self.read(base + BEACON_LOAD_OFFSET, HEADER.size)
            return HEADER.unpack(header)[6] == IMAGE_MAGIC
        except Unreadable:
            return False

    def read(self, pa: int, size: int) -> bytes:
        """As for all."""
        for start, length, place in self.loads:
            if start <= pa and pa + size <= start + length:
                data = os.pread(self.file, size, place + pa - start)
                if len(data) == size:
                    return data
        raise Unreadable(f"memory at {pa:#x} is not in the core")


def core_loads(path: str, file: int) -> list[tuple[int, int, int]]:
    """The pieces of memory in an ELF core; HvError if it is none, or cut off."""
    head = os.pread(file, ELF_HEADER.size, 0)
    if len(head) < ELF_HEADER.size or not head.startswith(ELF_MAGIC):
        raise foreign(path)
    _, bits, order, _, kind, machine, _, _, table, _, _, _, entry, count, *_ = \
        ELF_HEADER.unpack(head)
    if (bits, order, kind, machine) != (ELF_64, ELF_LITTLE, ET_CORE, EM_AARCH64):
        raise foreign(path)
    whole = os.fstat(file).st_size
    if entry != PROGRAM_HEADER.size or table + count * PROGRAM_HEADER.size > whole:
        raise cut_off(path)
    data = os.pread(file, count * PROGRAM_HEADER.size, table)
    loads = [(row[4], row[5], row[2]) for row in PROGRAM_HEADER.iter_unpack(data)
             if row[0] == PT_LOAD]
    if any(place + length > whole for _, length, place in loads):
        raise cut_off(path)
    return loads


class Recording(Memory):
    """A snapshot (one frame) or a recording (many); reads are of one frame."""

    def __init__(self, path: str, data: bytes) -> None:
        _, version, size, base, *_ = RECORDING_HEADER.unpack_from(data)
        if version != RECORDING_VERSION or size < RECORDING_HEADER.size:
            raise HvError(f"{path} is a recording of version {version}, this tool knows "
                          f"{RECORDING_VERSION}")
        super().__init__(path, base)
        self.data = data
        self.frames = list(whole_frames(data, size))
        self.pages: dict[int, bytearray] = {}
        self.at = 0
        if not self.frames:
            raise cut_off(path)
        self.kind = "recording" if len(self.frames) > 1 else "snapshot"
        self.seek(0)

    def seek(self, frame: int) -> None:
        """To one of the frames: the last key frame, and what changed from there on."""
        key = next(n for n in range(frame, -1, -1) if self.frames[n][2])
        self.pages = {}
        self.at = frame
        for start, end, _, _ in self.frames[key:frame + 1]:
            self.apply(start, end)

    def apply(self, at: int, end: int) -> None:
        """The pieces of one frame; they do not reach behind their page."""
        while at < end:
            if end - at < PIECE_HEAD.size:
                raise cut_off(self.path)
            pa, length, _ = PIECE_HEAD.unpack_from(self.data, at)
            at += PIECE_HEAD.size
            start = pa % PAGE_SIZE
            if length > end - at or start + length > PAGE_SIZE or len(self.pages) >= PAGES_MAX:
                raise cut_off(self.path)
            page = self.pages.setdefault(pa - start, bytearray(PAGE_SIZE))
            page[start:start + length] = self.data[at:at + length]
            at += length

    def time(self, frame: int) -> int:
        """When a frame was taken: nanoseconds of a clock that only has differences."""
        return self.frames[frame][3]

    def read(self, pa: int, size: int) -> bytes:
        """As for all."""
        pieces, end = [], pa + size
        while pa < end:
            start = pa % PAGE_SIZE
            page = self.pages.get(pa - start)
            if page is None:
                raise WalkStop(f"table not in the {self.kind}",
                               f"memory at {pa:#x} is not in the {self.kind}")
            pieces.append(bytes(page[start:min(PAGE_SIZE, start + end - pa)]))
            pa += PAGE_SIZE - start
        return b"".join(pieces)


def whole_frames(data: bytes, at: int) -> list[tuple[int, int, int, int]]:
    """(start, end, key, time) of each frame up to the first that is not whole."""
    frames: list[tuple[int, int, int, int]] = []
    while len(data) - at >= FRAME_HEAD.size:
        magic, crc, length, key, _, _, time, _ = FRAME_HEAD.unpack_from(data, at)
        start = at + FRAME_HEAD.size
        end = start + length
        if magic != FRAME_MAGIC or length > FRAME_BYTES_MAX or end > len(data):
            break
        bare = data[at:at + 4] + bytes(4) + data[at + 8:start]
        if zlib.crc32(data[start:end], zlib.crc32(bare)) != crc or not (frames or key):
            break
        frames.append((start, end, key, time))
        at = end
    return frames


def foreign(path: str) -> HvError:
    """Of a file that is something else."""
    return HvError(f"{path} is neither an arm64 ELF core nor a snapshot or recording of hvscope")


def cut_off(path: str) -> HvError:
    """Of a file that began well."""
    return HvError(f"{path} is cut off or damaged")


def open_memory(path: str) -> Memory:
    """The file as memory; HvError says in a sentence why it is none."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as wrong:
        raise HvError(f"cannot open {path}: {wrong.strerror}", EXIT_NO_TARGET) from None
    try:
        head = os.pread(file, RECORDING_HEADER.size, 0)
        if head.startswith(ELF_MAGIC):
            return Core(path, os.dup(file), core_loads(path, file))
        if len(head) < RECORDING_HEADER.size or \
                RECORDING_HEADER.unpack(head)[0] != RECORDING_MAGIC:
            raise foreign(path)
        with open(file, "rb", closefd=False) as stream:
            return Recording(path, stream.read())
    except OSError as wrong:
        raise HvError(f"cannot read {path}: {wrong.strerror}", EXIT_NO_TARGET) from None
    finally:
        os.close(file)
