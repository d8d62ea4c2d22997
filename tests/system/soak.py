# SPDX-License-Identifier: GPL-2.0-or-later
"""A long run under load, and what it did. `make soak` takes 30 minutes, a test less.

While guests, copies and interrupts run on four CPUs, the machine is halted now
and then and its slots are compared with its counters: every reference must be
a map that was not given back. Then guests misbehave until enough of them were
killed, and all memory must come back.

A viewer and a recorder are at work all the time: both end well, the viewer's memory stays what it
was. A gdb comes at random moments, looks, lets the machine run, stops it again; it detaches, or is
killed.

--halts: a debugger stops the machine at random moments, and both tools must say the same bytes;
then viewer and debugger attach and detach so often, and nothing is left in QEMU.

--check: the image checks its own order of stores, TLBIs and barriers meanwhile. bbm and clock must
have no finding, and must have checked all that they did; xen has hazards within a second, and
violations once two CPUs share a table.

--live: readings of a machine that runs, each of which must show a state that the CPU was in.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conftest import BUILD, read_beacon, wait_until  # noqa: E402
from hvscope.beacon import ENGINES  # noqa: E402
from machine import Machine  # noqa: E402
from oracle import Memory, dump, dump_json  # noqa: E402
from soak_tools import companions, cycles, halts, visit  # noqa: E402
from test_live import machine_options, promise, sequence  # noqa: E402
from test_oracle import gdb_dump  # noqa: E402

GDB_SHARE = 0.2  # of the halts
VISITS = 0.1  # of the halts under load are those of a gdb
SIZE = 4 << 30
CHECK_SIZE = 16 << 30
GUESTS = "guests=3 workload=guest,copy pace=0 census=on"
HALTED = "guests=3 workload=guest,storm pace=0"
CHECKED = "check=on workload=stride,storm,guest"
SHARED = "check=on fault=share-l2 workload=cpu0:idle,cpu1:storm"


def compare_at_a_halt(m, memory, engine: str) -> bool:
    """Halt; on each CPU that is not inside map or unmap, references = maps - unmaps."""
    m.qmp("stop")
    try:
        counters = [c.fields for c in read_beacon(m).cpus]
        for cpu, c in zip(dump(memory, m.smp, SIZE, engine)["cpus"], counters):
            assert cpu["counts"]["broken"] == 0, cpu
            if cpu["consistent"]:
                assert cpu["counts"]["refs"] == c["maps"] - c["unmaps"], (cpu, c)
    finally:
        m.qmp("cont")
    return True


def stats(m, pattern: str) -> int:
    """A number of the console's stats, from the moment of asking."""
    start = len(m.console())
    m.type("stats")
    wait_until(lambda: re.search(r"domheap: \d+ of \d+ pages free\n", m.console()[start:]))
    return int(re.search(pattern, m.console()[start:])[1])


def killed(m) -> int:
    """Guests killed so far."""
    return stats(m, r"guests killed: (\d+)")


def free_pages(m) -> int:
    """Free pages of the domheap."""
    return stats(m, r"domheap: (\d+) of")


def work(m, engine: str, seconds: float) -> tuple[int, int]:
    """The first part; how many halts there were, and visits of a gdb."""
    memory = Memory(m.dir / "ram", BUILD / f"hv-{engine}.elf")
    stops, visits, end = 0, 0, time.monotonic() + seconds
    with companions(m) as viewer:
        while time.monotonic() < end:
            time.sleep(random.uniform(0.05, 0.5))
            assert m.process.poll() is None, m.console()[-2000:]
            if random.random() < VISITS:
                visits += visit(m, engine, lambda: dump_json(memory, m.smp, SIZE, engine))
            else:
                stops += compare_at_a_halt(m, memory, engine)
            viewer.look()
    return stops, visits


def kill_guests(m, wanted: int) -> int:
    """The second part: until so many guests were killed; all memory comes back."""
    m.type("load idle")
    wait_until(lambda: "load: done" in m.console())
    wait_until(lambda: free_pages(m) == free_pages(m), 60)  # all CPUs have changed over
    before = free_pages(m)
    m.type("load guest:bad")
    wait_until(lambda: killed(m) >= wanted, 60 + wanted)
    m.type("load idle")
    wait_until(lambda: free_pages(m) == before, 120)
    return killed(m)


def soak(m, engine: str, seconds: float, guests: int) -> str:
    """Both parts on a machine that runs; the summary, or an AssertionError."""
    stops, visits = work(m, engine, seconds)
    dead = kill_guests(m, guests)
    cpus = [c.fields for c in read_beacon(m).cpus]
    m.type("off")
    assert m.wait(120) == 0, m.console()[-2000:]

    def total(name: str) -> int:
        return sum(c[name] for c in cpus)
    return (f"{engine}, {seconds:.0f} s: {total('maps')} maps, {total('commandeers')} "
            f"commandeered slots, {total('verified')} pages and rounds verified, "
            f"{total('irqs_inside')} of {total('irqs')} interrupts inside map or unmap, "
            f"{stops} halts compared, {visits} visits of gdb, {dead} guests killed, 0 errors")


def readings_agree(m, memory, engine: str) -> bool:
    """Halt; the viewer's dump is the naive reading's, and its check finds nothing wrong. Now and
    then GDB's too, which lets the machine run on."""
    m.qmp("stop")
    try:
        viewer = [subprocess.run([BUILD / "hvscope", *words, "--json", "--dir", m.dir],
                                 capture_output=True, text=True, timeout=60, check=False)
                  for words in (["dump"], ["check"])]
        expected = dump_json(memory, m.smp, CHECK_SIZE, engine)
        assert viewer[0].stdout == expected
        wrong = [f for f in json.loads(viewer[1].stdout)["findings"] if f["severity"] != "note"]
        assert not wrong and viewer[1].returncode == 0, viewer[1].stdout
        assert random.random() > GDB_SHARE or gdb_dump(m, engine) == expected
    finally:
        m.qmp("cont")
    return True


def soak_check(m, engine: str, seconds: float) -> str:
    """check=on: no finding, and every event that was produced was checked; the summary."""
    memory = Memory(m.dir / "ram", BUILD / f"hv-{engine}.elf")
    stops, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(random.uniform(0.5, 1))
        cpus = [c.fields for c in read_beacon(m).cpus]
        assert all(c["hazards"] == c["violations"] == 0 for c in cpus), m.console()[-2000:]
        stops += readings_agree(m, memory, engine)
    m.type("off")
    assert m.wait(120) == 0, m.console()[-2000:]
    cpus = [c.fields for c in read_beacon(m).cpus]
    assert all(c["produced"] == c["checked"] > 0 for c in cpus), cpus
    checked = sum(c["checked"] for c in cpus)
    return (f"{engine}, {seconds:.0f} s: {checked} events checked, all that were made, 0 findings; "
            f"{stops} halts: dump and check right")


def soak_halts(m, wanted: int) -> str:
    """Halts and attaches; the summary, or an AssertionError."""
    done = halts(m, wanted), cycles(m, wanted)
    m.type("off")
    assert m.wait(120) == 0, m.console()[-2000:]
    return (f"{done[0]} halts at random: both tools say the same bytes; {done[1]} times attached "
            "and detached: nothing is left")


def first_finding(m, kind: str, most: float) -> str:
    """How long it takes until the image finds what is wrong with engine xen: most seconds."""
    start = time.monotonic()
    wait_until(lambda: sum(c.fields[kind] for c in read_beacon(m).cpus) > 0, 60)
    seconds = time.monotonic() - start
    assert seconds <= most, f"the first of the {kind} came after {seconds:.1f} s, not {most} s"
    return f"xen: {kind} {seconds:.1f} s after all CPUs were up"


def soak_live(engine: str, seconds: float) -> None:
    """Live snapshots keep their promise, with a sequence that is another each time."""
    with tempfile.TemporaryDirectory() as directory:
        seed = random.randrange(1 << 32)
        trace = sequence(Path(directory) / "trace", seed)
        options = machine_options(trace)
        run(engine, options["smp"], int(options["mem"][:-1]) << 30, options["cmdline"],
            lambda m: f"{engine}, {seconds:.0f} s, seed {seed}: " +
            promise(m, trace, seconds, Path(directory) / "run.rec"), options["extra"])


def run(engine: str, smp: int, size: int, append: str, body, extra: str = "") -> None:
    """A machine, and what body says of it."""
    with tempfile.TemporaryDirectory() as directory:
        m = Machine(Path(directory) / "run", BUILD / f"hv-{engine}.bin", smp=smp,
                    mem=f"{size >> 30}G", append=append, extra=extra)
        try:
            m.start()
            m.wait_console("CPUs up", 60)
            print(body(m), flush=True)
        finally:
            m.cleanup()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=300, help="on each engine")
    parser.add_argument("--guests", type=int, default=334, help="how many to have killed on each")
    parser.add_argument("--halts", type=int, help="that many instead, and attaches")
    parser.add_argument("--check", choices=ENGINES, metavar="ENGINE",
                        help="with check=on instead, on this engine")
    parser.add_argument("--live", action="store_true", help="live snapshots instead")
    args = parser.parse_args()
    if args.halts:
        run("xen", 4, SIZE, HALTED, lambda m: soak_halts(m, args.halts))
    elif args.live:
        for engine in ("xen", "bbm"):
            soak_live(engine, args.seconds / 2)
    elif not args.check:
        for engine in ENGINES:
            run(engine, 4, SIZE, GUESTS,
                lambda m, engine=engine: soak(m, engine, args.seconds, args.guests))
    elif args.check == "xen":
        run("xen", 4, CHECK_SIZE, "check=on workload=stride",
            lambda m: first_finding(m, "hazards", 1))
        run("xen", 2, CHECK_SIZE, SHARED, lambda m: first_finding(m, "violations", 60))
    else:
        run(args.check, 4, CHECK_SIZE, CHECKED,
            lambda m: soak_check(m, args.check, args.seconds))


if __name__ == "__main__":
    main()
