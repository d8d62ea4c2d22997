# SPDX-License-Identifier: GPL-2.0-or-later
"""The viewer and GDB side by side, in a tmux server of its own.

A user's sessions and configuration are left alone.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from machine import ROOT, Machine

STATUS = " C-b o: other pane | C-b z: zoom | GDB: next, finish, continue | q, quit: leave "

VIEWER_COLUMNS = 80  # from here on it shows all of a slot


def has_terminal() -> bool:
    """Is there somebody to show a session to?"""
    return sys.stdin.isatty() and sys.stdout.isatty()


def tmux(directory: Path, *arguments: str) -> list[str]:
    """A command for a run directory's own tmux server; the user may be inside another one."""
    os.environ.pop("TMUX", None)
    return ["tmux", "-S", os.path.relpath(directory / "tmux.sock"), "-f", "/dev/null",
            *arguments]


def attend(directory: Path) -> None:
    """Show the session until it is left, or the terminal goes; its server ends then."""
    try:
        subprocess.run(tmux(directory, "attach", "-t", "hvscope"), check=False)
    finally:
        subprocess.run(tmux(directory, "kill-server"), check=False, stderr=subprocess.DEVNULL)


def open_session(directory: Path, status: str, command: str) -> None:
    """A session of the terminal's size that runs this and ends with it; nobody is attached yet."""
    size = shutil.get_terminal_size()
    end = shlex.join(tmux(directory, "kill-server"))
    subprocess.run(tmux(directory, "new-session", "-d", "-x", str(size.columns), "-y",
                        str(size.lines), "-s", "hvscope", f"{command}; {end}"), check=True)
    for option, value in (("mouse", "on"), ("default-terminal", "tmux-256color"),
                          ("status-left", ""), ("window-status-current-format", ""),
                          ("status-right-length", "100"), ("status-right", status)):
        subprocess.run(tmux(directory, "set", "-g", option, value), check=True)


def session(machine: Machine, viewer: Path, build: Path, *commands: str) -> None:
    """The viewer beside GDB (below it on a narrow terminal), until one leaves.

    commands: what GDB does once it is attached.
    """
    size = shutil.get_terminal_size()
    wide = size.columns >= 160
    beside = min(size.columns // 2, size.columns - VIEWER_COLUMNS - 1)  # a column is the border
    directory = shlex.quote(str(machine.dir))
    end = shlex.join(tmux(machine.dir, "kill-server"))
    gdb = (f"{shlex.quote(str(ROOT / 'hv/launch/gdb'))} --dir {directory} "
           f"--build {shlex.quote(str(build))}"
           + "".join(f" --ex {shlex.quote(command)}" for command in commands))
    split = ["split-window", "-h" if wide else "-v", "-l", str(beside) if wide else "40%"]
    open_session(machine.dir, STATUS, f"{shlex.quote(str(viewer))} view --dir {directory}")
    subprocess.run(tmux(machine.dir, *split, f"{gdb}; {end}"), check=True)
    attend(machine.dir)
