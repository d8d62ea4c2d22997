# SPDX-License-Identifier: GPL-2.0-or-later
"""A naive reading of a Xen's memory, to hold the tools against.

It shares no code with them: symbols come from nm, memory from the RAM file, arithmetic is
written out here. Where a Xen's image is, is a constant of this test's machines.
"""

import json
import mmap
import struct
import subprocess
from pathlib import Path

RAM = 0x40000000
ADDRESS = 0x0000FFFFFFFFF000
LOADED = {"arm32": 0x40010000, "arm64": 0x40200000}  # where QEMU 7.2 puts it


def entries_below(ram: Path, root: int, bits: int, base: int) -> list[tuple[int, int, int]]:
    """Every mapping of 4 KiB tables below a root that translates `bits` of an address: (va, pa,
    level). A table outside RAM has none."""
    found, start = [], 4 - (bits - 12 + 8) // 9
    with open(ram, "rb") as file:
        memory = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)

    def go(pa: int, level: int, va: int) -> None:
        shift = 39 - 9 * level
        count = 1 << min(bits - shift, 9)
        for n, entry in enumerate(struct.unpack_from(f"<{count}Q", memory, pa - RAM)):
            if entry % 4 == 3 and level < 3:
                go(entry & ADDRESS, level + 1, va + (n << shift))
            elif entry % 4 == (3 if level == 3 else 1):
                found.append((va + (n << shift), (entry & ADDRESS) >> shift << shift, level))
    go(root, start, base)
    return found


class Xen:
    """The memory of a machine, read anew for every question."""

    def __init__(self, ram: Path, syms: Path, arch: str, size: int):
        self.ram, self.arch, self.size = ram, arch, size
        self.word = 4 if arch == "arm32" else 8
        self.symbols, self.sizes = {}, {}
        out = subprocess.run(["nm", "-S", syms], capture_output=True, text=True, check=True).stdout
        for line in out.splitlines():
            columns = line.split()
            self.symbols[columns[-1]] = int(columns[0], 16)
            if len(columns) == 4:
                self.sizes[columns[-1]] = int(columns[1], 16)
        self.top = 1 if arch == "arm32" else 0

    def bytes(self, pa: int, n: int) -> bytes:
        """Bytes at a physical address."""
        with open(self.ram, "rb", buffering=0) as file:
            file.seek(pa - RAM)
            return file.read(n)

    def table(self, pa: int) -> tuple[int, ...]:
        """The 512 entries of a table."""
        return struct.unpack("<512Q", self.bytes(pa, 4096))

    def image(self, va: int) -> int:
        """PA of a variable."""
        return va - self.symbols["_start"] + LOADED[self.arch]

    def first_root(self) -> int:
        """PA of CPU0's root, a static table."""
        return self.image(self.symbols["cpu0_pgtable" if self.arch == "arm32" else "xen_pgtable"])

    def resolve(self, va: int) -> int:
        """PA of any EL2 address, by CPU0's root."""
        pa = self.first_root()
        for level in range(self.top, 4):
            shift = 39 - 9 * level
            entry = self.table(pa)[(va >> shift) % (4 if self.top == 1 == level else 512)]
            assert entry % 2, hex(va)
            pa = entry & ADDRESS
            if level == 3 or not entry & 2:
                return (pa >> shift << shift) + va % (1 << shift)
        raise AssertionError

    def pointer(self, va: int) -> int:
        """A pointer of Xen's."""
        return int.from_bytes(self.bytes(self.resolve(va), self.word), "little")

    def per_cpu(self, name: str, cpu: int) -> int:
        """A CPU's pointer, as per_cpu() finds it."""
        offset = self.pointer(self.symbols["__per_cpu_offset"] + self.word * cpu)
        return self.pointer((self.symbols[f"per_cpu__{name}"] + offset) % (1 << 8 * self.word))

    def root(self, cpu: int) -> int:
        """PA of a CPU's root."""
        if "per_cpu__xen_pgtable" not in self.symbols:
            return self.first_root()
        return self.resolve(self.per_cpu("xen_pgtable", cpu))

    def leaves(self, cpu: int) -> list[tuple[int, int, int]]:
        """Every mapping of a CPU: (va, pa, level)."""
        found = []

        def go(pa: int, level: int, base: int) -> None:
            entries = self.table(pa)
            for n in range(4 if self.top == 1 == level else 512):
                va, shift = base + (n << 39 - 9 * level), 39 - 9 * level
                if entries[n] % 2 and level < 3 and entries[n] & 2:
                    go(entries[n] & ADDRESS, level + 1, va)
                elif entries[n] % 2:
                    found.append((va, (entries[n] & ADDRESS) >> shift << shift, level))
        go(self.root(cpu), self.top, 0)
        return found


def slot_of(n: int, entry: int, start: int, count: int, usual: int, ram: int) -> dict:
    """One slot as the JSON has it."""
    frame, refs = entry & ADDRESS, entry >> 55 & 15
    block = entry % 4 == 1
    attributes = entry & ~(15 << 55) & ~(frame >> 21 << 21)
    if entry % 2 == 0:
        state = "broken" if refs else "free"
    elif not block or attributes != usual:
        state = "broken"
    else:
        state = "saturated" if refs == 15 else "in-use" if refs else "cached"
    pa = frame >> 21 << 21
    home = pa // 0x200000 % count
    return {"slot": n, "va": hex(start + n * 0x200000), "pte": hex(entry), "state": state,
            "odd": block and state != "broken" and not RAM - 0x200000 < pa < RAM + ram,
            "refs": refs, "mfn": hex(pa >> 12) if block else None, "pa": hex(pa) if block else None,
            "home": home if block else None, "probe": (n - home) % count if block else None}


def dump32(xen: Xen, ncpu: int) -> dict:
    """The whole dump of a halted arm32 Xen whose CPUs are all up."""
    count = xen.sizes["cpu0_dommap"] // 8
    pages = [[xen.resolve(xen.per_cpu("xen_dommap", cpu) + n * 4096) for n in range(count // 512)]
             for cpu in range(ncpu)]
    slots = [[e for page in own for e in xen.table(page)] for own in pages]
    roots = [xen.table(xen.root(cpu)) for cpu in range(ncpu)]
    first = [entry & ADDRESS for entry in roots[0][:4]].index(pages[0][0])
    kinds = [e & ~(15 << 55) & ~((e & ADDRESS) >> 21 << 21) for own in slots for e in own
             if e % 4 == 1]
    usual = max(kinds, key=kinds.count)
    cpus = []
    for cpu in range(ncpu):
        rows = [slot_of(n, e, first << 30, count, usual, xen.size)
                for n, e in enumerate(slots[cpu])]
        counts = {state: sum(row["state"] == state for row in rows)
                  for state in ("free", "cached", "in-use", "saturated", "broken")}
        cpus.append({
            "cpu": cpu, "state": "on", "consistent": None, "root": hex(xen.root(cpu)),
            "tables": [{"level": 1, "index": first + n, "pte": hex(roots[cpu][first + n]),
                        "next": hex(roots[cpu][first + n] & ADDRESS)}
                       for n in range(count // 512)],
            "counts": {**counts, "refs": sum(row["refs"] for row in rows)},
            "slots": [row for row in rows if row["state"] != "free"]})
    return {"schema": "hvscope.mapcache/1",
            "target": {"kind": "xen", "engine": None, "arch": "arm32", "ncpu": ncpu},
            "domheap": {"va": hex(first << 30), "size": hex(count << 21), "entries": count,
                        "root_level": 1, "l0_index": None}, "cpus": cpus}


def dump32_json(xen: Xen, ncpu: int) -> str:
    """dump32(), as the tools print it."""
    return json.dumps(dump32(xen, ncpu), separators=(",", ":"))
