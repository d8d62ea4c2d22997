# SPDX-License-Identifier: GPL-2.0-or-later
"""A naive third reading of a machine's memory, to hold the tools against.

It shares no code and no shortcut with them: it knows no beacon, finds the roots
by the ELF file's symbols as one would in Xen, and decodes with arithmetic
written out here.
"""

import json
import struct
import subprocess
from pathlib import Path

RAM = 0x40000000
IMAGE_VA, IMAGE_PA = 0x0A0000200000, 0x40200000
DIRECTMAP_VA = 0x800000000000
DOMHEAP_VA = 0x7F8000000000


class Memory:
    """Guest RAM as a file, read anew for every question."""

    def __init__(self, ram: Path, elf: Path):
        self.ram = ram
        self.symbols = {}
        out = subprocess.run(["aarch64-linux-gnu-nm", elf], capture_output=True, text=True,
                             check=True).stdout
        for line in out.splitlines():
            value, _, name = line.split()
            self.symbols[name] = int(value, 16)

    def words(self, pa: int, n: int) -> tuple[int, ...]:
        """n 64-bit words at a physical address."""
        with open(self.ram, "rb", buffering=0) as f:
            f.seek(pa - RAM)
            return struct.unpack(f"<{n}Q", f.read(8 * n))

    @staticmethod
    def physical(va: int) -> int:
        """PA of an address of the image or of the xenheap."""
        if va >= DIRECTMAP_VA:
            return va - DIRECTMAP_VA
        return va - IMAGE_VA + IMAGE_PA

    def word(self, va: int) -> int:
        """The 64-bit word at a virtual address of the image or the xenheap."""
        return self.words(self.physical(va), 1)[0]

    def per_cpu(self, name: str, cpu: int) -> int:
        """Value of a per-CPU pointer, the way Xen's per_cpu() finds it."""
        offset = self.word(self.symbols["__per_cpu_offset"] + 8 * cpu)
        return self.word((self.symbols["per_cpu__" + name] + offset) % (1 << 64))

    def root(self, cpu: int) -> int:
        """PA of a CPU's level 0 table."""
        return self.physical(self.per_cpu("xen_pgtable", cpu))

    def generation(self, cpu: int) -> int:
        """The CPU's generation counter: the seventh word of its block."""
        return self.words(self.physical(self.per_cpu("beacon_cpu", cpu)), 7)[6]


def slot_of(n: int, pte: int, ram_size: int, engine: str) -> dict:
    """One slot as the JSON has it."""
    frame = pte & 0x0000FFFFFFFFF000
    count = pte // (1 << 55) % 16
    block = pte % 4 == 1
    usual = pte - count * (1 << 55) - (frame - frame % 0x200000) == 0x0040000000000F7D
    inside = RAM <= frame < RAM + ram_size
    if pte % 2 == 0:
        state = "broken" if count else "free"
    elif not (block and usual and inside):
        state = "broken"
    else:
        state = "cached" if count == 0 else "saturated" if count == 15 else "in-use"
    mfn = frame // 4096
    home = mfn // 512 % 1024
    homed = block and engine != "clock"
    return {
        "slot": n, "va": hex(DOMHEAP_VA + n * 0x200000), "pte": hex(pte), "state": state,
        "odd": False, "refs": count, "mfn": hex(mfn) if block else None,
        "pa": hex(frame) if block else None, "home": home if homed else None,
        "probe": (n - home) % 1024 if homed else None}


def cpu_of(memory: Memory, cpu: int, ram_size: int, engine: str) -> dict:
    """One CPU as the JSON has it; the chain must be whole."""
    root = memory.root(cpu)
    l0 = memory.words(root, 512)[255]
    l1 = memory.words(l0 & 0x0000FFFFFFFFF000, 512)
    tables = [{"level": 0, "index": 255, "pte": hex(l0), "next": hex(l0 & 0xFFFFFFFFF000)}]
    slots = []
    for half in (0, 1):
        table = l1[half] & 0x0000FFFFFFFFF000
        tables.append({"level": 1, "index": half, "pte": hex(l1[half]), "next": hex(table)})
        for i, pte in enumerate(memory.words(table, 512)):
            slots.append(slot_of(half * 512 + i, pte, ram_size, engine))
    counts = {state: sum(s["state"] == state for s in slots)
              for state in ("free", "cached", "in-use", "saturated", "broken")}
    counts["refs"] = sum(s["refs"] for s in slots)
    return {"cpu": cpu, "state": "on", "consistent": memory.generation(cpu) % 2 == 0,
            "root": hex(root), "tables": tables, "counts": counts,
            "slots": [s for s in slots if s["state"] != "free"]}


def dump(memory: Memory, ncpu: int, ram_size: int, engine: str = "xen") -> dict:
    """The whole dump of a halted machine whose CPUs are all up."""
    return {
        "schema": "hvscope.mapcache/1",
        "target": {"kind": "hv", "engine": engine, "arch": "arm64", "ncpu": ncpu},
        "domheap": {"va": hex(DOMHEAP_VA), "size": "0x80000000", "entries": 1024,
                    "root_level": 0, "l0_index": 255},
        "cpus": [cpu_of(memory, cpu, ram_size, engine) for cpu in range(ncpu)]}


def dump_json(memory: Memory, ncpu: int, ram_size: int, engine: str = "xen") -> str:
    """dump(), as the tools print it."""
    return json.dumps(dump(memory, ncpu, ram_size, engine), separators=(",", ":")) + "\n"


def leaves(memory: Memory, root: int):
    """Every mapping under a root: (va, pte, level)."""
    def table(pa: int, level: int, base: int):
        for i, pte in enumerate(memory.words(pa, 512)):
            va = base + i * (1 << (39 - 9 * level))
            if pte % 2 == 0:
                continue
            if level < 3 and pte % 4 == 3:
                yield from table(pte & 0x0000FFFFFFFFF000, level + 1, va)
            else:
                yield va, pte, level
    yield from table(root, 0, 0)


def tables(memory: Memory, root: int) -> int:
    """How many tables a whole walk reads, the root included."""
    def table(pa: int, level: int) -> int:
        below = [pte & 0x0000FFFFFFFFF000 for pte in memory.words(pa, 512)
                 if level < 3 and pte % 4 == 3]
        return 1 + sum(table(pte, level + 1) for pte in below)
    return table(root, 0)
