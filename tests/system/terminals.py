# SPDX-License-Identifier: GPL-2.0-or-later
"""hvscope, run by itself or on a terminal of tmux."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import BUILD
from made import Made

HVSCOPE = BUILD / "hvscope"


class Tmux:
    """A private tmux server with one window."""

    def __init__(self, path: Path) -> None:
        self.base = ["tmux", "-S", str(path / "tmux.sock"), "-f", "/dev/null"]

    def run(self, *words: str) -> str:
        """A tmux command; its output."""
        return subprocess.run([*self.base, *words], capture_output=True, text=True, check=True,
                              timeout=20).stdout

    def start(self, command: str, cols: int = 80, rows: int = 24, **env: str) -> None:
        """Run a shell command in a window of that size."""
        settings = [f"{k}={v}" for k, v in {"LC_ALL": "C.UTF-8", "TERM": "screen-256color",
                                            **env}.items()]
        self.run("new-session", "-d", "-x", str(cols), "-y", str(rows), "env", "-u", "NO_COLOR",
                 *settings, "bash", "--norc", "-c", command)

    def screen(self, *options: str) -> str:
        """What is to be seen."""
        return self.run("capture-pane", "-p", *options)

    def keys(self, *keys: str) -> None:
        """Type."""
        self.run("send-keys", *keys)

    def wait(self, *patterns: str, gone: str = "", timeout: float = 10, coded: bool = False) -> str:
        """Wait until all of these regular expressions are on the screen at once.

        A frame reaches the terminal piece by piece: what must be in the same frame is asked for
        in one call, never looked for in what an earlier one returned.

        gone: a regular expression that must not be there; coded: with the escape sequences.
        Returns the screen.
        """
        deadline = time.monotonic() + timeout
        while True:
            screen = self.screen(*(["-e"] if coded else []))
            missing = [p for p in patterns if not re.search(p, screen)]
            left = [gone] if gone and re.search(gone, screen) else []
            if not missing and not left:
                return screen
            assert time.monotonic() < deadline, f"missing {missing}, still {left}:\n{screen}"
            time.sleep(0.03)

    def wait_gone(self, pattern: str) -> str:
        """Wait until it is not on the screen any more."""
        return self.wait(gone=pattern)

    def resize(self, cols: int, rows: int) -> None:
        """As if somebody pulled at the window."""
        self.run("resize-window", "-x", str(cols), "-y", str(rows))


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    """A terminal."""
    if not shutil.which("tmux"):
        pytest.skip("tmux is not installed")
    t = Tmux(tmp_path)
    yield t
    subprocess.run([*t.base, "kill-server"], capture_output=True, check=False)


def run(*words: str | Path, **env: str) -> subprocess.CompletedProcess:
    """Run hvscope without a terminal."""
    clean = {k: v for k, v in os.environ.items() if k != "HVSCOPE_DIR"}
    return subprocess.run([HVSCOPE, *map(str, words)], capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, timeout=20, env={**clean, **env})


def check_error(result: subprocess.CompletedProcess, status: int, part: str) -> None:
    """One line on stderr that says it, nothing on stdout, the right exit status."""
    assert result.returncode == status, result.stderr
    assert result.stdout == ""
    assert re.fullmatch(r"hvscope: [^\n]+\n", result.stderr)
    assert part in result.stderr


VIEW = ("stty -g >before; {hvscope} view --dir run {more}; echo status=$?; stty -g >after; "
        "exec sleep 99")


def start_view(tmux: Tmux, made: Made, more: str = "", cols: int = 80, rows: int = 24,
               wait: str = "LIVE", **env: str) -> None:
    """The viewer in a shell that tells afterwards how it ended."""
    command = f"cd {made.dir.parent}; " + VIEW.format(hvscope=HVSCOPE, more=more)
    tmux.start(command, cols, rows, **env)
    tmux.wait(wait)


def viewer_pid(tmux: Tmux) -> int:
    """Process of the viewer in the window."""
    shell = tmux.run("list-panes", "-F", "#{pane_pid}").strip()
    children = Path(f"/proc/{shell}/task/{shell}/children").read_text().split()
    return int(children[0])


def check_restored(tmux: Tmux, made: Made, status: int) -> None:
    """The terminal is as before, the alternate screen is left, the status is right."""
    tmux.wait(rf"status={status}\b")
    deadline = time.monotonic() + 5
    while not (made.dir.parent / "after").exists() or not (made.dir.parent / "after").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert (made.dir.parent / "before").read_text() == (made.dir.parent / "after").read_text()
    flags = tmux.run("display-message", "-p",
                     "#{alternate_on} #{cursor_flag} #{mouse_any_flag} #{keypad_cursor_flag}")
    assert flags.strip() == "0 1 0 0"
