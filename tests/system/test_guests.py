# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests on the real image: they work, are scheduled, misbehave and are killed."""

import re

import pytest
from conftest import read_beacon, wait_until

KINDS = ("bad pointer 0x123456789000", "bad hypercall 0x3f2",
         "stage-2 fault, data at ipa 0x50000000", "endless loop, ticks without a hypercall",
         "floods the console, bytes a second 0x1000")


def stats(m):
    """What the console's stats print, from the moment of asking."""
    start = len(m.console())
    m.type("stats")
    wait_until(lambda: re.search(r"domheap: \d+ of \d+ pages free\n", m.console()[start:]))
    return m.console()[start:]


def rounds(m):
    """Rounds of work that each domain found right."""
    return {int(d): int(n) for d, n in re.findall(r"d(\d+)\.\d+: .*, (\d+) rounds", stats(m))}


def free_pages(m):
    """Pages of the domheap that are free."""
    return int(re.search(r"domheap: (\d+) of", stats(m))[1])


@pytest.mark.parametrize("smp,guests,cpu", [(1, 8, "max"), (2, 3, "cortex-a57"),
                                            (4, 2, "neoverse-n1"), (2, 2, "cortex-a72")])
def test_guests_work(machine, smp, guests, cpu):
    """Every domain goes on with its work, also with more vCPUs than CPUs; the end is clean."""
    m = machine(smp=smp, cpu=cpu, cmdline=f"guests={guests} workload=guest census=on")
    wait_until(lambda: len(rounds(m)) == guests and min(rounds(m).values()) > 20)
    assert "killed: " not in re.sub("guests killed: 0", "", m.console())
    m.type("off")
    assert m.wait(60) == 0, m.console()
    assert "off: every map was given back" in m.console()


def test_interrupts_come_inside_map_and_unmap(machine):
    """The counter says so, on every CPU; their own maps are right (or the image panics)."""
    m = machine(smp=2, cmdline="guests=2 workload=guest,copy,race")
    wait_until(lambda: min(c.fields["irqs_inside"] for c in read_beacon(m).cpus) > 50)
    assert all(c.fields["irqs"] > c.fields["irqs_inside"] for c in read_beacon(m).cpus)


def test_misbehaving_guests_are_killed_and_the_others_go_on(machine):
    """Each kind is named; domain 0 works all the time; all memory comes back."""
    m = machine(smp=2, cmdline="guests=6 workload=idle")
    before = free_pages(m)
    m.type("load guest:bad")
    wait_until(lambda: all(f"killed: {kind}" in m.console() for kind in KINDS), 60)
    first = rounds(m)[0]
    wait_until(lambda: rounds(m)[0] > first)
    assert int(re.search(r"guests killed: (\d+)", stats(m))[1]) >= 5
    assert not re.search(r"d0\.\d+: killed", m.console())
    m.type("load idle")
    wait_until(lambda: free_pages(m) == before, 60)
    m.type("off")
    assert m.wait(30) == 0, m.console()


def test_a_switch_with_a_map_open_is_caught(machine, mutant):
    """The CHECK on the way back to EL1: a hypercall that keeps a map ends the run."""
    image = mutant("hv/guest/hypercall.c", "    __atomic_fetch_add(&v->domain->passes, 1",
                   "    if (v->domain->passes == 10)\n        paced_map(v->domain->stage2);\n"
                   "    __atomic_fetch_add(&v->domain->passes, 1")
    m = machine(smp=1, image=image, cmdline="workload=guest", ready="")
    assert m.wait(60) == 1
    assert re.search(r"CHECK\(.*maps were open before, \d+ are on the way back", m.console())


def test_console_of_a_guest_is_harmless(machine, mutant):
    """Control bytes that a guest prints never reach the terminal."""
    image = mutant("hv/guest/tiny/main.c", 'console_number("rounds: ", round + 1)',
                   'console_number("\\x1b[31mred\\r\\x07 ", round + 1)',
                   "CONSOLE_ROUNDS 4096", "CONSOLE_ROUNDS 4")
    m = machine(smp=1, image=image, cmdline="workload=guest")
    wait_until(lambda: "red" in m.console())
    assert re.search(r"\(d\d\.1\) \?\[31mred\?\? \d+\n", m.console())
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", (m.dir / "console").read_text().replace(
        "\r\n", "\n"))


def test_pace_holds_with_guests(machine):
    """At pace=2000 vCPUs still take turns, and every domain advances."""
    m = machine(smp=2, cmdline="guests=2 workload=guest pace=2000")
    wait_until(lambda: len(rounds(m)) == 2 and min(rounds(m).values()) > 1, 60)


def test_guests_again_and_again(machine):
    """A CPU that ends the old guests does not wait for the new ones that others build."""
    plan = "cpu0:fill:90,cpu0:guest,cpu1:guest"  # CPU0 is busy between its old guests and new ones
    m = machine(smp=2, cmdline=f"workload={plan}")
    for _ in range(60):
        m.type(f"load {plan}")
        before = [c.fields["work"] for c in read_beacon(m).cpus]
        wait_until(lambda b=before: all(
            c.fields["work"] > w + 3 for c, w in zip(read_beacon(m).cpus, b)), pause=0.002)
    m.type("off")
    assert m.wait(60) == 0, m.console()
