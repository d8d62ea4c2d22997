# SPDX-License-Identifier: GPL-2.0-or-later
"""Engines bbm and clock under load, on a CPU with range TLBIs (max) and on one without."""

import struct

import pytest
from conftest import BUILD, read_beacon, wait_until

REFUSED = 48  # offset in struct clock_index


def image(engine):
    """Its image."""
    return BUILD / f"hv-{engine}.bin"


def fields(m, name):
    """One counter of every CPU."""
    return [c.fields[name] for c in read_beacon(m).cpus]


def refused(m):
    """Maps that each CPU's engine clock refused."""
    with open(m.dir / "ram", "rb") as ram:
        for pa in fields(m, "clock_index"):
            ram.seek(pa - 0x40000000 + REFUSED)
            yield struct.unpack("<Q", ram.read(8))[0]


def finish(m):
    """Everything was given back, and nothing went wrong."""
    m.type("off")
    assert m.wait(120) == 0, m.console()[-2000:]
    assert "off: every map was given back" in m.console()


@pytest.mark.parametrize("engine,cpu,option", [
    ("bbm", "cortex-a57", ""), ("clock", "max", ""), ("clock", "cortex-a57", ""),
    ("clock", "max", "mapcache=zap"), ("clock", "cortex-a57", "mapcache=zap zap-limit=5"),
    ("clock", "max", "mapcache=strict"), ("clock", "cortex-a57", "mapcache=strict"),
])
def test_full_rate(machine, engine, cpu, option):
    """Guests and copies on four CPUs, every page's contents checked, interrupts among them."""
    m = machine(smp=4, cpu=cpu, image=image(engine),
                cmdline=f"workload=guest,copy guests=3 {option}")
    wait_until(lambda: min(fields(m, "verified")) > 100 and min(fields(m, "irqs")) > 20, 120)
    if option == "" and engine == "clock":
        wait_until(lambda: min(fields(m, "commandeers")) > 0, 120)
    finish(m)


@pytest.mark.parametrize("cpu", ["max", "cortex-a57"])
def test_interrupts_inside(machine, cpu):
    """Interrupts come inside map and unmap all the time, and map: the pages are still right."""
    m = machine(smp=2, cpu=cpu, image=image("clock"), cmdline="workload=race mapcache=zap")
    wait_until(lambda: min(fields(m, "irqs_inside")) > 100, 60)
    finish(m)


@pytest.mark.parametrize("cpu", ["max", "cortex-a57"])
@pytest.mark.parametrize("others", ["guest,copy", "p2m,nest,saturate,scrub,leak,storm,stride"])
def test_full_table(machine, cpu, others):
    """All slots pinned: maps are refused, callers cope, interrupts go on mapping."""
    m = machine(smp=2, cpu=cpu, image=image("clock"), mem="8G",
                cmdline=f"workload=fill:100,{others}")
    wait_until(lambda: min(refused(m)) > 20 and min(fields(m, "irqs")) > 50, 120)
    before = fields(m, "irqs"), fields(m, "work")
    wait_until(lambda: all(a > b + 20 for now, then in zip(
        (fields(m, "irqs"), fields(m, "work")), before) for a, b in zip(now, then)), 60)
    assert "PANIC" not in m.console()
    m.type("load guest,copy")  # the pins are given back: guests and copies go on
    done = fields(m, "verified")
    wait_until(lambda: all(a > b for a, b in zip(fields(m, "verified"), done)), 120)
    finish(m)


def test_full_table_is_the_end_of_bbm(machine):
    """As in the patch."""
    m = machine(smp=1, image=image("bbm"), mem="8G", cmdline="workload=fill:100", ready="")
    assert m.wait(60) == 1
    assert "all 1024 slots are in use" in m.console()
