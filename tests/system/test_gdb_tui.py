# SPDX-License-Identifier: GPL-2.0-or-later
"""`layout mapcache` on a terminal: stepping, marks, mouse, sizes, and leaving it."""
from __future__ import annotations

import re
import time
from collections.abc import Callable

import pexpect
import pyte
import pytest
from conftest import BUILD, ROOT
from test_gdb_session import Ram

DEADLINE = 40


class Terminal:
    """A gdb on a terminal of its own, as a screen of text."""

    def __init__(self, m, columns: int = 80, lines: int = 24) -> None:
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        commands = [f"source {ROOT / 'gdb-scripts/hvscope.py'}", "set pagination off",
                    "set confirm off", f"target remote {m.dir}/gdb.sock",
                    "set scheduler-locking step"]
        words = [word for command in commands for word in ("-ex", command)]
        self.process = pexpect.spawn(
            "gdb-multiarch", ["-nx", "-q", *words, str(BUILD / "hv-xen.elf")], cwd=ROOT,
            dimensions=(lines, columns), env={"TERM": "xterm-256color", "PATH": "/usr/bin:/bin",
                                              "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"})

    def pump(self) -> None:
        """Takes what gdb has written."""
        try:
            self.stream.feed(self.process.read_nonblocking(65536, 0.05))
        except pexpect.TIMEOUT:
            pass

    def wait(self, good: Callable[[str], object], what: str) -> str:
        """Until the screen is good; the screen."""
        deadline = time.monotonic() + DEADLINE
        while True:
            text = "\n".join(self.screen.display)
            if good(text):
                return text
            assert time.monotonic() < deadline, f"never {what}:\n{text}"
            self.pump()

    def type(self, line: str, text: str) -> str:
        """A command; waits until the screen has this text."""
        self.process.send(line + "\r")
        return self.wait(lambda screen: text in screen, text)

    def marked(self) -> list[tuple[int, int]]:
        """(row, column) of cells in reverse video inside the window."""
        rows = [n for n, line in enumerate(self.screen.display) if re.match(r".[ 0-9]{5} \S", line)]
        return [(row, column) for row in rows for column in range(7, 71)
                if self.screen.buffer[row][column].reverse]

    def resize(self, columns: int, lines: int) -> None:
        """Another size of the terminal."""
        self.screen.resize(lines, columns)
        self.process.setwinsize(lines, columns)

    def close(self) -> None:
        """Ends gdb."""
        self.process.close(force=True)


@pytest.fixture
def terminal(machine):
    """A gdb at map_domain_page() in the layout."""
    opened = []

    def start(cmdline: str) -> tuple[object, Terminal]:
        m = machine(smp=2, cmdline=cmdline)
        opened.append(Terminal(m))
        opened[-1].wait(lambda screen: "(gdb)" in screen, "a prompt")
        return m, opened[-1]

    yield start
    for one in opened:
        one.close()


def slot_of(head: str) -> int:
    """The slot that the first line of the window says changed."""
    return int(re.search(r"CPU\d slot +(\d+)", head)[1])


def test_stepping_through_a_map(terminal) -> None:
    """The probed slot in words, the changed cell marked, a click, sizes, nothing left behind."""
    m, tty = terminal("workload=copy pace=200")
    tty.type("break map_domain_page", "Breakpoint 1")
    tty.type("continue", "map_domain_page (mfn")
    tty.type("layout mapcache", "mapcache CPU")
    tty.wait(lambda text: "in map_domain_page" in text and " free, " in text
             and len(re.findall(r"^. +\d+ [.o0-9a-fF!]{64} ", text, re.M)) == 7, "the grid")
    for _ in range(40):
        tty.process.send("next\r")
        time.sleep(0.15)
        tty.pump()
        head = "\n".join(tty.screen.display)
        if re.search(r"CPU\d slot +\d+", head):
            break
    head = tty.wait(lambda text: re.search(r"CPU\d slot +\d+", text), "a change")
    assert "probes slot" in head and "->" in head
    slot = slot_of(head)
    tty.wait(lambda _: len(tty.marked()) == 1, "one marked cell")
    row, column = tty.marked()[0]
    label = int(re.match(r".( *\d+) ", tty.screen.display[row])[1])
    assert label + column - 7 == slot
    cpu = int(re.search(r"CPU(\d) slot", head)[1])
    refs = Ram(m).slots(cpu)[slot] >> 55 & 15
    assert tty.screen.buffer[row][column].data == format(refs, "x")
    tty.process.send(f"\x1b[<0;{column + 1};{row + 1}M\x1b[<0;{column + 1};{row + 1}m")
    tty.wait(lambda text: f"CPU{cpu}, slot {slot}: in-use" in text or "[58:55]" in text, "a click")
    for columns, lines in ((20, 5), (40, 12), (12, 3), (200, 60), (80, 24)):
        tty.resize(columns, lines)
        tty.type("print 123456", "123456")
        assert "Traceback" not in "\n".join(tty.screen.display)
    tty.wait(lambda text: " free, " in text, "the grid again")
    tty.type("layout src", "domain_page")
    tty.wait(lambda text: "mapcache CPU" not in text, "the layout's end")
    tty.type("tui disable", "(gdb)")
    tty.type("python import gc, hvscope.window as w; print('left', sum(isinstance(o, "
             "w.MapcacheWindow) for o in gc.get_objects()))", "left 0")
    tty.type("print 6 * 7", "= 42")


def test_layout_before_the_image(terminal, machine) -> None:
    """Where there is nothing to show the window says why, in its place."""
    m = machine(extra="-S", ready=None)
    tty = Terminal(m)
    try:
        tty.wait(lambda screen: "(gdb)" in screen, "a prompt")
        tty.type("layout mapcache", "published no beacon")
    finally:
        tty.close()
