# SPDX-License-Identifier: GPL-2.0-or-later
"""A gdb-multiarch that tests talk to, and a naive reader of RAM to hold it against."""
from __future__ import annotations

import mmap
import os
import re
import select
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import BUILD, ROOT
from machine import Machine

RAM_BASE = 0x40000000
MARK = "=end of answer="
IMAGE = BUILD / "hv-xen.elf"


class Gdb:
    """A gdb that takes commands and gives their output."""

    def __init__(self, *arguments: str, elf: Path | None = IMAGE, scripts: bool = True) -> None:
        words = ["gdb-multiarch", "-nx", "-q", *([str(elf)] if elf else [])]
        source = ["-ex", f"source {ROOT / 'gdb-scripts/hvscope.py'}"] if scripts else []
        self.process = subprocess.Popen(
            [*words, *source, *arguments], cwd=ROOT, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.pending = ""
        self.greeting = self("set confirm off")

    def send(self, command: str) -> None:
        """Begins a command."""
        self.process.stdin.write(f"{command}\necho {MARK}\\n\n".encode())
        self.process.stdin.flush()

    def wait_for(self, text: str, timeout: float = 20) -> None:
        """Until it has printed that; it stays a part of the answer."""
        deadline = time.monotonic() + timeout
        while text not in self.pending:
            ready, _, _ = select.select([self.process.stdout], [], [], 0.2)
            if ready:
                data = os.read(self.process.stdout.fileno(), 1 << 16)
                assert data, f"gdb ended: {self.pending}"
                self.pending += data.decode()
            assert time.monotonic() < deadline, f"gdb is stuck: {self.pending}"

    def answer(self, timeout: float = 20) -> str:
        """What the last command printed, prompts left out."""
        self.wait_for(MARK, timeout)
        text, _, self.pending = self.pending.partition(MARK)
        self.pending = self.pending.lstrip("\n")
        return text.replace("(gdb) ", "").strip("\n")

    def __call__(self, command: str) -> str:
        self.send(command)
        return self.answer()

    def mode(self) -> str:
        """The stub's physical mode: "0" or "1"."""
        return re.search(r'received: "(.*)"', self("maintenance packet qqemu.PhyMemMode"))[1]

    def close(self) -> None:
        """Ends gdb; it lets go of the machine, which runs on."""
        if self.process.poll() is None:
            self.process.stdin.close()
            self.process.wait(10)
        self.process.stdout.close()


@pytest.fixture
def gdb() -> Iterator[Callable[..., Gdb]]:
    """Factory of gdb sessions; gdb(m) is attached to a machine."""
    sessions: list[Gdb] = []

    def start(m=None, **more) -> Gdb:
        attach = ["-ex", f"target remote {os.path.relpath(m.dir, ROOT)}/gdb.sock"] if m else []
        sessions.append(Gdb(*attach, **more))
        return sessions[-1]

    yield start
    for session in sessions:
        session.close()


class Ram:
    """A naive reader of the RAM file; shares no code with the tools."""

    def __init__(self, m) -> None:
        with open(m.dir / "ram", "rb") as file:
            self.map = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        self.beacon = RAM_BASE + 0x200000 + self.word(RAM_BASE + 0x200020)

    def word(self, pa: int) -> int:
        """A 64-bit word."""
        return struct.unpack_from("<Q", self.map, pa - RAM_BASE)[0]

    def word32(self, pa: int) -> int:
        """A 32-bit word."""
        return self.word(pa) & 0xFFFFFFFF

    def words(self, pa: int, count: int) -> tuple[int, ...]:
        """So many of them."""
        return struct.unpack_from(f"<{count}Q", self.map, pa - RAM_BASE)

    def root(self, cpu: int) -> int:
        """struct beacon_cpu.root."""
        offset, stride = struct.unpack_from("<II", self.map, self.beacon + 152 - RAM_BASE)
        return self.word(self.beacon + offset + cpu * stride + 16)

    def walk(self, root: int, va: int) -> int | None:
        """PA of a VA with 4 KiB pages and 48 bits."""
        table = root
        for level, shift in enumerate((39, 30, 21, 12)):
            entry = self.word(table + (va >> shift & 511) * 8)
            if not entry & 1:
                return None
            table = entry & 0xFFFFFFFFF000
            if level == 3 or not entry & 2:
                return table & -1 << shift | va & (1 << shift) - 1
        return None

    def slots(self, cpu: int) -> dict[int, int]:
        """Slot number to entry, those that are not 0."""
        l1 = self.word(self.root(cpu) + 255 * 8) & 0xFFFFFFFFF000
        entries = [self.word((self.word(l1 + n // 512 * 8) & 0xFFFFFFFFF000) + n % 512 * 8)
                   for n in range(1024)]
        return {n: entry for n, entry in enumerate(entries) if entry}


@pytest.fixture(scope="module")
def mistakes(tmp_path_factory) -> Iterator[Gdb]:
    """One attached gdb for all mistakes of a file."""
    m = Machine(tmp_path_factory.mktemp("gdb") / "run", IMAGE.with_suffix(".bin"))
    m.start()
    m.wait_console("CPUs up", 60)
    session = Gdb("-ex", f"target remote {m.dir}/gdb.sock")
    yield session
    session.close()
    m.cleanup()


@pytest.fixture
def stopped(machine, gdb):
    """A gdb at map_domain_page() on a machine with two CPUs."""
    m = machine(smp=2, cmdline="pace=200")
    session = gdb(m)
    session("break map_domain_page")
    session("continue")
    session("delete")
    return m, session
