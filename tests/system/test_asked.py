# SPDX-License-Identifier: GPL-2.0-or-later
"""--profile el2 on a running machine: its gdb stub is asked for the registers once, and said so."""

import json
import re
import subprocess

from conftest import BUILD, wait_until
from machine import connect
from terminals import Tmux, run

NOTE = r"hvscope: asked the gdb stub for EL2's registers, once: the machine was halted for \d+ ms\n"
STAYS = "hvscope: asked the gdb stub for EL2's registers, once: the machine was and stays halted\n"
EL2 = ("--profile", "el2")


def ask(m, *words):
    """What hvscope printed, and said beside it."""
    done = subprocess.run([BUILD / "hvscope", *words, "--dir", m.dir], capture_output=True,
                          text=True, timeout=30, check=False)
    return done.returncode, done.stdout, done.stderr


def packet(data):
    """One for a gdb stub; what came before is taken as received."""
    return f"+${data}#{sum(data.encode()) & 255:02x}".encode()


def leaves(text):
    """An answer leaf by leaf: only our own profile names ranges, and keeps slots apart."""
    said = json.loads(text)
    said["ranges"] = [
        (int(one["va"], 0) + (n << 39 - 9 * one["level"]),
         int(one["pa"], 0) + (n << 39 - 9 * one["level"]), one["level"], one["perm"], one["type"],
         one["software"])
        for one in said.get("ranges", []) for n in range(one["leaves"])]
    return said


def test_registers_are_asked_once(machine):
    """The machine's own root and layout, as by the beacon; the machine runs on."""
    m = machine(smp=2, cmdline="workload=idle")
    status, out, errors = ask(m, "map", *EL2)
    assert status == 0 and out and re.fullmatch(NOTE, errors)
    assert m.qmp("query-status")["status"] == "running"
    m.qmp("stop")
    for words in (["map", "--cpu", "1"], ["walk", "0xa0000200000"], ["walk", "0x1000"]):
        status, out, errors = ask(m, *words, "--json", *EL2)
        assert (status, errors) == (0, STAYS)
        assert leaves(out) == leaves(ask(m, *words, "--json")[1])
    assert m.qmp("query-status")["status"] == "paused"
    m.qmp("cont")
    status, out, errors = ask(m, "dump", *EL2)
    assert (status, out) == (5, "") and "no mapcache" in errors
    qmp = run("walk", "0xa0000200000", *EL2, "--qmp", m.dir / "qmp.sock")
    assert qmp.returncode == 0 and re.fullmatch(NOTE, qmp.stderr)
    status, out, errors = ask(m, "walk", "0xa0000200000", *EL2, "--root", "0x40200000")
    assert "once" not in errors  # nobody was asked: the root is named


def test_nobody_is_asked_while_a_debugger_is_there(machine):
    """A second client would wait, and halt the machine later: refused, and nothing is done."""
    m = machine(smp=1)
    with connect(m.dir, "gdb.sock") as stub:
        stub.sendall(packet("qSupported:multiprocess+"))
        assert stub.recv(1)
        for words in (["map"], ["view", "--once"]):
            status, out, errors = ask(m, *words, *EL2)
            assert (status, out) == (4, "") and errors.count("\n") == 1
            assert "a debugger is attached" in errors
        stub.sendall(packet("D;1"))
        wait_until(lambda: m.qmp("query-status")["status"] == "running")
    status, _, errors = ask(m, "map", *EL2)  # QEMU remembers what a debugger supported
    assert status == 0 and re.fullmatch(NOTE, errors)
    assert m.qmp("query-status")["status"] == "running"
    ram = run("map", *EL2, "--ram", m.dir / "ram")
    assert ram.returncode == 4 and "memory alone does not tell" in ram.stderr


def test_view_of_tables(machine, tmp_path):
    """A machine without known slots: tables and address space; the rest says why there is none."""
    m = machine(smp=2, cmdline="workload=idle")
    root = json.loads(ask(m, "walk", "0x0", "--json")[1])["root"]
    status, out, errors = ask(m, "view", "--once", *EL2)
    assert status == 0 and re.fullmatch(NOTE, errors)
    assert f"CPU0 root {root}" in out and "EL2 arm64  2 CPUs" in out
    tmux = Tmux(tmp_path)
    try:
        tmux.start(f"{BUILD}/hvscope view --profile el2 --dir {m.dir}")
        tmux.wait("asked the gdb stub for EL2's registers, once")
        tmux.keys("F4")
        tmux.wait("0xa0000200000 .*r-x")
        tmux.keys("Space", "F3")
        tmux.wait("PAUSED", f"2 Tables  CPU0 root {root}")
        tmux.keys("F4")
        tmux.wait("PAUSED", "3 Map  CPU0", gone="as it is now")
        tmux.keys("Space", "F2")
        tmux.wait("it has no mapcache")
        tmux.keys("g")
        tmux.wait("there are none here")
        tmux.keys(":", *"dump", "Enter")
        tmux.wait("it has no mapcache: walk, map and cpus")
        tmux.keys("Escape", "F3")
        tmux.wait(r"L0\[0\] .*invalid")
        assert m.qmp("query-status")["status"] == "running"
    finally:
        tmux.run("kill-server")
