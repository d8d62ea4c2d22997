# SPDX-License-Identifier: GPL-2.0-or-later
"""check=on: the image checks itself, event by event, while it runs."""

import re
import time

import pytest
from conftest import BUILD, read_beacon, wait_until

EVENTS_CLEAN = 60000  # of all CPUs, of each engine that has to stay without findings
SECONDS_CLEAN = 20  # and at least so long; make soak: ten minutes


def counts(m, key: str) -> list[int]:
    """A field of every CPU's block."""
    return [cpu.fields[key] for cpu in read_beacon(m).cpus]


def finish(m) -> str:
    """Power off; every produced event was checked. The console."""
    m.type("off")
    assert m.wait(60) == 0, m.console()
    produced, checked = counts(m, "produced"), counts(m, "checked")
    assert produced == checked and min(produced) > 1000
    total = re.findall(r"check: (\d+) events", m.console())[-1]
    assert 0 <= sum(produced) - int(total) < 100  # the last ones came after it was printed
    return m.console()


def test_the_patch_has_hazards_at_once(machine) -> None:
    """Each map that overwrites a live slot is one; nothing else is."""
    m = machine(smp=4, mem="16G", cmdline="check=on workload=stride")
    wait_until(lambda: min(counts(m, "hazards")) > 10 and min(counts(m, "checked")) > 1000, 30)
    console = finish(m)
    assert counts(m, "hazards") == counts(m, "commandeers")
    assert sum(counts(m, "violations")) == sum(counts(m, "notes")) == 0
    lines = re.findall(r"check: CPU(\d) hazard RFVQCK at 0x([0-9a-f]+): a live entry got another "
                       r"output address; va 0x7f80\w{8} entry 0x\w+: 0x\w+ -> 0x\w+", console)
    assert sorted(cpu for cpu, _ in lines) == ["0", "1", "2", "3"]
    assert len({pc for _, pc in lines}) == 1


@pytest.mark.parametrize("engine, cpu, more, seconds", [
    ("bbm", "max", "", SECONDS_CLEAN), ("clock", "max", "mapcache=lazy", SECONDS_CLEAN),
    ("clock", "cortex-a57", "mapcache=zap", 0), ("clock", "max", "mapcache=strict", 0)])
def test_the_compliant_engines_have_none(machine, engine: str, cpu: str, more: str,
                                         seconds: int) -> None:
    """Full rate, guests and interrupts."""
    m = machine(smp=4, cpu=cpu, mem="16G", image=BUILD / f"hv-{engine}.bin",
                cmdline=f"check=on workload=stride,storm,guest {more}")
    end = time.monotonic() + seconds
    wait_until(lambda: read_beacon(m).cpus[0].fields["checked"] > 1000)
    wait_until(lambda: sum(counts(m, "checked")) > EVENTS_CLEAN and
               min(counts(m, "checked")) > 3000 and min(counts(m, "irqs")) > 0 and
               time.monotonic() > end, 60)
    console = finish(m)
    assert "0 hazards, 0 violations, 0 notes, 0 not judged" in console
    assert "hazard R" not in console and "violation R" not in console


def test_a_shared_table_makes_violations(machine) -> None:
    """The same stores, where two CPUs walk the table; the run ends in a panic soon after."""
    m = machine(smp=2, mem="16G", ready="",
                cmdline="check=on fault=share-l2 workload=cpu0:idle,cpu1:storm")
    m.wait_console("violation RWHZWS", 60)
    wait_until(lambda: sum(counts(m, "violations")) > 0)
