# SPDX-License-Identifier: GPL-2.0-or-later
"""The GDB commands leave gdb and QEMU as they were, and fail with one sentence."""
from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import debugger
import pytest
from debugger import Gdb

gdb, mistakes, stopped = debugger.gdb, debugger.mistakes, debugger.stopped


def test_nothing_of_the_users_changes(stopped) -> None:
    """Settings, thread, frame, language, convenience variables and what memory reads give."""
    _, session = stopped
    session("set language pascal")
    session("set listsize 7")
    other = 2 if "Thread 1" in session("thread") else 1
    for thread in (session("thread").split()[3].rstrip(")"), other):
        session(f"thread {thread}" if thread == other else "up")

        def state() -> list[str]:
            return [session(query) for query in (
                "info set", "thread", "frame", "show language", "show convenience",
                "x/8i hv_main", "x/4xg $sp", "info breakpoints",
                "info source")]

        state()  # the first x leaves $_ and $__ behind
        before = state()
        for command in ("mapcache-dump", "mapcache-dump --json", "hv-cpus", "pt-walk 0 --cpu 1",
                        "pt-walk 4096 --cpu 0 --json", "hv-symbols", "mapcache-dump --cpu 7",
                        "pt-walk nonsense", "pt-walk 0 --root 1"):
            session(command)
        assert "\n".join(state()).splitlines() == "\n".join(before).splitlines()
        assert session.mode() == "0"


def test_finish_works_afterwards(stopped) -> None:
    """Looking at other CPUs leaves gdb able to finish the selected frame."""
    _, session = stopped
    session("set scheduler-locking step")
    session("hv-cpus")
    session("mapcache-dump")
    assert "Run till exit" in session("finish")


def test_physical_mode_is_left(stopped) -> None:
    """After an error inside, after Ctrl-C inside, and when an earlier debugger left it on."""
    _, session = stopped
    code = session("x/8i hv_main")
    session("python import hvscope.mapcache as m, hvscope.target as t")
    session("python keep, read = m.read_pages, t.TARGET.read_phys")
    for error, said in (("RuntimeError('boom')", "boom"), ("KeyboardInterrupt", "Quit"),
                        ("t.Unreadable('gone')", "hvscope: gone")):
        session("python\ndef bad(*a):\n    assert t.TARGET.depth == 1\n"
                f"    raise {error}\nm.read_pages = bad\nend")
        assert said in session("mapcache-dump")
        assert session.mode() == "0" and session("x/8i hv_main") == code
    session("python m.read_pages = keep")
    assert "mapcache ready" in session("mapcache-dump")


def test_real_interrupts(stopped) -> None:
    """Ctrl-C at any moment of a dump: physical mode is off at the prompt, and gdb goes on."""
    _, session = stopped
    code = session("x/8i hv_main")
    moments = random.Random(1)
    for _ in range(12):
        session.send("python\nprint('begun')\n"
                     "while True:\n    gdb.execute('mapcache-dump', to_string=True)\nend")
        session.wait_for("begun")
        time.sleep(moments.uniform(0.02, 0.1))
        session.process.send_signal(signal.SIGINT)
        session.answer()
        assert session.mode() == "0"
        assert session("x/8i hv_main") == code
    assert "mapcache ready" in session("mapcache-dump")


def test_mode_of_an_earlier_debugger(machine, gdb) -> None:
    """Physical mode outlives a detach; attaching turns it off."""
    m = machine()
    first = gdb(m, scripts=False)
    first("maintenance packet Qqemu.PhyMemMode:1")
    first.close()
    session = gdb(m)
    assert session.mode() == "0"
    assert "<hv_main" in session("x/i hv_main")


def test_running_machine_is_named(machine, gdb) -> None:
    """While the machine runs a command gives a sentence."""
    session = gdb(machine())
    session("set mi-async on")
    session("continue&")
    for command in ("mapcache-dump", "hv-cpus", "pt-walk 0"):
        assert session(command).startswith("hvscope: the machine runs")
    session("interrupt")


@pytest.mark.parametrize("command", ["mapcache-dump", "mapcache-dump --json", "pt-walk 0",
                                     "hv-cpus"])
def test_not_attached(gdb, command: str) -> None:
    """Without QEMU: how to attach, in one line."""
    assert gdb()(command) == ("hvscope: not attached to QEMU's gdb stub; "
                              "`target remote build/run/gdb.sock`, or `hv-open FILE`")


def test_native_program(gdb) -> None:
    """A program of this machine under gdb is not QEMU."""
    session = gdb(elf=Path("/bin/true"))
    if "stopped" not in session("starti"):
        pytest.skip("no native debugging here")
    for command in ("mapcache-dump", "hv-cpus", "pt-walk 0"):
        assert session(command).startswith("hvscope: not attached to QEMU's gdb stub")
    assert session("hv-symbols phys").startswith("hvscope: no symbols")
    session("kill")


@pytest.mark.parametrize("command", [
    "mapcache-dump --nonsense", "mapcache-dump 5", "mapcache-dump --cpu", "mapcache-dump --cpu x",
    "mapcache-dump --cpu 1,,2", "mapcache-dump --cpu -1", "mapcache-dump --cpu 99", "pt-walk",
    "pt-walk nosuchsymbol", "pt-walk 1 +", "pt-walk 0x1ffffffffffffffff", "pt-walk 0 --root",
    "pt-walk 0 --root 12", "pt-walk 0 --cpu 0,1", "pt-walk 0 --cpu 2", "pt-walk 0 --what",
    "pt-walk \"text\"", "pt-walk *boot_cpu0", "pt-walk 1.5", "hv-cpus all", "hv-cpus --cpu 1",
    "hv-symbols here", "hv-symbols --x"])
def test_wrong_arguments(mistakes: Gdb, command: str) -> None:
    """One sentence, never a traceback."""
    said = mistakes(command)
    assert said.startswith("hvscope: ") and len(said.splitlines()) == 1
    assert "Traceback" not in said and "Error" not in said
