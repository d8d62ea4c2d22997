# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests share: where things were built, machines, the summary line."""

import fnmatch
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
BUILD = (ROOT / os.environ.get("HVSCOPE_BUILD", "build")).resolve()
sys.path[:0] = [str(ROOT / folder) for folder in ("hv/launch", "gdb-scripts", "viewer/man")]
sys.dont_write_bytecode = True
os.environ["XDG_CONFIG_HOME"] = "/nonexistent"  # whoever runs the tests may have settings

# A shell starts background jobs with these ignored, and every child would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)

from hvscope.beacon import beacon_read  # noqa: E402
from machine import SHM, Machine  # noqa: E402


def read_beacon(m):
    """The beacon as it is in a machine's RAM now."""
    def read(pa, size):
        with open(m.dir / "ram", "rb") as ram:
            ram.seek(pa - 0x40000000)
            return ram.read(size)
    return beacon_read(read)


def wait_until(condition, timeout=30, pause=0.05):
    """Ask every pause seconds until condition() is true; at the deadline the test fails."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(pause)


BUDGET = ROOT / "tests/budget"
began = time.monotonic()
spent: dict[str, float] = {}  # seconds of each test
unit_cases = {"passed": 0, "failed": 0}  # of all reports, from every worker


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


@pytest.fixture(autouse=True)
def no_ram_is_left(request):
    """A launcher keeps the RAM of a run that went wrong until the next run: a test has none."""
    top = request.getfixturevalue("tmp_path") if "tmp_path" in request.fixturenames else None
    yield
    for ram in top.glob("**/ram*") if top else ():
        if ram.is_symlink() and ram.readlink().parent == SHM:
            ram.readlink().unlink(missing_ok=True)


@pytest.fixture
def mutant(tmp_path):
    """Builds the image with one file changed: mutant(file, old, new, old, new, …)."""
    def build(name, *changes):
        tree = tmp_path / "mutant"
        for folder in ("hv", "include"):
            shutil.copytree(ROOT / folder, tree / folder)
        shutil.copy(ROOT / "Makefile", tree)
        text = (tree / name).read_text()
        for old, new in zip(changes[::2], changes[1::2]):
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (tree / name).write_text(text)
        subprocess.run(["make", "-s", "-C", tree, "build/hv-xen.bin", "BUILD=build"], check=True,
                       capture_output=True)
        return tree / "build/hv-xen.bin"
    return build


@pytest.fixture
def count_unit_cases(record_property):
    """For tests that run a binary with cases of its own: they count as tests."""
    def count(passed: int, failed: int) -> None:
        record_property("unit_cases", {"passed": passed, "failed": failed})
    return count


def over_budget(tests, total):
    """Lines that say what took longer than tests/budget has for it: {test: seconds}, and all."""
    rows = [line.split() for line in BUDGET.read_text(encoding="utf-8").splitlines()
            if line.strip() and not line.startswith("#")]
    files: dict[str, float] = {}
    for test, seconds in tests.items():
        file = test.split("::")[0]
        files[file] = files.get(file, 0) + seconds

    def check(kind, name, seconds):
        for row in rows:
            if row[1] == kind and fnmatch.fnmatch(name, row[2] if len(row) > 2 else "*"):
                return [f"budget: {name} took {seconds:.0f} s, not {row[0]}"] \
                    if seconds > float(row[0]) else []
        return []
    return [line for kind, timed in (("all", {"all of it": total}), ("file", files),
                                     ("test", tests))
            for name, seconds in sorted(timed.items()) for line in check(kind, name, seconds)]


def pytest_runtest_logreport(report):
    """Where the summary is made; the tests themselves may run in other processes."""
    spent[report.nodeid] = spent.get(report.nodeid, 0) + report.duration
    for name, cases in report.user_properties if report.when == "call" else ():
        if name == "unit_cases":
            for kind, n in cases.items():
                unit_cases[kind] += n


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """The last line: how many tests passed and failed, unit test cases included."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if not reporter or config.option.collectonly or hasattr(config, "workerinput"):
        return
    for line in over_budget(spent, time.monotonic() - began):
        print(line)
    passed = len(reporter.stats.get("passed", [])) + unit_cases["passed"]
    failed = sum(len(reporter.stats.get(kind, [])) for kind in ("failed", "error"))
    print(f"{passed} passed, {failed + unit_cases['failed']} failed")
