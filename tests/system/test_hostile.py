# SPDX-License-Identifier: GPL-2.0-or-later
"""What a guest wrote never acts on a terminal: no control byte comes out of any tool."""

import os
import random
import re
import struct
import subprocess
from pathlib import Path

import debugger
import pytest
from conftest import BUILD, ROOT, read_beacon
from machine import LaunchError, Machine
from made import (BUILD_ID, CPU_OFFSET, CPU_STRIDE, MESSAGE, PANICKED, RAM,  # noqa: F401
                  STATE, TABLES, Made, made)
from terminals import HVSCOPE

gdb = debugger.gdb

CONTROL = bytes(range(1, 32)) + b"\x7f" + bytes(range(0x80, 0xa0))
ESCAPES = b"\x1b]0;title\x07\x1b[2J\x9b31m\x90q\r\x08\x7f"
MESSAGE_MAX = 128
COMMANDS = (["dump"], ["dump", "--all"], ["dump", "--json"], ["cpus"], ["cpus", "--json"],
            ["stats"], ["stats", "--json"], ["events"], ["events", "--json"], ["check"],
            ["check", "--json"], ["map"], ["map", "--json"], ["map", "--regime", "s2"],
            ["walk", "0x7f8000000000"], ["walk", "--regime", "guest", "0x1000"],
            ["find", "mfn:0x84800"], ["explain", "0x84800"], ["view", "--once"])
GDB_COMMANDS = ("mapcache-dump", "mapcache-dump --all", "mapcache-dump --json", "mapcache-stats",
                "mapcache-slot 36", "mapcache-history 36", "mapcache-find mfn:0x84800",
                "mapcache-explain 0x84800", "mapcache-log", "mapcache-diff", "mapcache-check",
                "hv-cpus", "hv-guests", "hv-layout", "pt-walk 0x7f8000000000", "pt-dump",
                "hv-symbols", "hv-profile")


def harmless(text: bytes) -> None:
    """Nothing below a space but newlines and tabs, no DEL, no C1; and it is UTF-8."""
    wrong = re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text.decode("utf-8"))
    assert not wrong, text[max(0, wrong.start() - 60):wrong.end() + 20]


def all_commands(*target: str | Path) -> None:
    """Every command of hvscope on a target: whatever it says, it says harmlessly."""
    for words in COMMANDS:
        done = subprocess.run([HVSCOPE, *words, *target], capture_output=True, check=False,
                              stdin=subprocess.DEVNULL, timeout=20,
                              env={**os.environ, "LC_ALL": "C.UTF-8"})
        assert 0 <= done.returncode <= 6, (words, done)
        assert len(done.stderr.splitlines()) <= 1, (words, done.stderr)
        harmless(done.stdout + done.stderr)


def test_every_string(made: Made) -> None:  # noqa: F811
    """Panic text and build ID: every control byte, and sequences that terminals know."""
    made.beacon(STATE, "<I", PANICKED)
    for text in (CONTROL, ESCAPES * 8):
        made.beacon(MESSAGE, "128s", text[:MESSAGE_MAX].ljust(MESSAGE_MAX, b"\x1b"))
        made.beacon(BUILD_ID, "20s", text[:20])
        all_commands("--dir", made.dir)


@pytest.mark.parametrize("seed", range(2))
def test_hostile_words(made: Made, seed: int) -> None:  # noqa: F811
    """Counters, roots, rings and tables of anything at all: bounded, and nothing hangs."""
    choose = random.Random(seed)
    words = [0, 1, 1 << 63, (1 << 64) - 1, 0x1b5b324a1b5b324a, RAM, RAM + 8, TABLES | 3, TABLES]
    for cpu in range(made.ncpu):
        for at in range(8, CPU_STRIDE, 8):
            if choose.random() < 0.5:
                made.beacon(CPU_OFFSET + cpu * CPU_STRIDE + at, "<Q", choose.choice(words))
    made.put(TABLES, struct.pack("<8192Q", *(choose.choice([*words, choose.getrandbits(64)])
                                             for _ in range(8192))))
    all_commands("--dir", made.dir)


def spoil(m) -> None:
    """A halted machine's panic text and rings are made of control bytes."""
    beacon = read_beacon(m)
    with open(m.dir / "ram", "r+b") as ram:
        def put(pa: int, data: bytes) -> None:
            ram.seek(pa - RAM)
            ram.write(data)
        put(beacon.pa + STATE, struct.pack("<I", PANICKED))
        put(beacon.pa + MESSAGE, ESCAPES * 5 + b"\x1b" * (MESSAGE_MAX - 5 * len(ESCAPES)))
        for cpu in beacon.cpus:
            size = cpu.fields["ring_entries"] * 32
            put(cpu.fields["ring"], random.Random(1).randbytes(size // 2) + ESCAPES * 64)


def test_gdb_and_viewer_on_a_spoilt_machine(machine, gdb) -> None:
    """The same of GDB's commands, on a machine whose rings were overwritten."""
    m = machine(smp=2, cmdline="pace=200")
    session = gdb(m)
    spoil(m)
    for command in GDB_COMMANDS:
        said = session(command)
        assert said and "Traceback" not in said and "Python" not in said, (command, said)
        harmless(said.encode())
    assert "panicked: ?]0;title??[2J?31m" in session("mapcache-dump")
    assert session.mode() == "0"
    all_commands("--dir", m.dir)


def test_run(tmp_path: Path) -> None:
    """`make run`: the image quotes a command line of control bytes, and QEMU a wrong option."""
    run = [ROOT / "hv/launch/run", "--image", BUILD / "hv-xen.bin", "--dir", tmp_path / "run"]
    text = "\x1b]0;a\x07\x1b[2Jb\x0e\x7f\u009bc=\x1b"
    ok = subprocess.run([*run, "--append", f"{text} pace=\x1bc"], input=b"off\n", timeout=60,
                        capture_output=True, check=False)
    assert ok.returncode == 0 and b"unknown option ?]0;a??[2Jb??" in ok.stdout, ok
    assert b"pace=?c is not understood" in ok.stdout
    harmless(ok.stdout + ok.stderr)
    bad = subprocess.run([*run, "--extra=-\x1b[31mred"], capture_output=True, timeout=60,
                         stdin=subprocess.DEVNULL, check=False)
    assert bad.returncode == 3 and b"?[31mred" in bad.stderr
    assert not (tmp_path / "run/ram").is_symlink()  # RAM that no machine ever had is not kept
    harmless(bad.stdout + bad.stderr)


def test_quoted_console(tmp_path: Path) -> None:
    """A launcher that gives up quotes the console, of a Xen or a Linux as well."""
    m = Machine(tmp_path, BUILD / "hv-xen.bin")
    (tmp_path / "console").write_bytes(ESCAPES + CONTROL + "\u009b31m".encode())
    m.process = subprocess.Popen(["true"])
    m.process.wait()
    with pytest.raises(LaunchError, match=r"\?\]0;title\?\?\[2J") as said:
        m.wait_console("CPUs up", 5)
    harmless(str(said.value).encode())
