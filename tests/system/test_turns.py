# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory that is read through a QMP socket: QEMU serves one client, so everybody takes turns."""

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator

import pytest
from conftest import BUILD, wait_until
from machine import Machine, connect
from terminals import HVSCOPE, Tmux, check_error, run

EL2 = ("--profile", "el2")


class Private(Machine):
    """Its RAM is nobody else's to read."""

    def _ram_options(self) -> list[str]:
        return [option.replace("share=on", "share=off") for option in super()._ram_options()]


@pytest.fixture
def private(tmp_path) -> Iterator[Machine]:
    """Such a machine, with something to be seen."""
    m = Private(tmp_path / "run", BUILD / "hv-xen.bin", append="pace=20")
    try:
        m.start()
        m.wait_console("CPUs up", 60)
        yield m
    finally:
        m.cleanup()


@pytest.fixture
def terminals(tmp_path) -> Iterator[list[Tmux]]:
    """Two of them."""
    both = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        both.append(Tmux(tmp_path / name))
    yield both
    for terminal in both:
        subprocess.run([*terminal.base, "kill-server"], capture_output=True, check=False)


def watch(terminal: Tmux, m: Machine, *more: str) -> None:
    """A viewer through the socket."""
    terminal.start(f"exec {HVSCOPE} --qmp {m.dir}/qmp.sock {' '.join(more)}")


def wait_for_more(terminal: Tmux) -> None:
    """View 6 counts maps; that goes on."""
    first = int(re.search(r"\((\d+) maps seen\)", terminal.wait(r"\d maps seen"))[1])
    wait_until(lambda: int(re.search(r"\((\d+) maps", terminal.screen())[1]) > first + 20)


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ended_by_a_signal(private, tmp_path, sent):
    """Nothing stays behind of what QEMU saved for it."""
    folder = tmp_path / "saved"
    folder.mkdir()
    with subprocess.Popen([HVSCOPE, "events", "--follow", "--qmp", private.dir / "qmp.sock"],
                          stdout=subprocess.PIPE, env={**os.environ, "TMPDIR": str(folder)}
                          ) as follower:
        follower.stdout.readline()
        assert list(folder.glob("hvscope-*"))
        follower.send_signal(sent)
        follower.wait(20)
    assert follower.returncode == -sent and not list(folder.iterdir())


def test_two_viewers_on_one_socket(private, terminals):
    """Both see the counts move, neither is told that it has to wait, and commands get answers."""
    for terminal in terminals:
        watch(terminal, private)
    for terminal in terminals:
        terminal.wait("LIVE 10Hz")
        terminal.keys("F7")
    for terminal in terminals * 2:
        wait_for_more(terminal)
    terminals[0].keys("Space", "F3")  # what is read page by page is not copied for a pause
    terminals[0].wait("PAUSED", "2 Tables  as it is now: CPU0 root 0x")
    terminals[0].keys("[", "F4")
    terminals[0].wait(r"PAUSED #\d+ of", r"3 Map  slots of #\d+, the rest as it is now: CPU\d ")
    terminals[0].keys("Space", "F7")
    terminals[0].wait("LIVE", gone="as it is now")
    socket = private.dir / "qmp.sock"
    stats = json.loads(run("stats", "--json", "--qmp", socket).stdout)
    more = stats["cpus"][0]["maps"] + 20
    waited = run("wait", f"cpu0.maps>={more}", "--timeout", "20", "--qmp", socket)
    assert waited.returncode == 0, waited.stderr
    with subprocess.Popen([HVSCOPE, "record", private.dir / "rec", "--events", "--qmp",
                           socket]) as recorder:
        for terminal in terminals:
            wait_for_more(terminal)
        recorder.terminate()
        assert recorder.wait(10) == 143
    recorded = run("stats", "--json", "--recording", private.dir / "rec")
    assert json.loads(recorded.stdout)["cpus"][0]["maps"] >= more


def test_somebody_keeps_the_socket(private, terminals):
    """Not an error: the picture stays, said to be old, and goes on later. A command gives up."""
    socket = private.dir / "qmp.sock"
    watch(terminals[0], private, "--allow-control")
    terminals[0].wait("LIVE 10Hz")
    with connect(private.dir, "qmp.sock") as other:
        assert b"QMP" in other.recv(4096)
        terminals[0].wait("BUSY another program has the QMP socket",
                          "another program talks to QEMU; this is the last picture", r"64 .*o")
        for view in ("F3", "F4"):
            terminals[0].keys(view)
            terminals[0].wait("another program talks to QEMU: try again in a moment")
        terminals[0].keys(":", *"dump", "Enter")
        terminals[0].wait("another program talks to QEMU: try again in a moment")
        terminals[0].keys("Escape", "F2")
        for words in (("dump",), ("view", "--once"), ("events", "--follow")):
            check_error(run(*words, "--qmp", socket), 3, "another program talks to it; try again")
        check_error(run("wait", "cpu0.maps>=1", "--qmp", socket), 3, "another program talks to it")
    terminals[0].wait("LIVE 10Hz", gone="BUSY")
    terminals[0].keys("S")
    terminals[0].wait("stop all CPUs")
    terminals[0].keys("y")
    terminals[0].wait("STOPPED paused, no debugger attached")
    assert private.qmp("query-status")["status"] == "paused"
    private.stop()
    terminals[0].wait("GONE")


def test_registers_of_a_shared_machine(private, terminals):
    """What QEMU's gdb stub is asked for does not hide that it is a machine, which runs."""
    socket = private.dir / "qmp.sock"
    once = run("view", "--once", *EL2, "--qmp", socket)
    assert once.returncode == 0, once.stderr
    assert "LIVE" in once.stdout and "FILE" not in once.stdout
    watch(terminals[0], private, *EL2)
    terminals[0].wait("LIVE 10Hz", gone="FILE")
    private.qmp("stop")
    terminals[0].wait("STOPPED")
