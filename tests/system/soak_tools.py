# SPDX-License-Identifier: GPL-2.0-or-later
"""For the soak: tools that run beside the machine, halts at random, attaching again and again."""

import os
import pty
import random
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from conftest import BUILD, ROOT, wait_until
from machine import connect
from debugger import Gdb
from test_injected import descriptors
from terminals import run

HVSCOPE = BUILD / "hvscope"
SETTLED = 150  # seconds until a viewer has kept all the past that it keeps, 64 MiB of it
MOST_KIB = 128 << 10  # of memory, ever
MORE_KIB = 1 << 10  # and what it may grow by once it has settled
KILLED = 0.2  # of the visits of a gdb end by SIGKILL


def running(m) -> bool:
    """Does the machine run, by QEMU's own word?"""
    return m.qmp("query-status")["running"]


def stub_mode(m) -> str:
    """Physical mode of the stub, by a client that asks for nothing else and detaches."""
    with connect(m.dir, "gdb.sock") as stub, stub.makefile("rb") as answers:
        def ask(packet: bytes) -> str:
            stub.sendall(b"+$%s#%02x" % (packet, sum(packet) % 256))
            text = b"T"
            while text[:1] == b"T":  # it stopped, and says so
                text = b""
                while not text.endswith(b"#"):
                    text += answers.read(1).lstrip(b"+$")
                answers.read(2)
            return text[:-1].decode()
        mode = ask(b"qqemu.PhyMemMode")
        ask(b"D;1")
        return mode


def attach_and_detach(m, times: int, gdbs: int) -> None:
    """A viewer's connection so many times, then gdb's."""
    for _ in range(times):
        assert run("dump", "--gdb", m.dir / "gdb.sock").returncode == 0
    for _ in range(gdbs):
        session = attached(m)
        assert "mapcache ready" in session("mapcache-dump")
        session.close()


def resident(pid: int) -> int:
    """KiB of memory of a process's own: guest RAM that it maps is not."""
    return int(re.search(r"RssAnon:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())[1])


def drain(terminal: int) -> None:
    """Take what a program writes to its terminal, until that is closed."""
    try:
        while os.read(terminal, 65536):
            pass
    except OSError:
        pass


class Viewer:
    """One on a terminal of its own."""

    def __init__(self, directory: Path) -> None:
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", LC_ALL="C.UTF-8", LINES="48", COLUMNS="160")
            os.execv(HVSCOPE, [str(HVSCOPE), "view", "--dir", str(directory)])
        threading.Thread(target=drain, args=(self.terminal,), daemon=True).start()
        self.began = time.monotonic()
        self.memory = self.files = 0

    def look(self) -> None:
        """Its memory and descriptors are what they were once it had settled."""
        assert resident(self.pid) <= MOST_KIB
        if not self.memory and time.monotonic() - self.began > SETTLED:
            self.memory, self.files = resident(self.pid), descriptors(self.pid)
        if self.memory:
            now = resident(self.pid)
            assert now <= self.memory + MORE_KIB, f"viewer: {self.memory} KiB, then {now}"
            assert descriptors(self.pid) <= self.files + 2  # a question to QEMU may be open

    def end(self) -> None:
        """By its user: q."""
        os.write(self.terminal, b"q")
        assert os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1]) == 0
        os.close(self.terminal)


@contextmanager
def companions(m) -> Iterator[Viewer]:
    """A viewer and a recorder at work; both end well, and what was recorded can be read."""
    file = m.dir / "soak.rec"
    viewer = Viewer(m.dir)
    recorder = subprocess.Popen([HVSCOPE, "record", file, "--max-size", "64M", "--dir", m.dir],
                                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        yield viewer
        viewer.look()
        viewer.end()
        recorder.send_signal(signal.SIGINT)
        said = recorder.communicate(timeout=60)[1]
        assert recorder.returncode in (0, 130), said
        subprocess.run([HVSCOPE, "dump", "--recording", file], check=True, capture_output=True)
    finally:
        if recorder.poll() is None:
            recorder.kill()
            recorder.wait()


def attached(m, engine: str = "xen") -> Gdb:
    """A gdb on this machine."""
    return Gdb("-ex", f"target remote {os.path.relpath(m.dir, ROOT)}/gdb.sock",
               elf=BUILD / f"hv-{engine}.elf")


def run_on(session: Gdb) -> None:
    """Let the machine run for a moment, and stop it."""
    session.send("continue")
    session.wait_for("Continuing.")
    time.sleep(random.uniform(0.005, 0.05))
    session.process.send_signal(signal.SIGINT)
    session.answer(60)


def visit(m, engine: str, expected: Callable[[], str]) -> bool:
    """A gdb that comes, looks some times, and goes or is killed; it says what is expected."""
    session = attached(m, engine)
    try:
        for _ in range(random.randint(1, 3)):
            assert session("mapcache-dump --json") + "\n" == expected()
            run_on(session)
        if random.random() < KILLED:
            session.process.kill()
            session.process.wait(10)
    finally:
        session.close()
    m.qmp("cont")  # nobody does that for a gdb that was killed
    wait_until(lambda: running(m))
    return True


def halts(m, wanted: int) -> int:
    """A debugger's stops at random moments: both tools say the same bytes, each time."""
    session = attached(m)
    try:
        for n in range(wanted):
            run_on(session)
            said = session("mapcache-dump --json")
            seen = subprocess.run([HVSCOPE, "dump", "--json", "--dir", m.dir], check=True,
                                  capture_output=True, text=True, timeout=60).stdout
            assert said == seen.rstrip("\n"), f"halt {n}"
    finally:
        session.close()
    return wanted


def cycles(m, wanted: int) -> int:
    """Attached and detached so often: no descriptor, no memory, no mode is left in QEMU."""
    attach_and_detach(m, 4, 1)
    wait_until(lambda: running(m))
    files, memory = descriptors(m.process.pid), resident(m.process.pid)
    attach_and_detach(m, wanted - wanted // 10, wanted // 10)
    wait_until(lambda: running(m) and descriptors(m.process.pid) <= files)
    grown = resident(m.process.pid) - memory
    assert stub_mode(m) == "0" and grown < 64 * 1024, f"QEMU grew by {grown} KiB"
    return wanted
