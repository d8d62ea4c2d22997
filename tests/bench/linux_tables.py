#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`make test-linux`: pt-dump and pt-walk on the 260 000 leaves of Debian's arm64 kernel.

On a Cortex-A57 the kernel runs at EL1, on `max` at EL2 with E2H. Every leaf and 10 000 random
addresses against a naive oracle over the RAM file, some by the monitor's own translation, and
the time of pt-dump as a ratio to the bare reads of the same tables through the stub. Exit status
0 if all of that holds.
"""
from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / path) for path in ("hv/launch", "gdb-scripts", "tests", "tests/system",
                                              "tests/bench")]

from foreign import READY, Linux  # noqa: E402
from machine import LaunchError  # noqa: E402
from shapes import ACCESS_FLAG, Builder, Leaf, Shape, leaves, walk  # noqa: E402
from debugger import Gdb  # noqa: E402
from test_gdb_tables import WALKS  # noqa: E402

BUILD = ROOT / os.environ.get("HVSCOPE_BUILD", "build")
PROBE = ROOT / "tests/bench/tools_gdb_probe.py"
RATIO = 2.5
ROUNDS = 7
BOOT_SECONDS = 300
RUNS = (("cortex-a57", "el1"), ("max", "el2-e2h"))
LEAVES_LEAST = 260000
ADDRESSES = 10000
MONITOR = 40


def register(session: Gdb, name: str) -> int:
    """A system register."""
    return int(session(f"output/x (unsigned long)${name}"), 0)


def half(session: Gdb, regime: str, high: bool) -> tuple[Shape, int]:
    """One half of a regime with 4K pages, and its root."""
    level = "EL1" if regime == "el1" else "EL2"
    tcr = register(session, f"TCR_{level}")
    size = tcr >> (16 if high else 0) & 63
    start = 4 - -(-(64 - size - 12) // 9)
    root = register(session, f"TTBR{int(high)}_{level}") & 0xFFFFFFFFFFFE
    return Shape("4K", 64 - size, start, high=high, sets_af=bool(tcr >> 39 & 1)), root


def check_leaves(session: Gdb, regime: str, memory: Builder, halves: list[tuple[Shape, int]]
                 ) -> int:
    """Every leaf of pt-dump is the oracle's; how many there are."""
    dump = json.loads(session(f"pt-dump --regime {regime} --json"))
    said = []
    for one in dump["ranges"]:
        va, size, pa = (int(one[key], 0) for key in ("va", "size", "pa"))
        step = size // one["leaves"]
        said += [(va + n * step, pa + n * step, one["level"]) for n in range(one["leaves"])]
    expect = [leaf[:3] for shape, root in halves for leaf in leaves(memory.words, shape, root)]
    assert said == expect, "pt-dump and the oracle differ"
    return len(said)


def check_walks(session: Gdb, regime: str, memory: Builder, halves: list[tuple[Shape, int]]
                ) -> None:
    """Random addresses of each half: mapped ones and any."""
    noise = random.Random(1)
    for shape, root in halves:
        known = list(leaves(memory.words, shape, root))
        asked = [noise.choice(known).va + noise.randrange(4096) if known and n % 3
                 else shape.base() + noise.getrandbits(shape.in_bits)
                 for n in range(ADDRESSES // 2)]
        session(f"python addresses = {asked}")
        said = json.loads(session(f"python walks('{regime}', {shape.high}, {root}, addresses)"))
        assert said == [walk(memory.word, shape, root, va) for va in asked], \
            "pt-walk and the oracle differ"
        # FEAT_E0PD keeps EL0 out of the high half, FEAT_PAN the kernel out of the low one.
        if shape.high == bool(register(session, "cpsr") & 0xC):
            check_monitor(session, noise.sample([leaf for leaf in known if leaf.pte & ACCESS_FLAG],
                                                MONITOR))


def check_monitor(session: Gdb, some: list[Leaf]) -> None:
    """QEMU's own translation; it does not set an access flag, as the CPU would."""
    for leaf in some:
        said = session(f"monitor gva2gpa {leaf.va:#x}")
        found = re.search(r"gpa: (\S+)", said)
        assert found and int(found[1], 0) == leaf.pa, f"{leaf.va:#x}: {leaf.pa:#x} is {said}"


def ratio(session: Gdb, m: Linux, regime: str) -> tuple[int, float, float]:
    """Bytes read, and seconds of the bare reads and of pt-dump; the best of some rounds each."""
    command = f"pt-dump --regime {regime}"
    session(f"source {PROBE}")
    size = json.loads(session(f"python asked('{command}')"))[0]
    measured = json.loads(session(f"python turns('{command}', {ROUNDS}, {m.process.pid})"))
    floor, _, cost = (min(column) for column in zip(*measured))
    return size, floor, cost


def measure(cpu: str, regime: str, mem: str) -> None:
    """Boots, checks, prints."""
    with tempfile.TemporaryDirectory() as directory:
        m = Linux(Path(directory) / "run", BUILD, append="nokaslr", smp=1, mem=mem, cpu=cpu)
        try:
            m.start()
            m.wait_console(READY, BOOT_SECONDS)
            session = Gdb("-ex", f"target remote {m.dir}/gdb.sock", elf=None)
            session(WALKS)
            memory = Builder(m.dir / "ram", 0)
            halves = [half(session, regime, high) for high in (False, True)]
            count = check_leaves(session, regime, memory, halves)
            check_walks(session, regime, memory, halves)
            size, floor, cost = ratio(session, m, regime)
            session.close()
        finally:
            m.cleanup()
    print(f"{m.image.name}, {cpu}, {mem}, {regime}: {count} leaves in {size >> 10} KiB, as the "
          f"oracle reads them; {ADDRESSES} addresses agree")
    print(f"  bare reads {floor * 1e3:.0f} ms, pt-dump {cost * 1e3:.0f} ms: {cost / floor:.2f} "
          f"times (at most {RATIO})")
    assert count >= LEAVES_LEAST, f"{count} leaves are fewer than {LEAVES_LEAST}"
    assert cost <= RATIO * floor, "pt-dump is too slow"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mem", default="1G")
    try:
        mem = parser.parse_args().mem
        for cpu, regime in RUNS:
            measure(cpu, regime, mem)
    except (AssertionError, LaunchError) as wrong:
        print(f"test-linux: {wrong}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
