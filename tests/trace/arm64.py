# SPDX-License-Identifier: GPL-2.0-or-later
"""Hypervisors for arm64 under the tracer, from their first instruction: Xen, Linux without VHE."""

import json
import struct
import subprocess
import sys

import pytest

from conftest import BUILD, ROOT
from foreign import ARM64, READY, Linux, Xen, with_program
from rings import EL1, PTE, TLBI
from tracer import Tracer
from tracing import TraceFile, file_reader

sys.path.insert(0, str(ROOT / "tests/xen"))

from tools import gdb  # noqa: E402

ENTRIES = 1 << 20
ADDRESS = (1 << 48) - (1 << 12)
ASIDE1 = 14
KERNELS_LEAST = 50  # tables


@pytest.fixture
def traced(tmp_path):
    """Starts a machine under the tracer and waits until its Linux is up."""
    machines = []

    def start(m, symbols, ready=READY, entries=ENTRIES, **options):
        machines.append(m)
        Tracer(BUILD, symbols, 0, entries, **options).attach(m).start()
        m.wait_console(ready, 400)
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


def tables_below(read, root):
    """Pages of four levels of tables, and what is in them."""
    pages: dict[int, bytes] = {}
    level = [root]
    for depth in range(4):
        pages |= {pa: read(pa, 4096) for pa in level}
        level = [entry & ADDRESS for pa in level for entry, in struct.iter_unpack("<Q", pages[pa])
                 if entry & 3 == 3 and depth < 3]
    return pages


def kernels_tables(m):
    """Those of dom0's kernel, whose IPAs are PAs; the machine is halted. While an application
    runs, a CPU's TTBR1_EL1 points to others, that are few: another halt, then."""
    read = file_reader(m.dir / "ram", 0x40000000)
    for _ in range(100):
        m.qmp("stop")
        said = gdb(m, "thread 1", "p/x $TTBR1_EL1", "thread 2", "p/x $TTBR1_EL1", symbols=(),
                   stay=True)[1::2]
        roots = [int(value.split()[-1], 0) & ADDRESS for value in said]
        pages = max((tables_below(read, root) for root in roots if root), key=len)
        if len(pages) > KERNELS_LEAST:
            return pages
        m.qmp("cont")
    raise AssertionError("dom0's kernel is never halted")


def test_el1(traced):
    """el1=on: what changed in the tables of dom0's kernel is what was recorded, and no more."""
    m = Xen(ARM64, traced.directory / "run", BUILD)
    trace = traced(m, None, ready="devtmpfs: initialized", entries=1 << 22, el1=True)
    before = kernels_tables(m)
    when = [trace.events(cpu)[-1].time for cpu in range(2)]
    m.qmp("cont")
    m.wait_console(READY, 400)
    after = kernels_tables(m)
    events = sorted((event for cpu in range(2) for event in trace.events(cpu)
                     if event.time > when[cpu]), key=lambda event: event.time)
    stored = {e.key[0]: e.key[2] for e in events if e.kind == PTE and e.regime == EL1}
    checked = 0
    for page in before.keys() & after.keys():
        was, now = (struct.unpack("<512Q", tree[page]) for tree in (before, after))
        for n in range(512):
            assert stored.get(page + 8 * n, was[n]) == now[n], f"entry at {page + 8 * n:#x}"
            checked += page + 8 * n in stored
    assert checked > 1000
    assert any(e.kind == TLBI and e.key[0] & 15 == ASIDE1 for e in events)
    assert trace.missed() == {}
