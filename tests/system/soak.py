# SPDX-License-Identifier: GPL-2.0-or-later
"""A long run under load, and what it did. `make soak` runs it for 10 minutes, a test for less.

While guests, copies and interrupts run on four CPUs, the machine is halted now
and then and its slots are compared with its counters: every reference must be
a map that was not given back. Then guests misbehave until enough of them were
killed, and all memory must come back.
"""

import argparse
import random
import re
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from conftest import BUILD, read_beacon, wait_until  # noqa: E402
from machine import Machine  # noqa: E402
from oracle import Memory, dump  # noqa: E402

SIZE = 4 << 30


def compare_at_a_halt(m, memory) -> bool:
    """Halt; on each CPU that is not inside map or unmap, references = maps - unmaps."""
    m.qmp("stop")
    try:
        counters = [c.fields for c in read_beacon(m).cpus]
        for cpu, c in zip(dump(memory, m.smp, SIZE)["cpus"], counters):
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


def work(m, seconds: float) -> int:
    """The first part; how many halts there were."""
    memory = Memory(m.dir / "ram", BUILD / "hv-xen.elf")
    halts, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(random.uniform(0.05, 0.5))
        assert m.process.poll() is None, m.console()[-2000:]
        halts += compare_at_a_halt(m, memory)
    return halts


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


def soak(m, seconds: float, guests: int) -> str:
    """Both parts on a machine that runs; the summary, or an AssertionError."""
    halts = work(m, seconds)
    dead = kill_guests(m, guests)
    cpus = [c.fields for c in read_beacon(m).cpus]
    m.type("off")
    assert m.wait(120) == 0, m.console()[-2000:]

    def total(name: str) -> int:
        return sum(c[name] for c in cpus)
    return (f"{seconds:.0f} s: {total('maps')} maps, {total('commandeers')} commandeered slots, "
            f"{total('verified')} pages and rounds verified, {total('irqs_inside')} of "
            f"{total('irqs')} interrupts inside map or unmap, {halts} halts compared, "
            f"{dead} guests killed, 0 errors")


def soak_check(m, seconds: float) -> str:
    """check=on: no finding, and every event that was produced was checked; the summary."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(min(1.0, seconds))
        cpus = [c.fields for c in read_beacon(m).cpus]
        assert all(c["hazards"] == c["violations"] == 0 for c in cpus), m.console()[-2000:]
    m.type("off")
    assert m.wait(120) == 0, m.console()[-2000:]
    cpus = [c.fields for c in read_beacon(m).cpus]
    assert all(c["produced"] == c["checked"] > 0 for c in cpus), cpus
    return f"{seconds:.0f} s: {sum(c['checked'] for c in cpus)} events checked, 0 findings"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--guests", type=int, default=1000, help="how many to have killed")
    parser.add_argument("--check", choices=("bbm", "clock"), metavar="ENGINE",
                        help="with check=on instead, on this engine: bbm or clock")
    args = parser.parse_args()
    work_of = "check=on workload=stride,storm,guest" if args.check else \
        "guests=3 workload=guest,copy pace=0 census=on"
    with tempfile.TemporaryDirectory() as directory:
        m = Machine(Path(directory) / "run", BUILD / f"hv-{args.check or 'xen'}.bin", smp=4,
                    mem="16G" if args.check else "4G", append=work_of)
        try:
            m.start()
            m.wait_console("CPUs up", 60)
            print(soak_check(m, args.seconds) if args.check else
                  soak(m, args.seconds, args.guests))
        finally:
            m.cleanup()


if __name__ == "__main__":
    main()
