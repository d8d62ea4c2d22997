# SPDX-License-Identifier: GPL-2.0-or-later
"""The workloads: each does what it says, can be changed at run time, and gives everything back."""

import re
import time

import pytest
from conftest import ROOT, read_beacon, wait_until

ONCE = {"selftest", "bench", "tracecost"}  # they power the machine off
ARGUMENTS = {"fill": "fill:99", "replay": "replay:boot"}
NAMES = {name for path in (ROOT / "hv/work").glob("*.c")
         for name in re.findall(r'\.name = "(\w+)"', path.read_text(encoding="utf-8"))}
WORK = [ARGUMENTS.get(name, name) for name in sorted(NAMES - ONCE)]


def ask(m, line: str, answer: str) -> str:
    """Type a line; what the console says from there on, once it holds the answer."""
    start = len(m.console())
    m.type(line)
    wait_until(lambda: re.search(answer, m.console()[start:]))
    return m.console()[start:]


def counters(m, cpu: int) -> dict:
    """A CPU's counters in the beacon."""
    return dict(read_beacon(m).cpus[cpu].fields)


def test_all_in_turn_on_one_machine(machine):
    """load: each takes over from the one before; in the end all maps are back, and all pages."""
    m = machine(smp=2, cmdline="workload=replay:boot census=on")
    ask(m, "load idle", "load: done")
    time.sleep(0.5)
    free = int(re.search(r"(\d+) of", ask(m, "stats", "pages free"))[1])
    for name in WORK:
        ask(m, f"load {name}", "load: done")
        before = counters(m, 1)["work"]
        wait_until(lambda b=before: counters(m, 1)["work"] > b + 20)
        assert m.process.poll() is None, m.console()
    ask(m, "load idle", "load: done")
    time.sleep(0.5)
    assert int(re.search(r"(\d+) of", ask(m, "stats", "pages free"))[1]) == free
    m.type("off")
    assert m.wait(30) == 0, m.console()


def test_mixed_and_per_cpu(machine):
    """Several on a CPU, in turn; another list for one CPU."""
    m = machine(smp=3, cmdline="workload=copy,nest,leak,cpu2:storm census=on")
    wait_until(lambda: min(counters(m, cpu)["work"] for cpu in range(3)) > 300)
    census = ask(m, "census", r"CPU2: \d+ live maps")
    assert re.search(r"CPU0: \d+ live maps", census)
    ask(m, "load cpu0:fill:50,cpu0:copy", "load: done")
    assert re.search(r"\n *512 by 0x", ask(m, "census", r"\n *512 by 0x"))
    m.type("off")
    assert m.wait(30) == 0, m.console()


@pytest.mark.parametrize("work,least,most", [
    ("nest", 10, 41), ("saturate", 15, 41), ("fill:90", 921, 930), ("leak", 32, 34)])
def test_how_much_is_held(machine, work, least, most):
    """The census counts what is open: as many as the workload says, never more."""
    m = machine(smp=2, cmdline=f"workload=idle,cpu1:{work} census=on")
    seen = set()
    deadline = time.monotonic() + 20
    while (not seen or max(seen) < least) and time.monotonic() < deadline:
        text = ask(m, "census", r"CPU1: \d+ live maps, slots hold \d+")
        seen.add(int(re.search(r"CPU1: (\d+) live", text)[1]))
    assert least <= max(seen) <= most


def test_hit_rates(machine):
    """scrub nearly always hits, stride hardly ever, and storm misses a lot."""
    rate = {}
    for name in ("scrub", "stride", "storm"):
        m = machine(smp=1, cmdline=f"workload={name}", mem="64G")
        wait_until(lambda m=m: counters(m, 0)["maps"] > 30000)
        first = counters(m, 0)
        wait_until(lambda m=m, f=first: counters(m, 0)["maps"] > f["maps"] + 20000)
        last = counters(m, 0)
        rate[name] = (last["hits"] - first["hits"]) / (last["maps"] - first["maps"])
        m.cleanup()
    assert rate["scrub"] > 0.99 and rate["stride"] < 0.05 and rate["storm"] < 0.4, rate


def test_race_hits_inside(machine):
    """Thousands of interrupts come inside map and unmap, and the old rate comes back."""
    m = machine(smp=1, cmdline="workload=race")
    wait_until(lambda: counters(m, 0)["irqs_inside"] > 1000)
    ask(m, "load idle", "load: done")
    time.sleep(0.3)
    before = counters(m, 0)["irqs"]
    time.sleep(1)
    assert counters(m, 0)["irqs"] - before < 1000


def test_replay_is_the_recorded_run(machine):
    """The boot trace on a machine with its RAM: as many hits as the hypervisor had."""
    m = machine(smp=2, cmdline="workload=replay:boot", mem="8G")
    wait_until(lambda: counters(m, 0)["maps"] > 1000000)
    c = counters(m, 0)
    assert c["hits"] / (c["maps"]) > 0.99
    m.type("off")
    assert m.wait(30) == 0, m.console()


def test_replay_without_a_trace(machine):
    """No ramdisk: it is said, once, and the CPUs are idle."""
    m = machine(smp=2, cmdline="workload=idle")
    ask(m, "load replay:boot", "no trace was loaded")
    m.type("off")
    assert m.wait(30) == 0
    assert m.console().count("no trace was loaded") == 1
