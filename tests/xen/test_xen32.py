# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's Xen 4.17 for arm32 with a Linux dom0: GDB, the viewer and a naive reading agree."""

import json
import random
import re
import subprocess
import sys
import time

import pytest
from conftest import BUILD, ROOT, wait_until
from foreign import ARM32, READY, Xen
from tools import gdb, hvscope, mapped
from xen_oracle import Xen as Oracle
from xen_oracle import dump32_json

sys.path.insert(0, str(ROOT / "tests/system"))

from terminals import Tmux  # noqa: E402
from test_viewer_machine import start_view  # noqa: E402

HALTS = 20
HALTS_MAX = 120  # until a CPU was seen in each of EL0, EL1 and EL2
SIZE = 3 << 30
QUICK_TRIES = 10
BREAK_TRY, BREAK_MAX = 120, 1200  # seconds: of one GDB, and of all until one stops


@pytest.fixture(scope="module", name="xen")
def booted(tmp_path_factory):
    """One machine for all tests: a boot takes a minute."""
    m = Xen(ARM32, tmp_path_factory.mktemp("xen") / "run", BUILD, mem="3G", smp=2)
    m.start()
    try:
        m.wait_console(READY, 400)
        yield m
    finally:
        m.cleanup()


@pytest.fixture(name="oracle")
def naive(xen):
    """The naive reading of it."""
    return Oracle(xen.dir / "ram", xen.dir / "symbols", "arm32", SIZE)


def test_three_readings_agree_in_every_el(xen, oracle):
    """At random halts, with CPUs in EL2, EL1 and EL0: the same bytes from all three."""
    levels, moments, halts = set(), set(), 0
    while halts < HALTS or ((levels != {0, 1, 2} or len(moments) == 1) and halts < HALTS_MAX):
        time.sleep(random.uniform(0.05, 0.4))  # where it halts is the point of the test
        xen.qmp("stop")
        expected = dump32_json(oracle, 2)
        assert hvscope(xen, "dump", "--json") == expected
        dump, cpus = gdb(xen, "mapcache-dump --json", "hv-cpus --json")
        assert dump == expected
        levels |= {cpu["el"] for cpu in json.loads(cpus)["cpus"]}
        moments.add(expected)
        halts += 1
    assert levels == {0, 1, 2}
    assert len(moments) > 1
    assert json.loads(expected)["cpus"][0]["counts"]["cached"] > 100


def test_every_question_has_one_answer(xen, oracle):
    """Walks, ranges, find, stats: viewer and GDB print the same; ranges are the oracle's."""
    xen.qmp("stop")
    slots = json.loads(dump32_json(oracle, 2))["cpus"][0]["slots"]
    frame, va = slots[0]["mfn"], slots[0]["va"]
    pairs = [(["map"], "pt-dump"), (["map", "--cpu", "1"], "pt-dump --cpu 1"),
             (["walk", "0x200000"], "pt-walk 0x200000"), (["walk", va], f"pt-walk {va} --cpu 0"),
             (["walk", "0x1000"], "pt-walk 0x1000"), (["stats"], "mapcache-stats"),
             (["find", f"mfn:{frame}"], f"mapcache-find mfn:{frame}")]
    said = [hvscope(xen, *words, "--json", *([] if "--cpu" in words or words[0] in ("find", "stats")
                                             else ["--cpu", "0"])) for words, _ in pairs]
    asked = [f"{command} --json" + ("" if "--cpu" in command or command.startswith("mapcache")
                                    else " --cpu 0") for _, command in pairs]
    leaves = [oracle.leaves(cpu) for cpu in (0, 1)]
    for command, viewer, answer in zip(asked, said, gdb(xen, *asked)):
        assert viewer == answer, command
    for cpu in (0, 1):
        assert mapped(said[cpu]) == leaves[cpu]


def test_counts_move_while_it_runs(xen):
    """The viewer sees references come and go, and the guest goes on: no debugger, no stop."""
    seen = set()

    def moved():
        dump = json.loads(hvscope(xen, "dump", "--json"))
        seen.add(tuple(cpu["counts"]["refs"] for cpu in dump["cpus"]))
        return len(seen) > 1
    rounds = len(re.findall("init: round", xen.console()))
    wait_until(moved, 120)
    wait_until(lambda: len(re.findall("init: round", xen.console())) > rounds, 120)
    assert xen.qmp("query-status")["status"] == "running"


def test_screen(xen, monkeypatch):
    """The viewer's picture: what it looks at, and no more than is known."""
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("LINES", "48")
    wide = hvscope(xen, "view", "--once")
    assert re.search(r"L1\[2\] .*slots 0-511 ", wide)
    assert re.search(r"L1\[3\] .*slots 512-1023 ", wide)
    monkeypatch.delenv("COLUMNS")
    monkeypatch.delenv("LINES")
    picture = hvscope(xen, "view", "--once")
    assert "Xen arm32" in picture and "2 CPUs" in picture and "(null)" not in picture
    said = gdb(xen, "hv-guests", "hv-cpus", "mapcache-check", "hv-layout")
    assert "stage 2" in said[0] and said[1].startswith("Xen, 2 CPUs, arm32")
    assert said[2].startswith("invariants: hold on 2 CPUs")


def test_symbols_of_another_xen(xen):
    """One sentence, and nothing else."""
    assert "memory does not hold the build" in hvscope(xen, "dump", "--elf", BUILD / "hv-xen.elf",
                                                       status=4)


def test_break_on_a_commandeered_slot(xen):
    """It stops in Xen's own map_domain_page, where a slot is about to lose its frame.

    (With 3 GiB frames share home slots; with 2 GiB each has its own. Which frames a dom0 at
    work needs depends on it, so others are put into the slots first.)
    """
    said, tries, deadline = "", 0, time.monotonic() + BREAK_MAX
    while "hit Breakpoint" not in said and time.monotonic() < deadline:
        tries += 1
        try:  # the CPUs may be in a guest, or dom0 not need what was displaced: then once more
            said, trace, why = gdb(xen, f"python ONE = {tries > QUICK_TRIES}",
                                   f"source {ROOT}/tests/xen/displace.py", "backtrace 4",
                                   "mapcache-explain $r0 --json", timeout=BREAK_TRY)[1:]
        except subprocess.TimeoutExpired:
            continue
    assert "stops when a call takes a slot from another frame" in said
    assert re.match(r"#0 +(0x[0-9a-f]+ in )?map_domain_page \(", trace), trace
    assert len(re.findall(r"^#", trace, re.M)) >= 2, trace
    assert '"verdict":"commandeer"' in why


def test_rebooted(xen, tmp_path):
    """The viewer says so. (The last test: whether dom0 comes up again is not its affair.)"""
    tmux = Tmux(tmp_path)
    try:
        start_view(tmux, xen.dir)
        tmux.wait("LIVE")
        xen.qmp("system_reset")
        tmux.wait("REBOOTED", timeout=60)
        tmux.wait("LIVE", timeout=60)
    finally:
        tmux.run("kill-server")
