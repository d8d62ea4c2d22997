# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's Xen for arm64, which has no mapcache: its tables, and that nobody invents slots.

Without a dom0 it panics; the machine then stays as it is.
"""

import json
import random
import re
import subprocess
import time

import pytest
from conftest import BUILD, wait_until
from foreign import ARM64, READY, Xen
from tools import gdb, hvscope, mapped
from xen_oracle import Xen as Oracle

MEM = 2
NO_MAPCACHE = "this Xen has no mapcache (it has no per_cpu__xen_dommap)"
PANIC = "Reboot in five seconds"
MACHINES = [("4.17", "cortex-a57", False), ("4.17", "max", False), ("4.17", "cortex-a57", True),
            ("4.17", "max", True), ("4.20", "max", True)]


@pytest.fixture(scope="module", name="xen", params=MACHINES,
                ids=lambda p: f"{p[0]}-{p[1]}-{'dom0' if p[2] else 'panicked'}")
def booted(request, tmp_path_factory):
    """Each machine once for all tests."""
    version, cpu, dom0 = request.param
    m = Xen(ARM64, tmp_path_factory.mktemp("xen") / "run", BUILD, version=version, cpu=cpu,
            dom0=dom0, mem=f"{MEM}G", smp=2)
    m.start()
    try:
        m.wait_console(READY if dom0 else PANIC, 400)
        if not dom0:
            wait_until(lambda: m.qmp("query-status")["status"] == "shutdown")
        yield m
    finally:
        m.cleanup()


def halt(m):
    """Halted, wherever that is; a machine that has ended is."""
    if m.dom0:
        time.sleep(random.uniform(0.05, 0.4))
        m.qmp("stop")


def test_tables(xen):
    """Ranges, walks and CPUs: viewer and GDB print the same; the ranges are the oracle's."""
    for _ in range(3 if xen.dom0 else 1):
        halt(xen)
        oracle = Oracle(xen.dir / "ram", xen.dir / "symbols", "arm64", MEM << 30)
        leaves = oracle.leaves(0)
        noise = random.Random(1)
        asked = ["0x0", hex(leaves[0][0]), hex(leaves[-1][0] + 0x123), "0x7f8000000000",
                 *(hex(noise.choice(leaves)[0] + noise.randrange(4096)) for _ in range(4))]
        pairs = [(["map", "--cpu", "0"], "pt-dump --cpu 0"),
                 (["map", "--cpu", "1"], "pt-dump --cpu 1"),
                 *((["walk", va, "--cpu", "1"], f"pt-walk {va} --cpu 1") for va in asked)]
        said = [hvscope(xen, *words, "--json") for words, _ in pairs]
        for answer, viewer in zip(gdb(xen, *(f"{command} --json" for _, command in pairs)), said):
            assert answer == viewer
        assert mapped(said[0]) == mapped(said[1]) == leaves
        for va, text in zip(asked[1:3], said[3:5]):
            assert int(json.loads(text)["result"]["pa"], 0) == oracle.resolve(int(va, 0))


def test_there_is_no_mapcache(xen):
    """All that is about slots says so, in one sentence, with status 5."""
    for words in (["dump"], ["dump", "--json"], ["stats"], ["find", "0x40000"], ["check"],
                  ["explain", "0x40000"], ["wait", "cpu0.slot3.refs>=1", "--timeout", "1"]):
        said = hvscope(xen, *words, status=5)
        assert NO_MAPCACHE in said and said.count("\n") == 0, words
    commands = ["mapcache-dump", "mapcache-dump --json", "mapcache-stats", "mapcache-slot 3",
                "mapcache-find 0x40000", "mapcache-explain 0x40000", "mapcache-check",
                "mapcache-diff", "mapcache-break commandeer", "mapcache-trace on"]
    for command, said in zip(commands, gdb(xen, *commands)):
        assert said.startswith(f"hvscope: {NO_MAPCACHE}") and said.count("\n") == 0, command


def test_what_it_looks_like(xen):
    """CPUs and regions by name; the viewer's first picture is the root table."""
    halt(xen)
    picture = hvscope(xen, "view", "--once")
    root = Oracle(xen.dir / "ram", xen.dir / "symbols", "arm64", MEM << 30).root(0)
    assert "Xen arm64  2 CPUs" in picture and f"CPU0 root {root:#x}" in picture
    assert ("OFF" in picture) != bool(xen.dom0)
    cpus, layout, guests = gdb(xen, "hv-cpus", "hv-layout", "hv-guests")
    assert cpus.startswith("Xen, 2 CPUs, no mapcache that is known")
    assert len(re.findall(rf"^ [ *] +[01]  on +{root:#x} ", cpus, re.M)) == 2
    assert "image" in layout and guests.startswith("guests of a Xen")
    assert [row.split()[:3] for row in hvscope(xen, "cpus").splitlines()[2:]] == [
        ["0", "on", hex(root)], ["1", "on", hex(root)]]


def test_by_registers_alone(xen):
    """Profile el2, which knows no symbol: the same tables, and the machine is left as it was."""
    before = xen.qmp("query-status")["status"]
    done = subprocess.run([BUILD / "hvscope", "map", "--json", "--profile", "el2", "--dir",
                           xen.dir], capture_output=True, text=True, timeout=60, check=True)
    assert "asked the gdb stub for EL2's registers, once" in done.stderr
    oracle = Oracle(xen.dir / "ram", xen.dir / "symbols", "arm64", MEM << 30)
    assert mapped(done.stdout) == oracle.leaves(0) or xen.dom0  # a dom0 at work maps
    assert xen.qmp("query-status")["status"] == before
    said = gdb(xen, "pt-dump --json --cpu 0", symbols=())[0]
    assert json.loads(said)["root"] == json.loads(done.stdout)["root"] == hex(oracle.root(0))
