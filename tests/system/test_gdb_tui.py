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
from debugger import Ram

DEADLINE = 40


class Terminal:
    """A gdb on a terminal of its own, as a screen of text."""

    def __init__(self, m, columns: int = 80, lines: int = 24) -> None:
        self.screen = pyte.Screen(columns, lines)
        self.stream = pyte.ByteStream(self.screen)
        self.count = 0
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

    def finished(self, line: str) -> str:
        """A command; waits until gdb has done it and drawn its windows; the screen."""
        self.count += 1
        self.process.send(f"{line}\recho done{self.count}-\\n\r")
        return self.wait(lambda text: re.search(rf"^done{self.count}- *$", text, re.M), line)

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

    def start(cmdline: str, smp: int = 2) -> tuple[object, Terminal]:
        m = machine(smp=smp, cmdline=cmdline)
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


def test_interrupted_while_drawing(terminal) -> None:
    """A Ctrl-C that comes while the window or a stop is read is no exception; the mode is left."""
    _, tty = terminal("workload=copy pace=200")
    tty.type("break map_domain_page", "Breakpoint 1")
    tty.type("continue", "map_domain_page (mfn")
    tty.type("layout mapcache", " free, ")
    tty.finished("python import hvscope.stops as s; keep = s.cpu_entries")
    tty.finished("python def stop(*_): raise KeyboardInterrupt")
    tty.finished("python s.cpu_entries = stop")
    text = tty.finished("next")
    assert "Exception" not in text and "Traceback" not in text
    assert 'received: "0"' in tty.finished("maintenance packet qqemu.PhyMemMode")
    tty.finished("python s.cpu_entries = keep")
    assert "probes slot" in tty.finished("next") or " slot " in tty.finished("next")


def test_layout_before_the_image(terminal, machine) -> None:
    """Where there is nothing to show the window says why, in its place."""
    m = machine(extra="-S", ready=None)
    tty = Terminal(m)
    try:
        tty.wait(lambda screen: "(gdb)" in screen, "a prompt")
        tty.type("layout mapcache", "published no beacon")
    finally:
        tty.close()


UNTIL = """python
import json
def until(verdict, refs):
    for _ in range(2000):
        gdb.execute('continue', to_string=True)
        mfn = int(gdb.newest_frame().read_var('mfn')['mfn'])
        said = json.loads(gdb.execute(f'mapcache-explain {mfn:#x} --json', to_string=True))
        if said['verdict'] == verdict and refs in (None, said['refs']):
            print('found', verdict, said['slot'], said['refs'], hex(mfn))
            return
end
"""
STEPS_MAX = 60
TRIES = 4
SEEN = (("hit", 2, r"count 1 -> 2"), ("commandeer", None, r"commandeered: mfn"),
        ("hit", 15, r"in-use -> saturated: count 14 -> 15"))


def step_through(tty: Terminal, slot: int) -> str:
    """`next` until the layout says that this slot has changed; the screen."""
    for _ in range(STEPS_MAX):
        text = tty.finished("next")
        if re.search(rf"CPU0 slot +{slot} ", text.splitlines()[1]):
            return text
    raise AssertionError(f"slot {slot} never changed:\n{text}")


def seen_in_the_layout(tty: Terminal, verdict: str, refs: int | None, words: str):
    """The slot, its count and frame, once the layout has shown the change to which `next` leads.

    An interrupt between two steps changes other slots in the same one: then the next such map.
    """
    for _ in range(TRIES):
        tty.type(f"python until('{verdict}', {refs})", f"found {verdict} ")
        said = re.findall(rf"found {verdict} (\d+) (\d+) (0x\w+)", "\n".join(tty.screen.display))
        if "mapcache CPU0" not in tty.screen.display[0]:
            tty.type("layout mapcache", "mapcache CPU0")
        tty.finished("disable")
        screen = step_through(tty, int(said[-1][0]))
        if re.search(words, screen.splitlines()[1]):
            return int(said[-1][0]), said[-1][1], said[-1][2]
        tty.finished("enable")
    raise AssertionError(f"not seen: {words}\n{screen}")


def test_a_session_in_the_layout(terminal) -> None:
    """A hit, a commandeer and a saturation, each as explained; then find, diff, and on."""
    m, tty = terminal("workload=stride,saturate pace=0", smp=1)
    assert tty.type("mapcache-stats", "operations of the workload")
    tty.type("break map_domain_page", "Breakpoint 1")
    tty.process.send(UNTIL.replace("\n", "\r"))
    for verdict, refs, words in SEEN:
        slot, count, mfn = seen_in_the_layout(tty, verdict, refs, words)
        tty.wait(lambda _: len(tty.marked()) == 1, "one marked cell")
        row, column = tty.marked()[0]
        label = int(re.match(r".( *\d+) ", tty.screen.display[row])[1])
        assert label + column - 7 == slot
        assert tty.screen.buffer[row][column].data == ("F" if refs == 15 else count)
        tty.type("mapcache-diff", f"slot {slot:>4}")
        tty.type(f"mapcache-find mfn:{mfn}", "is read as MFN")
        tty.finished("enable")
    tty.type("layout src", "domain_page")
    tty.type("tui disable", "(gdb)")
    tty.finished("delete")
    tty.process.send("continue\r")
    tty.wait(lambda text: "Continuing" in text, "Continuing")
    tty.process.send("\x03")
    tty.type("mapcache-check", "invariants: hold")
