# SPDX-License-Identifier: GPL-2.0-or-later
"""The viewer on a made-up run directory: the terminal, exit statuses, a target that goes away."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from pathlib import Path

import made as made_up
import pytest
import terminals
from made import (BEACON, BOOT_ID, BUILD_ID, HEADER, MESSAGE, MMU_ON, NCPU, OFF, PANICKED, RAM,
                  SLOT_ATTR, STATE, Made)
from terminals import HVSCOPE, Tmux, check_error, check_restored, run, start_view, viewer_pid

made, tmux = made_up.made, terminals.tmux


def test_dump(made: Made) -> None:
    """Text and JSON of a made-up machine."""
    text = run("dump", "--dir", made.dir)
    assert text.returncode == 0 and text.stderr == ""
    assert "    36  0x7f8004800000  0x84800    0x84800000         2  in-use" in text.stdout
    dump = json.loads(run("dump", "--json", "--dir", made.dir).stdout)
    assert [c["counts"]["cached"] for c in dump["cpus"]] == [0, 1]
    one = json.loads(run("dump", "--json", "--cpu", "1", HVSCOPE_DIR=str(made.dir)).stdout)
    assert [c["cpu"] for c in one["cpus"]] == [1]
    ram = run("dump", "--json", "--ram", made.dir / "ram")
    assert json.loads(ram.stdout) == dump
    at = run("dump", "--json", "--ram", f"{made.dir}/ram@0x40000000", "--beacon", hex(BEACON))
    assert json.loads(at.stdout) == dump


def test_usage_errors(made: Made) -> None:
    """Bad usage is told in a line."""
    check_error(run("--frob"), 2, "unknown option --frob")
    check_error(run("frob"), 2, "unknown command frob")
    check_error(run("dump", "--hz", "5"), 2, "does not know --hz")
    check_error(run("dump", "--dir", made.dir, "--cpu", "9"), 2,
                "no CPU9: this machine has 2 (0-1)")
    check_error(run("view", "--dir", made.dir), 2, "needs a terminal")


def test_no_target(made: Made, tmp_path: Path) -> None:
    """Nothing to attach to: status 3."""
    check_error(run("dump", "--dir", tmp_path / "none"), 3, "no machine in")
    check_error(run("dump", "--dir", tmp_path), 3, "no pid file")
    check_error(run("dump", "--ram", tmp_path), 3, "is a directory")
    os.mkfifo(tmp_path / "fifo")
    check_error(run("dump", "--ram", tmp_path / "fifo"), 3, "is a pipe")
    check_error(run("dump", "--ram", "/dev/null"), 3, "is a device")
    made.process.kill()
    made.process.wait()
    for command in (["dump"], ["dump", "--json"], ["view"], ["view", "--once"]):
        check_error(run(*command, "--dir", made.dir), 3, "has ended")


def test_not_understood(made: Made) -> None:
    """What cannot be understood: status 4; no mapcache yet: 5."""
    made.beacon(NCPU, "<I", 4000000000)
    check_error(run("dump", "--dir", made.dir), 4, "number of CPUs is 4000000000")
    made.beacon(NCPU, "<I", 2)
    made.beacon(STATE, "<I", MMU_ON)
    check_error(run("dump", "--dir", made.dir), 5, "not set up yet")
    made.beacon(0, "<Q", 0)
    check_error(run("dump", "--dir", made.dir), 4, "has published no beacon")
    made.put(HEADER, bytes(64))
    check_error(run("dump", "--json", "--dir", made.dir), 4, "holds no hvscope image")
    check_error(run("view", "--once", "--dir", made.dir), 4, "holds no hvscope image")


def test_panic_and_off(made: Made) -> None:
    """A dump still works, says so, and lets no control byte out."""
    made.beacon(STATE, "<I", PANICKED)
    made.beacon(MESSAGE, "128s", b"no \x1b[2J slot\n")
    result = run("dump", "--dir", made.dir)
    assert result.returncode == 0
    assert "2 CPUs, panicked: no ?[2J slot?; 1024 slots" in result.stdout
    assert "PANICKED: no ?[2J slot?" in run("view", "--once", "--dir", made.dir).stdout
    made.beacon(STATE, "<I", OFF)
    assert "powered off" in run("dump", "--dir", made.dir).stdout


def test_output_errors(made: Made) -> None:
    """A full disk is reported."""
    with open("/dev/full", "wb") as full:
        result = subprocess.run([HVSCOPE, "dump", "--dir", made.dir], stdout=full, check=False,
                                stderr=subprocess.PIPE, text=True)
    assert result.returncode == 2
    assert result.stderr.startswith("hvscope: cannot write to the standard output")


def test_truncated_ram(made: Made) -> None:
    """A RAM file that shrank is an error, not a crash."""
    os.truncate(made.dir / "ram", BEACON - RAM + 8)
    check_error(run("dump", "--dir", made.dir), 4, "holds no beacon")
    os.truncate(made.dir / "ram", 0)
    check_error(run("dump", "--dir", made.dir), 3, "is empty")


def test_help_and_version() -> None:
    """Both on stdout."""
    text = run("--help").stdout
    assert "usage: hvscope" in text and max(map(len, text.splitlines())) <= 80
    assert re.fullmatch(r"hvscope \d+\.\d+\.\d+ \(beacon version 2\)\n", run("--version").stdout)


def test_once(made: Made) -> None:
    """One picture as text, of the wanted size, no escape sequence in it."""
    for cols, rows in ((80, 24), (160, 48), (20, 5)):
        text = run("view", "--once", "--dir", made.dir, COLUMNS=str(cols), LINES=str(rows),
                   LC_ALL="C").stdout
        assert len(text.splitlines()) == rows
        assert max(map(len, text.splitlines())) <= cols
        assert text.isascii() and "\x1b" not in text
        assert "LIVE" in text
    made.qmp.status = "paused"
    text = run("view", "--once", "--dir", made.dir).stdout
    assert "STOPPED paused, no debugger attached" in text


def test_quit(tmux: Tmux, made: Made) -> None:
    """q closes the layer on top, then leaves; the terminal is as it was."""
    start_view(tmux, made)
    tmux.keys("?")
    tmux.wait("this help")
    tmux.keys("q")
    tmux.wait_gone("this help")
    tmux.keys("g", "3", "6", "Enter", "Enter")
    tmux.wait("software: the reference count")
    tmux.keys("BSpace")
    tmux.wait("slot 36 +in-use")
    tmux.keys("q")
    check_restored(tmux, made, 0)


@pytest.mark.parametrize("name", ["TERM", "HUP", "INT", "QUIT", "SEGV", "ABRT", "BUS"])
def test_signals(tmux: Tmux, made: Made, name: str) -> None:
    """The terminal is restored whatever ends the viewer."""
    number = getattr(signal, f"SIG{name}")
    start_view(tmux, made, "2>err")
    os.kill(viewer_pid(tmux), number)
    check_restored(tmux, made, 128 + number)
    assert (made.dir.parent / "err").read_text() == ""


def test_suspend_and_resize(tmux: Tmux, made: Made) -> None:
    """^Z gives the terminal back, fg takes it again, at whatever size it has then."""
    tmux.start(f"cd {made.dir.parent}; export HVSCOPE_DIR=run; PS1=': ' exec bash --norc -i")
    tmux.wait("^:")
    tmux.keys(f"stty -g >before; {HVSCOPE}", "Enter")
    tmux.wait("LIVE")
    tmux.keys("C-z")
    tmux.wait("Stopped")
    flags = tmux.run("display-message", "-p", "#{alternate_on} #{cursor_flag}")
    assert flags.strip() == "0 1"
    tmux.resize(100, 30)
    tmux.keys("clear; fg", "Enter")
    tmux.wait(r"\A hvscope .{80,}LIVE 10Hz")
    tmux.resize(20, 5)
    tmux.wait(r"\A hvscope  LIVE 10Hz\n")
    tmux.resize(160, 48)
    tmux.wait("tables above it")
    tmux.keys("q")
    tmux.wait_gone("tables above it")
    tmux.keys("stty -g >after; echo status=$?", "Enter")
    check_restored(tmux, made, 0)


@pytest.mark.parametrize("env, wait", [
    ({"TERM": "vt100"}, r"STOPPED|LIVE"),
    ({"NO_COLOR": "1"}, "LIVE"),
    ({"LC_ALL": "C"}, "LIVE"),
    ({"TERM": "linux"}, "LIVE"),
])
def test_terminals(tmux: Tmux, made: Made, env: dict[str, str], wait: str) -> None:
    """Usable without colours, without UTF-8, on an old terminal."""
    start_view(tmux, made, wait=wait, **env)
    tmux.keys("g", "3", "6", "Enter")
    tmux.wait("slot 36 +in-use")
    if env.get("LC_ALL") == "C":
        assert tmux.wait(r"0 \.\.\.\.\.\.", r"(?m)^.*[Qq]uit").isascii()
    coded = tmux.screen("-e")
    if "NO_COLOR" in env or env.get("TERM") == "vt100":
        assert not re.search(r"\x1b\[[0-9;]*(3|4)[0-8]", coded)
    tmux.keys("q")
    check_restored(tmux, made, 0)


def test_keys_that_terminfo_does_not_know(tmux: Tmux, made: Made) -> None:
    """A vt100 of today sends more; what nobody knows does nothing, instead of what its bytes do."""
    start_view(tmux, made, TERM="vt100")
    for key, view in (("F5", "4 Events"), ("F6", "5 Check"), ("F7", "6 Stats"), ("F2", "slot 0 "),
                      ("End", "slot 1023 "), ("Home", "slot 0 "), ("NPage", "slot 960 "),
                      ("PPage", "slot 0 "), ("Down", "slot 64 "), ("BTab", "CPU1  ")):
        tmux.keys(key)
        tmux.wait(re.escape(view), "LIVE")
    tmux.run("send-keys", "-l", "\x1b[1;5C")  # Ctrl and an arrow
    tmux.run("send-keys", "-l", "\x1b[24;2~")
    tmux.keys("+")
    tmux.wait("15 looks a second", "LIVE 15Hz", "CPU1  ", gone="PAUSED")


NAMES = {"PgUp": "PPage", "PgDn": "NPage", "Shift-Tab": "BTab", "Backspace": "BSpace", "^L": "C-l",
         "Esc": "Escape"}  # as tmux has them
LEAVES = {"quit", "suspend"}
LINES = ["dump", "walk 0x7f8004800000", "map", "cpus", "stats", "events", "find mfn:0x84800",
         "explain 0x84800", "check", "walk", "bogus"]


@pytest.mark.parametrize("cols, rows, env", [
    (20, 5, {"TERM": "vt100"}), (40, 12, {"LC_ALL": "C"}), (80, 24, {"NO_COLOR": "1"}),
    (160, 48, {"TERM": "vt100", "LC_ALL": "C"})])
def test_every_key(tmux: Tmux, made: Made, cols: int, rows: int, env: dict[str, str]) -> None:
    """In every view, and every command: the viewer lives on, and ends as it should."""
    words = [line.split()[1:] for line in run("config").stdout.splitlines()
             if line.startswith("key ")]
    keys = [NAMES.get(key, key) for action, *names in words if action not in LEAVES
            for key in names]
    assert len(keys) > 50
    start_view(tmux, made, "--allow-control", cols, rows, **env)
    for view in ("F2", "F3", "F4", "F5", "F6", "F7", "o"):
        for key in keys:
            tmux.run("send-keys", "F2", ";", "send-keys", view, ";", "send-keys", key)
            tmux.run("send-keys", "Escape")
        tmux.keys("g", "3", "6", "Enter", "F2")
        tmux.wait(r"slot 36|36 in-use|36 cached|36 free|slot 36 of")
    for line in LINES:
        tmux.run("send-keys", ":", ";", "send-keys", "-l", line)
        tmux.keys("Enter")
        tmux.wait(":" + re.escape(line[:cols - 3]))
        tmux.keys("Down", "Right", "End", "Home", "Escape")
    tmux.keys("q", "q", "q")
    check_restored(tmux, made, 0)


def test_unknown_terminal(made: Made, tmux: Tmux) -> None:
    """A sentence, not curses' own message."""
    start_view(tmux, made, wait='terminal type "nonsense" is not known', TERM="nonsense")
    tmux.wait("status=2")


def test_marks(tmux: Tmux, made: Made) -> None:
    """A stored value is on screen at once, and marked; the mark goes."""
    start_view(tmux, made)
    made.slot(0, 37, SLOT_ATTR | 0x84A00000 | 3 << 55)
    made.slot(1, 5, SLOT_ATTR | 0x84A00000 | 3 << 55)
    tmux.wait(r"CPU0 1 slot: 37 \(0.3\) +CPU1: 1 change", timeout=2)
    tmux.wait(r"\x1b\[1;4m[^3]*\x1b\[48;5;207m3", coded=True)
    tmux.wait("CPU0 no slot", timeout=3)
    tmux.wait(gone=r"\x1b\[48;5;207m3", coded=True)


def test_stops(tmux: Tmux, made: Made) -> None:
    """STOPPED once it has lasted; marks are those of the last step, and stay."""
    start_view(tmux, made)
    made.qmp.status = "debug"
    tmux.wait("STOPPED by the debugger")
    tmux.wait("step, and what changes is marked")
    made.slot(0, 37, SLOT_ATTR | 0x84A00000 | 1 << 55)
    tmux.wait(r"last step: CPU0 1 slot: 37 \(0.1\)")
    made.slot(0, 38, SLOT_ATTR | 0x84C00000 | 1 << 55)
    tmux.wait(r"last step: CPU0 1 slot: 38 \(0.1\)")
    made.qmp.status = "paused"
    tmux.wait("STOPPED paused, no debugger attached")
    made.qmp.status = "running"
    tmux.wait("LIVE 10Hz")
    made.qmp.status = "prelaunch"
    tmux.wait("NOT STARTED")
    made.beacon(STATE, "<I", PANICKED)
    made.beacon(MESSAGE, "128s", b"all slots busy \x1b[31m")
    tmux.wait(r"PANICKED: all slots busy \?\[31m")


def test_pause(tmux: Tmux, made: Made) -> None:
    """Space freezes the picture and nothing else."""
    start_view(tmux, made)
    tmux.keys("Space")
    tmux.wait("PAUSED")
    made.slot(0, 39, SLOT_ATTR | 0x84E00000 | 5 << 55)
    tmux.keys("g", "3", "9", "Enter")
    tmux.wait("slot 39 +free")
    tmux.keys("p")
    tmux.wait("slot 39 +in-use")


def test_gone_and_back(tmux: Tmux, made: Made) -> None:
    """The last picture stays; a new machine is taken up, and is not the old one."""
    start_view(tmux, made)
    tmux.keys("g", "3", "6", "Enter")
    tmux.wait("slot 36 +in-use")
    made.end()
    tmux.wait("GONE", "slot 36  in-use")
    made.start(0x2222)
    tmux.wait("REBOOTED")
    tmux.wait("slot 36 +free")
    tmux.wait("LIVE")


def test_ram_cut_and_removed(tmux: Tmux, made: Made) -> None:
    """Reads behind the end of a file that shrank are no crash: it is said, the picture stays."""
    start_view(tmux, made)
    tmux.keys("g", "3", "6", "Enter")
    tmux.wait("slot 36 +in-use")
    os.truncate(made.dir / "ram", 0)
    tmux.wait("GONE its RAM file was cut short", "slot 36 +in-use")
    tmux.keys("F3")
    tmux.wait("2 Tables", "GONE")
    (made.dir / "ram").unlink()
    tmux.wait("GONE", gone="cut short")
    tmux.keys("F2")
    tmux.wait("slot 36 +in-use")
    tmux.keys("q")
    check_restored(tmux, made, 0)


def test_reset_and_other_image(tmux: Tmux, made: Made) -> None:
    """Another boot, another image in the same file."""
    start_view(tmux, made)
    made.beacon(0, "<Q", 0)
    tmux.wait("BOOTING", gone="CPU0")
    made.beacon(BOOT_ID, "<Q", 0x3333)
    made.beacon(0, "<Q", 0x3145504F43535648)
    tmux.wait("REBOOTED")
    tmux.wait("LIVE")
    made.beacon(BUILD_ID, "20s", b"C" * 20)
    made.beacon(BOOT_ID, "<Q", 0x4444)
    tmux.wait("REBOOTED into another image")


def test_qmp_gone_busy(tmux: Tmux, made: Made) -> None:
    """A QMP socket that somebody else holds is no error; queries are few."""
    with socket.socket(socket.AF_UNIX) as other:
        other.connect(str(made.dir / "qmp.sock"))
        start_view(tmux, made)
        made.slot(0, 40, SLOT_ATTR | 0x84E00000 | 5 << 55)
        tmux.wait("CPU0 1 slot: 40")
    made.qmp.status = "debug"
    tmux.wait("STOPPED by the debugger")
    before, since = made.qmp.queries, time.monotonic()
    made.qmp.status = "running"
    tmux.wait("LIVE")
    made.qmp.status = "paused"
    tmux.wait("STOPPED paused")
    assert made.qmp.queries - before <= 6 * (time.monotonic() - since) + 2
    made.qmp.close()
    tmux.wait("GONE")


def test_mouse(tmux: Tmux, made: Made) -> None:
    """A click selects, the wheel moves; afterwards the mouse is the terminal's again."""
    def press(button: int) -> None:
        tmux.keys("-H", *(b"\x1b[M".hex(" ").split()), f"{32 + button:x}", f"{32 + 9:x}",
                  f"{32 + 5:x}")

    start_view(tmux, made)
    assert tmux.run("display-message", "-p", "#{mouse_any_flag}").strip() == "1"
    press(0)
    tmux.wait("slot 131 ")
    press(65)
    tmux.wait("slot 195 ")
    press(64)
    tmux.wait("slot 131 ")
    tmux.keys("q")
    check_restored(tmux, made, 0)


def test_no_mouse(tmux: Tmux, made: Made) -> None:
    """With -M the mouse is left alone."""
    start_view(tmux, made, "-M")
    assert tmux.run("display-message", "-p", "#{mouse_any_flag}").strip() == "0"


def test_ctrl_c_and_digits(tmux: Tmux, made: Made) -> None:
    """Keys of the terminal itself."""
    start_view(tmux, made)
    tmux.keys("1")
    tmux.wait("CPU1  1023 free")
    tmux.keys("C-l", "Tab")
    tmux.wait("CPU0  1023 free")
    tmux.keys("o")
    tmux.wait("slots 0-1023, the most held")
    tmux.keys(":", "cpus", "Enter")
    tmux.wait(r" 0 +on +0x40300000 +rest", r" 1 +on +0x40304000 +rest")
    tmux.keys("q")
    tmux.wait("slots 0-1023, the most held", gone="0x40304000")
    tmux.keys(":", "check", "Enter")
    tmux.wait("here there are dump, walk, map, cpus, stats, events, find, explain")
    tmux.keys("q")
    tmux.keys("C-c")
    check_restored(tmux, made, 130)
