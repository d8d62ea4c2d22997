# SPDX-License-Identifier: GPL-2.0-or-later
"""What recording costs, in instructions: the same loops with trace=all and trace=off."""

import re

# Instructions more with trace=all than with trace=off, each time. dsb, isb: two, and a
# fifteenth of the spill that a full barrier word needs; entry: two records; tlbi and entry
# mask interrupts. A rise fails.
MOST = {"dsb": 4.4, "isb": 4.4, "count": 24, "entry": 50, "tlbi": 32, "map+unmap": 130}


def instructions(machine, mode: str) -> dict[str, float]:
    """Instructions of each choke point: under icount a ns is one."""
    m = machine(smp=1, cmdline=f"trace={mode} workload=tracecost", extra="-icount shift=0",
                ready="")
    assert m.wait(120) == 0
    lines = re.findall(r"tracecost: (\S+) (\d+) times, (\d+) ticks of (\d+) Hz", m.console())
    return {name: int(ticks) * 1e9 / int(hz) / int(times) for name, times, ticks, hz in lines}


def test_cost_of_a_record(machine) -> None:
    """A choke point that nobody listens to costs one instruction, at most, beside itself."""
    off, on = instructions(machine, "off"), instructions(machine, "all")
    assert set(off) == set(on) == set(MOST)
    for name, most in MOST.items():
        assert 1 < on[name] - off[name] < most + 0.1, (name, on[name] - off[name])
