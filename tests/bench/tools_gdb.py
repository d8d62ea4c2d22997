#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""`make bench-gdb`: what the GDB commands cost, each as a ratio to a floor of the same run.

A cost and its floor are measured in turns; the best of each is compared, and the spread of the
ratios of the single turns (5 % to 95 %) is printed beside it. Inside gdb the time is that of gdb
and QEMU's main thread on a CPU; from the shell, and with 64 CPUs, it is wall-clock. Beside it
stands what gdb itself takes to print the same bytes, and the ratio to both floors together: what
is above 1 there is the commands' own. Exit status 1 if a target is missed. The large table of a
Linux is measured by `make test-linux`.
"""
from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / path) for path in ("hv/launch", "gdb-scripts", "tests", "tests/system",
                                              "tests/bench")]

from machine import Machine  # noqa: E402
from debugger import Gdb  # noqa: E402

BUILD = ROOT / os.environ.get("HVSCOPE_BUILD", "build")
IMAGE = BUILD / "hv-xen.bin"
PROBE = Path(__file__).with_name("tools_gdb_probe.py")
SETTLE = 2  # seconds in which slots fill
Turns = list[tuple[float, float, float]]  # floor, printing, cost in seconds, turn by turn


def machine(directory: str, smp: int, cmdline: str) -> Machine:
    """A machine that runs."""
    m = Machine(Path(directory) / "run", IMAGE, smp, "4G", "max", cmdline)
    m.start()
    m.wait_console("CPUs up", 120)
    return m


def row(name: str, measured: Turns, target: float | None, extra: float = 0.0) -> bool:
    """A line of the table; target: times the floor, plus extra seconds; None: there is none."""
    floor, printing, cost = (min(column) for column in zip(*measured))
    ratios = sorted(turn[2] / turn[0] for turn in measured)
    low, high = ratios[len(ratios) // 20], ratios[-1 - len(ratios) // 20]
    good = target is None or cost <= target * floor + extra
    wanted = "-" if target is None else f"{target:g} x" + (f" + {extra:g} s" if extra else "")
    met = "" if target is None else "yes" if good else "NO"
    both = f"{printing * 1e3:>7.2f} {cost / (floor + printing):>5.2f}" if printing else f"{'':13}"
    print(f"{name:<33}{floor * 1e3:>8.2f}{cost * 1e3:>8.2f}  {cost / floor:>5.2f} "
          f"({low:.2f}-{high:.2f})  {wanted:<11}  {met:<3} {both}", flush=True)
    return good


def inside(session: Gdb, m: Machine, command: str, turns: int) -> Turns:
    """A command against the bare reads of the memory that it reads, both inside gdb."""
    said = session(f"python turns('{command}', {turns}, {m.process.pid})")
    return [tuple(turn) for turn in json.loads(said)]


def commands(cmdline: str, words: str, turns: int) -> bool:
    """Of 4 CPUs: the slots, and a whole EL2 space."""
    with tempfile.TemporaryDirectory() as directory:
        m = machine(directory, 4, cmdline)
        try:
            time.sleep(SETTLE)
            session = Gdb("-ex", f"target remote {m.dir}/gdb.sock")
            session(f"source {PROBE}")
            slots = sum(len(cpu["slots"]) for cpu in
                        json.loads(session("mapcache-dump --json"))["cpus"])
            print(f"{words}: {slots} slots of 4 CPUs are not free")
            good = [row(f"  {command}", inside(session, m, command, turns),
                        None if "json" in command else 2)
                    for command in ("mapcache-dump", "mapcache-dump --json", "pt-dump",
                                    "pt-dump --json")]
            session.close()
            return all([*good, row("  shell to mapcache-dump's output", shell(m, turns), 1, 0.2)])
        finally:
            m.cleanup()


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def batch(m: Machine, *words: str) -> None:
    """A gdb that attaches, does that, and ends."""
    more = [part for word in words for part in ("-ex", word)]
    subprocess.run(["gdb-multiarch", "-nx", "-q", "-batch", *more[:2 * (len(words) > 1)],
                    "-ex", f"target remote {m.dir}/gdb.sock", *more[2:],
                    str(BUILD / "hv-xen.elf")], check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)


def shell(m: Machine, turns: int) -> Turns:
    """From the shell: gdb with the commands and a dump, against gdb that attaches."""
    return [(timed(lambda: batch(m)), 0.0,
             timed(lambda: batch(m, f"source {ROOT}/gdb-scripts/hvscope.py", "mapcache-dump")))
            for _ in range(max(turns // 5, 5))]


def many_cpus(turns: int) -> bool:
    """64 CPUs: the dump against gdb's own attach, which asks every thread."""
    with tempfile.TemporaryDirectory() as directory:
        m = machine(directory, 64, "workload=copy pace=20")
        measured = []
        try:
            for _ in range(max(turns // 15, 2)):
                begin = time.perf_counter()
                session = Gdb("-ex", f"target remote {m.dir}/gdb.sock")
                session("info threads")
                attach = time.perf_counter() - begin
                measured.append((attach, 0.0, timed(lambda: session("mapcache-dump"))))
                assert "\nCPU63  root" in session("mapcache-dump")
                session.close()
        finally:
            m.cleanup()
    return row("mapcache-dump, 64 CPUs / attach", measured, 2)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=40)
    turns = parser.parse_args().turns
    print(f"{'':<33}{'floor ms':>8}{'cost ms':>8}  ratio (5-95 %)   at most      met "
          "printing, ratio to floor + printing")
    good = [commands("", "default workloads", turns),
            commands("workload=storm", "full tables", turns), many_cpus(turns)]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
