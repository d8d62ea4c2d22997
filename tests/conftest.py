# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests share: where things were built, machines, the summary line."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILD = (ROOT / os.environ.get("HVSCOPE_BUILD", "build")).resolve()
sys.path[:0] = [str(ROOT / "hv/launch"), str(ROOT / "gdb-scripts")]
sys.dont_write_bytecode = True

from machine import Machine  # noqa: E402

unit_cases = {"passed": 0, "failed": 0}


@pytest.fixture
def machine(tmp_path):
    """Factory of running machines: machine(smp=2, cpu="max", cmdline="pace=20")."""
    machines = []

    def start(smp=2, cpu="max", cmdline="", mem="4G", extra="", directory=None,
              image=BUILD / "hv-xen.bin", ready="CPUs up"):
        m = Machine(directory or tmp_path / f"run{len(machines)}", image, smp, mem, cpu, cmdline,
                    extra)
        machines.append(m)
        m.start()
        if ready:
            m.wait_console(ready, 60)
        return m

    yield start
    for m in machines:
        m.cleanup()


@pytest.fixture
def count_unit_cases():
    """For tests that run a binary with cases of its own: they count as tests."""
    def count(passed: int, failed: int) -> None:
        unit_cases["passed"] += passed
        unit_cases["failed"] += failed
    return count


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """The last line: how many tests passed and failed, unit test cases included."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if not reporter or config.option.collectonly:
        return
    passed = len(reporter.stats.get("passed", [])) + unit_cases["passed"]
    failed = sum(len(reporter.stats.get(kind, [])) for kind in ("failed", "error"))
    print(f"{passed} passed, {failed + unit_cases['failed']} failed")
