# SPDX-License-Identifier: GPL-2.0-or-later
"""Three independent readings of a halted machine are the same, byte for byte."""

import json
import random
import subprocess
import time

import pytest
from conftest import BUILD, ROOT
from oracle import Memory, dump_json, leaves

HALTS = 5
SIZE = 4 << 30


def gdb_dump(m, engine: str = "xen") -> str:
    """mapcache-dump --json of a GDB that attaches, prints and detaches."""
    out = subprocess.run(
        ["gdb-multiarch", "-nx", "-q", "-batch", "-ex", f"source {ROOT}/gdb-scripts/hvscope.py",
         "-ex", "target remote gdb.sock", "-ex", "mapcache-dump --json",
         str(BUILD / f"hv-{engine}.elf")], cwd=m.dir, capture_output=True, text=True, timeout=60,
        check=True).stdout
    return next(line for line in out.splitlines(keepends=True) if line.startswith("{"))


def viewer_dump(m) -> str:
    """hvscope dump --json."""
    return subprocess.run([BUILD / "hvscope", "dump", "--json", "--dir", m.dir],
                          capture_output=True, text=True, timeout=30, check=True).stdout


@pytest.mark.parametrize("smp, cpu", [(1, "max"), (2, "cortex-a57"), (4, "max")])
def test_three_readings_agree(machine, smp, cpu):
    """Viewer, GDB and a naive reading, at random halts."""
    m = machine(smp=smp, cpu=cpu, cmdline="workload=copy,guest,nest,saturate,storm")
    memory = Memory(m.dir / "ram", BUILD / "hv-xen.elf")
    seen = set()
    for _ in range(HALTS):
        time.sleep(random.uniform(0.05, 0.3))  # where it halts is the point of the test
        m.qmp("stop")
        expected = dump_json(memory, smp, SIZE)
        assert viewer_dump(m) == expected
        assert gdb_dump(m) == expected  # detaching lets the machine run again
        assert m.qmp("query-status")["status"] == "running"
        seen.add(expected)
        for c in json.loads(expected)["cpus"]:
            assert c["counts"]["broken"] == 0
            assert c["counts"]["cached"] + c["counts"]["in-use"] > 0
    assert len(seen) == HALTS


@pytest.mark.parametrize("engine, options", [
    ("bbm", ""), ("clock", "mapcache=lazy"), ("clock", "mapcache=zap")])
def test_other_engines(machine, engine, options):
    """The same of the other engines, at a few halts; with clock, slots and index agree."""
    m = machine(smp=2, image=BUILD / f"hv-{engine}.bin",
                cmdline=f"{options} workload=copy,guest,nest,saturate,storm")
    memory = Memory(m.dir / "ram", BUILD / f"hv-{engine}.elf")
    for _ in range(3):
        time.sleep(random.uniform(0.05, 0.2))  # where it halts is the point of the test
        m.qmp("stop")
        expected = dump_json(memory, 2, SIZE, engine)
        assert viewer_dump(m) == expected
        assert gdb_dump(m, engine) == expected
        assert all(c["counts"]["broken"] == 0 for c in json.loads(expected)["cpus"])


def test_address_space(machine):
    """The layout is Xen's; nothing is writable and executable; no identity map is left."""
    m = machine(smp=2)
    m.qmp("stop")
    memory = Memory(m.dir / "ram", BUILD / "hv-xen.elf")
    roots = [memory.root(cpu) for cpu in (0, 1)]
    tables = [memory.words(root, 512) for root in roots]
    for table in tables:
        assert [i for i, pte in enumerate(table) if pte] == [20, 255, 256]
    assert tables[0][20] == tables[1][20] and tables[0][256] == tables[1][256]
    assert tables[0][255] != tables[1][255]
    executable = []
    for va, pte, level in leaves(memory, roots[0]):
        read_only, never_executed = pte >> 7 & 1, pte >> 54 & 1
        assert read_only or never_executed, f"0x{va:x} is writable and executable"
        if not never_executed:
            executable.append(va)
    text_pages = (memory.symbols["_srodata"] - memory.symbols["_start"]) // 4096
    assert executable == [memory.symbols["_start"] + 4096 * i for i in range(text_pages)]


def test_two_banks_of_ram(machine):
    """RAM in two files: both tools read both, and frames of both are in the slots."""
    m = machine(smp=2, mem="2G+2G", cmdline="workload=copy")
    m.qmp("stop")
    viewer, gdb = viewer_dump(m), gdb_dump(m)
    assert viewer == gdb
    slots = [int(s["pa"], 16) for c in json.loads(viewer)["cpus"] for s in c["slots"]]
    assert min(slots) < 0xC0000000 <= max(slots)
    assert all(c["counts"]["broken"] == 0 for c in json.loads(viewer)["cpus"])


def test_directmap_has_the_largest_blocks(machine):
    """directmap=on: RAM is there whole and once, in blocks of 1 GiB where they fit."""
    m = machine(smp=1, cmdline="directmap=on workload=idle")
    m.qmp("stop")
    memory = Memory(m.dir / "ram", BUILD / "hv-xen.elf")
    size = {1: 1 << 30, 2: 2 << 20, 3: 4096}
    found = [(va, pte & 0xFFFFFFFFF000, level) for va, pte, level in leaves(memory, memory.root(0))
             if va >= 0x800000000000]
    assert all(va - 0x800000000000 == pa for va, pa, _ in found)
    assert [(pa, level) for _, pa, level in found] == [(0x40000000 + (n << 30), 1)
                                                       for n in range(4)]
    assert sum(size[level] for _, _, level in found) == SIZE
