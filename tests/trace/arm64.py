# SPDX-License-Identifier: GPL-2.0-or-later
"""Hypervisors for arm64 under the tracer, from their first instruction: Xen, Linux without VHE."""

import json
import subprocess

import pytest

from conftest import BUILD, ROOT
from foreign import ARM64, READY, Linux, Xen, with_program
from tracer import Tracer
from tracing import TraceFile

ENTRIES = 1 << 20


@pytest.fixture
def traced(tmp_path):
    """Starts a machine under the tracer and waits until its Linux is up."""
    machines = []

    def start(m, symbols):
        machines.append(m)
        Tracer(BUILD, symbols, 0, ENTRIES).attach(m).start()
        m.wait_console(READY, 400)
        m.qmp("stop")
        return TraceFile(m.dir / "trace")

    start.directory = tmp_path
    yield start
    for m in machines:
        m.cleanup()


def check(m, *words):
    """What hvscope check makes of all that was recorded."""
    done = subprocess.run([BUILD / "hvscope", "check", "--json", *words, "--dir", m.dir],
                          capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def is_whole(trace):
    """Was everything recorded, and is all of it there still?"""
    assert all(cpu["ring_head"] < cpu["ring_entries"] for cpu in trace.cpus())
    return trace.missed() == {}


def test_xen(traced):
    """Debian's Xen 4.17: all of its boot is judged. Its pmap breaks before it makes, and CPU1 is
    not there yet; what it flushes for one CPU alone is no finding, then."""
    m = Xen(ARM64, traced.directory / "run", BUILD)
    assert is_whole(traced(m, m.symbols))
    said = check(m)
    assert said["read"]["events"] > 100000
    assert (said["verdict"], said["findings"]) == ("clean", [])
    assert (said["read"]["lost"], said["read"]["unjudged"]) == (0, 0)


def test_linux_without_vhe(traced):
    """KVM's tables are made at EL1, before anybody walks them; what EL2 itself does is judged."""
    m = Linux(traced.directory / "run", BUILD, append="kvm-arm.mode=nvhe", cpu="max", mem="1G")
    program = traced.directory / "vm"
    subprocess.run(["aarch64-linux-gnu-gcc", "-O1", "-nostdlib", "-static", "-ffreestanding", "-o",
                    program, ROOT / "tests/xen/vm.c"], check=True)
    m.initrd = with_program(m.initrd, program, traced.directory / "initrd")
    trace = traced(m, None)
    assert is_whole(trace)
    said = check(m, "--profile", "el2")
    assert said["read"]["events"] > 10
    assert (said["verdict"], said["findings"]) == ("clean", [])
