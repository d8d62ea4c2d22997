# SPDX-License-Identifier: GPL-2.0-or-later
"""workload=selftest: a line a check, on every CPU, and the status; and that it can fail."""

import re

import pytest
from conftest import BUILD
from test_mutation import ENGINE

CHECKS = 19


@pytest.mark.parametrize("engine,smp,cpu,option", [
    ("xen", 1, "max", ""), ("xen", 2, "cortex-a57", ""), ("xen", 4, "max", ""),
    ("bbm", 2, "max", ""), ("clock", 2, "max", ""), ("clock", 2, "cortex-a57", ""),
    ("clock", 1, "max", "mapcache=zap"), ("clock", 1, "cortex-a57", "mapcache=zap zap-limit=7"),
    ("clock", 1, "max", "mapcache=strict"), ("clock", 1, "cortex-a57", "mapcache=strict"),
])
def test_selftest(machine, engine, smp, cpu, option):
    """Every check is right on every CPU; the machine ends with status 0."""
    m = machine(smp=smp, cpu=cpu, image=BUILD / f"hv-{engine}.bin", ready="",
                cmdline=f"workload=selftest {option}")
    assert m.wait(60) == 0, m.console()
    lines = re.findall(r"^selftest: (ok|FAIL) CPU(\d+) ", m.console(), re.M)
    assert lines == [("ok", str(cpu)) for cpu in range(smp) for _ in range(CHECKS)]
    assert m.console().endswith("selftest: passed\n")


@pytest.mark.parametrize("old,new,name", [
    ("hit = true;\n            refs++;", "hit = true;\n            refs += 2;", "hit: "),
    ("% DOMHEAP_ENTRIES;\n        pte", "% (DOMHEAP_ENTRIES - 1);\n        pte", "wrap-around"),
    ("refs < PTE_REFS_MAX && slot", "refs < PTE_REFS_MAX - 1 && slot", "saturation"),
])
def test_selftest_can_fail(machine, mutant, old, new, name):
    """With a wrong engine a check says so and the status is 2, or a CHECK ends it with 1."""
    image = mutant(ENGINE, old, new)
    m = machine(smp=1, image=image, cmdline="workload=selftest", ready="")
    assert m.wait(60) in (1, 2), m.console()
    assert re.search(f"selftest: FAIL CPU0 {name}|PANIC", m.console())
    assert "selftest: passed" not in m.console()


def test_selftest_needs_slots(machine):
    """With directmap=on nothing takes a slot: refused in a sentence."""
    m = machine(smp=2, cmdline="workload=selftest directmap=on", ready="")
    assert m.wait(60) == 2
    assert "selftest: needs directmap=off" in m.console()
