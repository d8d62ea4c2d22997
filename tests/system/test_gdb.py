# SPDX-License-Identifier: GPL-2.0-or-later
"""The GDB commands say what memory holds: dump, walk, CPUs, on a real QEMU with the image."""
from __future__ import annotations

import json
import mmap
import random
import re
import subprocess
import time

import debugger
import pytest
from conftest import BUILD, ROOT
from debugger import RAM_BASE, Gdb, Ram

gdb, stopped = debugger.gdb, debugger.stopped


def run_and_halt(session: Gdb, m, seconds: float) -> None:
    """Lets the machine run for a while; QMP's stop halts it wherever it is."""
    session.send("continue")
    time.sleep(seconds)
    m.qmp("stop")
    session.answer()


@pytest.mark.parametrize("smp, cpu", [(1, "max"), (2, "cortex-a57"), (4, "max")])
def test_dump_is_what_memory_holds(machine, gdb, smp: int, cpu: str) -> None:
    """At random halts: JSON equals a naive reading, and the viewer's bytes if it was built."""
    m = machine(smp=smp, cpu=cpu)
    session, ram = gdb(m), Ram(m)
    pauses = random.Random(smp)
    for halt in range(4):
        run_and_halt(session, m, pauses.uniform(0.02, 0.2))
        line = session("mapcache-dump --json")
        cpus = json.loads(line)["cpus"]
        assert [row["root"] for row in cpus] == [hex(ram.root(n)) for n in range(smp)]
        for n, row in enumerate(cpus):
            assert {s["slot"]: int(s["pte"], 0) for s in row["slots"]} == ram.slots(n)
            assert sum(row["counts"].values()) - row["counts"]["refs"] == 1024
        text = session("mapcache-dump")
        assert max(map(len, text.splitlines()[1:])) <= 80
        assert_same_dump(session, m, "", "--json", "--all")
    assert session.mode() == "0"


def assert_same_dump(session: Gdb, m, *variants: str) -> None:
    """The viewer prints the same bytes."""
    viewer = BUILD / "hvscope"
    if not viewer.exists():
        return
    for options in variants:
        theirs = subprocess.run([viewer, "dump", "--dir", m.dir, *options.split()], text=True,
                                check=True, capture_output=True).stdout
        assert session(f"mapcache-dump {options}") + "\n" == theirs


def test_damaged_tables(machine, gdb) -> None:
    """Slots of noise, chains that lead nowhere, a panic: no traceback, and the viewer agrees."""
    m = machine(smp=2, cmdline="pace=50")
    session, ram = gdb(m), Ram(m)
    noise = random.Random(7)
    with open(m.dir / "ram", "r+b") as file, mmap.mmap(file.fileno(), 0) as memory:
        def put(pa: int, value: int, size: int = 8) -> None:
            memory[pa - RAM_BASE:pa - RAM_BASE + size] = value.to_bytes(size, "little")

        l1 = ram.word(ram.root(0) + 255 * 8) & 0xFFFFFFFFF000
        l2 = ram.word(l1) & 0xFFFFFFFFF000
        for n in range(0, 512, 3):
            put(l2 + 8 * n, noise.getrandbits(64) if n % 2 else ram.word(l2 + 8 * n)
                ^ 1 << noise.randrange(64))
        assert_same_dump(session, m, "", "--json", "--all --json")
        assert " broken" in session("mapcache-dump")
        for entry, words in ((0, "invalid entry"), (0x48000F7D, "a block, not a table"),
                             (0x9000F7F, "0x9000000 is outside RAM"),
                             (0xFFFFFFFFFFFFF003, "0xfffffffff000 is outside RAM")):
            put(l1 + 8, entry)
            assert f"-> nothing: {words}\n" in session("mapcache-dump")
            assert_same_dump(session, m, "", "--json")
        put(ram.root(0) + 255 * 8, 0)
        assert "  L0[255]  0x0                 -> nothing: invalid entry\n" \
            in session("mapcache-dump")
        assert_same_dump(session, m, "", "--json")
        put(ram.beacon + 24, 3, 4)
        put(ram.beacon + 320, int.from_bytes(b"CHECK(a \x1b[31m b)\0", "little"), 18)
        assert "panicked: CHECK(a ?[31m b);" in session("mapcache-dump")
        assert_same_dump(session, m, "", "--json")
        put(ram.beacon + 36, 1000, 4)
        assert session("mapcache-dump") == (f"hvscope: the beacon at {ram.beacon:#x} cannot be "
                                            "understood: it counts 1000 CPUs")


def test_dump_of_some_cpus(machine, gdb) -> None:
    """--cpu picks, --all shows free slots."""
    session = gdb(machine(smp=4))
    dump = json.loads(session("mapcache-dump --json --cpu 3,1"))
    assert [row["cpu"] for row in dump["cpus"]] == [1, 3]
    dump = json.loads(session("mapcache-dump --cpu=2 --all --json"))
    assert len(dump["cpus"][0]["slots"]) == 1024
    assert session("mapcache-dump --cpu 9") == "hvscope: no CPU9: this machine has 4 (0-3)"


def test_walk_is_the_truth(stopped) -> None:
    """Walks of image, domheap, unmapped and impossible addresses against a naive walk."""
    m, session = stopped
    ram = Ram(m)
    slots = json.loads(session("mapcache-dump --json"))["cpus"]
    number = {name: int(session(f"print/x (unsigned long)&{name}").split()[-1], 0)
              for name in ("hv_main", "__per_cpu_offset", "cpu0_dommap")}
    image = [number["hv_main"], number["__per_cpu_offset"] + 9, number["cpu0_dommap"] + 8191]
    for cpu in (0, 1):
        domheap = [int(slot["va"], 0) + 0x12345 for slot in slots[cpu]["slots"][:3]]
        for va in [*image, *domheap, 0, 0x40200000, 0x7F8080000000, 0xFFFFFFFFFFFF]:
            walk = json.loads(session(f"pt-walk {va:#x} --cpu {cpu} --json"))
            assert (walk["cpu"], walk["va"], walk["root"]) == (cpu, hex(va), hex(ram.root(cpu)))
            pa = ram.walk(ram.root(cpu), va)
            assert (walk["result"] or {}).get("pa") == (hex(pa) if pa is not None else None)
            assert (walk["fault"] is None) == (pa is not None)
            for step in walk["steps"]:
                assert int(step["pte"], 0) == ram.word(int(step["table"], 0) + 8 * step["index"])
    far = json.loads(session("pt-walk 0xffff7f8000000000 --json"))
    assert far["steps"] == [] and far["fault"] == {"level": 0, "reason": "address out of range"}


def test_walk_takes_expressions(stopped) -> None:
    """Functions, arrays, pointers, registers and sums; a root by hand; both names."""
    _, session = stopped
    assert "r-x  normal-wb  inner shareable" in session("pt-walk hv_main")
    assert session("hv-walk hv_main") == session("pt-walk &hv_main")
    assert "rw-" in session("pt-walk $sp + 8") and "rw-" in session("pt-walk __per_cpu_offset")
    root = json.loads(session("pt-walk $pc --json"))["root"]
    assert session(f"pt-walk $pc --root {root}") == session("pt-walk $pc")
    assert "table outside RAM" in session("pt-walk $pc --root 0x9000000")
    text = session("pt-walk $pc")
    assert max(map(len, text.splitlines())) <= 80 and "-> page at 0x402" in text


def test_cpus(stopped) -> None:
    """A line a CPU, the selected one marked; JSON agrees."""
    m, session = stopped
    lines = session("hv-cpus").splitlines()
    current = int(re.search(r"Thread 1\.(\d)", session("thread"))[1]) - 1
    assert len(lines) == 4 and max(map(len, lines)) <= 80
    assert [line[1] == "*" for line in lines[2:]] == [n == current for n in (0, 1)]
    answer = json.loads(session("hv-cpus --json"))
    assert answer["schema"] == "hvscope.cpus/1" and answer["state"] == "mapcache-ready"
    assert [row["root"] for row in answer["cpus"]] == [hex(Ram(m).root(n)) for n in (0, 1)]
    here = answer["cpus"][current]
    assert (here["el"], here["mmu"], here["state"]) == (2, True, "on")
    assert here["symbol"].startswith("map_domain_page")


def test_dump_costs(machine, gdb) -> None:
    """4 CPUs: the stub is asked for each table once, in the largest pieces; time is bounded."""
    m = machine(smp=4, cmdline="pace=20")
    session = gdb(m)
    session(f"source {ROOT / 'tests/bench/tools_gdb_probe.py'}")
    size, memory, packets, least = json.loads(session("python asked('mapcache-dump')"))
    stride = Ram(m).word32(Ram(m).beacon + 156)
    assert size == 64 + 504 + 4 * stride + 4 * (8 + 16 + 8192)
    assert memory == least == 3 + 4 * (1 + 1 + 4) and packets == memory + 1
    pairs = json.loads(session(f"python turns('mapcache-dump', 15, {m.process.pid})"))
    floor, _, cost = (min(column) for column in zip(*pairs))
    print(f"bare {floor * 1e3:.2f} ms, mapcache-dump {cost * 1e3:.2f} ms")
    assert cost < 6 * floor


def test_64_cpus(machine, gdb) -> None:
    """Roots come from the beacon: a dump of 64 CPUs costs less than attaching to them."""
    m = machine(smp=64, cmdline="workload=copy pace=20")
    start = time.perf_counter()
    session = gdb(m)
    session("info threads")
    attach = time.perf_counter() - start
    start = time.perf_counter()
    dump = json.loads(session("mapcache-dump --json"))
    cost = time.perf_counter() - start
    ram = Ram(m)
    assert [row["root"] for row in dump["cpus"]] == [hex(ram.root(n)) for n in range(64)]
    assert cost < 2 * attach
    assert session("pt-walk $pc --cpu 63").startswith("0xa0000")
    for command in ("mapcache-stats", "mapcache-check", "mapcache-find mfn:0x80000", "hv-layout"):
        assert not session(command).startswith("hvscope:")
    steps = []
    for _ in range(5):
        start = time.perf_counter()
        session("stepi")
        steps.append(time.perf_counter() - start)
    assert min(steps) < attach  # nothing at a stop asks all threads
