# SPDX-License-Identifier: GPL-2.0-or-later
"""What is typed on the console: every command, and mistakes."""

import re

from conftest import ROOT
from machine import LaunchError, Machine, trace_unpack
from test_workloads import ask, counters

import pytest

MISTAKES = [
    ("nonsense", "unknown command nonsense: try help"),
    ("\x1b[2J", r"unknown command \?\[2J: try help"),
    ("help me", "help: takes no argument"),
    ("pace", "pace: a number from 0 to"), ("pace -1", "pace: a number"),
    ("pace 5 6", "pace: a number"), ("walk", "walk: one address"),
    ("walk 12", "walk: one address"), ("walk 0x1ffffffffffff", "has more than 48 bits"),
    ("load nothing", "workload: no workload is called nothing"),
    ("load cpu7:copy", "workload: there is no cpu7"),
    ("load fill", "workload: fill: an argument is missing"),
    ("load copy,copy", "workload: copy is there twice"),
    ("load copy, storm", "load: one list, without blanks"),
    ("x" * 300, "a line has at most 199 characters"),
]


def test_commands(machine):
    """Each answers; nothing ends the machine."""
    m = machine(smp=2, cmdline="workload=copy census=on")
    text = ask(m, "help", r"workload=\[cpuN")
    assert "fault=none, skip-tlbi" in text and re.search("census +who holds", text)
    text = ask(m, "load", "selftest over")
    assert "CPUs that are not named: copy" in text and "storm    all slots" in text
    walk = ask(m, "walk 0xa0000200000", "level 3")
    assert walk.count("table\n") == 3 and "leaf" in ask(m, "walk 0xa0000200000", "leaf")
    assert re.search(r"CPU0: \d+ slots are not free", ask(m, "dump", "not free"))
    assert re.search(r"CPU1: \d+ live maps", ask(m, "census", "CPU1: .* live"))
    for line, answer in MISTAKES:
        ask(m, line, answer)
    m.type("off")
    assert m.wait(30) == 0


def test_pace_can_be_changed(machine):
    """Slow, and fast again, without a restart."""
    m = machine(smp=1, cmdline="workload=copy")
    ask(m, "pace 1000", "pace: 1000")
    before, ticks = counters(m, 0)["work"], counters(m, 0)["irqs"]
    while counters(m, 0)["irqs"] < ticks + 400:
        pass
    assert counters(m, 0)["work"] - before < 2000
    ask(m, "pace 0", "pace: 0")
    before = counters(m, 0)["work"]
    ask(m, "stats", "pages free")
    while counters(m, 0)["work"] < before + 5000:
        assert m.process.poll() is None


def test_panic_command(machine):
    """A panic on demand: status 1, the beacon's message."""
    m = machine(smp=2)
    m.type("panic")
    assert m.wait(30) == 1
    assert "PANIC on CPU0: asked for on the console" in m.console()


def test_an_unknown_trace_is_named(tmp_path):
    """replay:NAME without such a file: the launcher says which there are."""
    m = Machine(tmp_path / "run", ROOT / "build/hv-xen.bin", append="workload=replay:none")
    with pytest.raises(LaunchError, match="no such trace, only boot, io"):
        m._prepare()
    m.remove_files()
    assert trace_unpack("boot", tmp_path).stat().st_size > 30 << 20
