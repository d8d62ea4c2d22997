# SPDX-License-Identifier: GPL-2.0-or-later
"""The main job, as a new user does it: `make demo`, with and without a terminal."""

import os
import re
import subprocess
import time

import pytest
from conftest import BUILD, ROOT

COLUMNS, LINES = 180, 50


def demo(directory):
    """The command behind `make demo`."""
    return [str(ROOT / "hv/launch/demo"), "--dir", str(directory), "--image",
            str(BUILD / "hv-xen.bin"), "--build", str(BUILD), "--append", "pace=20"]


class Terminal:
    """A terminal to look at: tmux, with a server of its own."""

    def __init__(self, socket, command):
        self.tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        env = {k: v for k, v in os.environ.items() if k not in ("LINES", "COLUMNS", "TMUX")}
        subprocess.run([*self.tmux, "new-session", "-d", "-x", str(COLUMNS), "-y", str(LINES),
                        *command], check=True, env={**env, "LC_ALL": "C.UTF-8"})

    def screen(self):
        """What it shows now; nothing once it is closed."""
        return subprocess.run([*self.tmux, "capture-pane", "-p"], capture_output=True, text=True,
                              check=False).stdout

    def type(self, *keys):
        """Type keys, by tmux's names."""
        subprocess.run([*self.tmux, "send-keys", *keys], check=True)

    def wait(self, found, timeout=30):
        """Wait until found(screen) is true; the screen."""
        deadline = time.monotonic() + timeout
        while True:
            screen = self.screen()
            if found(screen):
                return screen
            assert time.monotonic() < deadline, screen
            time.sleep(0.05)

    def close(self):
        """End the server."""
        subprocess.run([*self.tmux, "kill-server"], check=False, stderr=subprocess.DEVNULL)


@pytest.fixture
def terminal(tmp_path):
    """Factory of terminals that run a command."""
    opened = []

    def start(command):
        opened.append(Terminal(tmp_path / f"t{len(opened)}", command))
        return opened[-1]
    yield start
    for t in opened:
        t.close()


def test_without_a_terminal(tmp_path):
    """It boots, prints one dump with slots that are not free, exits 0, and leaves nothing."""
    result = subprocess.run(demo(tmp_path / "run"), stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, timeout=120, check=False)
    assert result.returncode == 0 and result.stderr == ""
    assert re.search(r"^ +\d+  0x7f80\w+ +0x\w+ +0x\w+ +\d+  (cached|in-use)", result.stdout, re.M)
    assert result.stdout.startswith("hvscope image, engine xen, 2 CPUs")
    assert os.listdir(tmp_path / "run") == []


def gdb_side(screen):
    """The right half's last source line that GDB printed."""
    lines = [line.split("│")[-1].rstrip() for line in screen.splitlines()]
    return [line for line in lines if re.match(r"\d+\t? +", line)]


def viewer_side(screen):
    """The left half."""
    return "\n".join(line.split("│")[0] for line in screen.splitlines())


def test_stepping_beside_the_viewer(tmp_path, terminal):
    """GDB stops in map_domain_page; the step that stores an entry marks the slot beside it."""
    t = terminal(demo(tmp_path / "run"))
    t.wait(lambda s: "Breakpoint 1, map_domain_page" in s and "STOPPED" in s)
    for _ in range(40):
        before = t.screen().count("(gdb)")
        lines = gdb_side(t.screen())
        stores = bool(lines) and re.search(r"pte_set_refs\(&map|write_pte\(&map", lines[-1])
        t.type("next", "Enter")
        t.wait(lambda s, n=before: s.count("(gdb)") > n or s.rstrip().endswith("(gdb)"))
        if stores:
            break
        t.wait(lambda s, n=len(lines): len(gdb_side(s)) > n)
    assert stores
    step = r"last step: CPU\d 1 slot: (\d+) \((\d+)→(\d+)\)"
    screen = t.wait(lambda s: re.search(step, viewer_side(s)), 5)
    marked, before, after = map(int, re.search(step, viewer_side(screen)).groups())
    assert after == before + 1
    assert re.search(rf"^slot {marked} +in-use", viewer_side(screen), re.M)
    t.type("print slot", "Enter")
    screen = t.wait(lambda s: re.search(r"\$1 = \d+", s))
    assert int(re.search(r"\$1 = (\d+)", screen)[1]) == marked
    t.type("kill", "Enter")
    t.wait(lambda s: "y or n" in s)
    t.type("y", "Enter")
    t.type("quit", "Enter")
    t.wait(lambda s: s == "")
    deadline = time.monotonic() + 10
    while (tmp_path / "run" / "pid").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
