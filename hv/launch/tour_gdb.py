# SPDX-License-Identifier: GPL-2.0-or-later
"""GDB's command `tour`: tells what a step of the tour shows, and runs its commands live.

The machines belong to this GDB and end with it. A step names the machine that it
needs; another one is ended first, and a dead one started anew.
"""

from __future__ import annotations

import atexit
import os
import shlex
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import gdb

HERE = Path(__file__).resolve().parent
sys.dont_write_bytecode = True
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "gdb-scripts")]

import recording  # noqa: E402
from machine import LaunchError, Machine  # noqa: E402
from session import tmux  # noqa: E402
from tour_steps import STEPS, Setting, Step  # noqa: E402

DIRECTORY = Path(os.environ["HVSCOPE_TOUR_DIR"])
BUILD = Path(os.environ["HVSCOPE_TOUR_BUILD"])
VIEWER_LINES = "45%"
RECORD_SECONDS = 1
RECORD_MEM = "512M"  # all of it is gone through
BOLD, PLAIN = ("", "") if "NO_COLOR" in os.environ else ("\x1b[1m", "\x1b[0m")
HINT = "`tour`, or Enter after it: the next step. Also `tour again`, `back`, `list`, N."


class TourMachine(Machine):
    """One whose run directory says where its symbols are."""

    def _prepare(self) -> None:
        super()._prepare()
        (self.dir / "symbols").symlink_to(self.image.with_suffix(".elf"))


class Stage:
    """The machine that is up, and the viewer on it."""

    def __init__(self) -> None:
        self.machine: Machine | None = None
        self.setting: Setting | None = None
        self.viewer = ""  # tmux's name of its pane

    def prepare(self, setting: Setting) -> None:
        """The machine of a step, as it was left if it is that one already, else a new one."""
        alive = self.machine and self.machine.process and self.machine.process.poll() is None
        if not (alive and setting == self.setting and gdb.selected_inferior().pid):
            self.end()
            self.start(setting)
        gdb.execute("delete", to_string=True)

    def start(self, setting: Setting) -> None:
        """A new machine, halted under GDB, with its symbols; the viewer finds it by itself."""
        image = BUILD / f"hv-{setting.engine}.bin"
        extra = self.record(image, setting) if setting.replay else ""
        smp, mem = (1, RECORD_MEM) if setting.replay else (2, "4G")
        self.machine = TourMachine(DIRECTORY / "machine", image, smp, mem, "max",
                                   setting.cmdline, extra)
        self.machine.start()
        self.setting = setting
        if not setting.replay:
            self.machine.wait_console("CPUs up", 60)
        self.show()
        gdb.execute(f"file {BUILD}/hv-{setting.engine}.elf", to_string=True)
        gdb.execute(f"target remote {self.machine.dir}/gdb.sock", to_string=True)
        gdb.execute("set scheduler-locking step", to_string=True)

    def record(self, image: Path, setting: Setting) -> str:
        """A second of a run, recorded; QEMU's options to replay it."""
        recording.make(DIRECTORY, {})
        run = Machine(DIRECTORY / "machine", image, 1, RECORD_MEM, "max",
                      setting.cmdline, recording.options(DIRECTORY, "record"))
        run.start()
        try:
            run.wait_console("CPUs up", 60)
            time.sleep(RECORD_SECONDS)
        finally:
            run.cleanup()
        return recording.options(DIRECTORY, "replay") + " -S"

    def show(self) -> None:
        """The viewer, above GDB; anew if it was left."""
        panes = self.ask("list-panes", "-F", "#{pane_id}").split()
        if self.machine is None or self.viewer in panes:
            return
        view = shlex.join([str(BUILD / "hvscope"), "view", "--dir", str(self.machine.dir)])
        self.viewer = self.ask("split-window", "-b", "-v", "-d", "-l", VIEWER_LINES, "-P",
                               "-F", "#{pane_id}", view).strip()

    @staticmethod
    def ask(*arguments: str) -> str:
        """What tmux answers."""
        return subprocess.run(tmux(DIRECTORY, *arguments), capture_output=True, text=True,
                              check=False).stdout

    def press(self, *keys: str) -> None:
        """Keys for the viewer."""
        if self.viewer:
            self.ask("send-keys", "-t", self.viewer, *keys)

    def end(self) -> None:
        """No machine any more."""
        if gdb.selected_inferior().pid:
            try:
                gdb.execute("disconnect", to_string=True)
            except gdb.error:
                pass  # it was gone
        if self.machine:
            self.machine.cleanup()
            self.machine = None


def tell(text: str) -> None:
    """A step's words, as wide as the pane."""
    width = min(gdb.parameter("width") or 80, 80) - 1
    for paragraph in textwrap.dedent(text).strip().split("\n\n"):
        gdb.write(textwrap.fill(" ".join(paragraph.split()), width) + "\n\n")


class Tour(gdb.Command):
    """Go on with the tour.

Usage: tour [N | again | back | list]

Alone, or Enter after it: the next step. The machine is live, and any other
command of GDB may be given between two steps.

Example: tour 3"""

    def __init__(self, first: int) -> None:
        super().__init__("tour", gdb.COMMAND_USER)
        self.at = first - 1  # the step shown last
        self.stage = Stage()

    def wanted(self, word: str) -> int:
        """The number of the step that is asked for."""
        number = {"": self.at + 1, "again": max(self.at, 1), "back": max(self.at - 1, 1)}.get(word)
        if number is None:
            if not (word.isascii() and word.isdigit()):
                raise gdb.GdbError("tour: a step's number, again, back or list")
            number = int(word)
        if number == len(STEPS) + 1 and word == "":
            raise gdb.GdbError("That was the last step. `tour 1` begins anew, `quit` leaves.")
        if not 1 <= number <= len(STEPS):
            raise gdb.GdbError(f"tour: the steps are 1 to {len(STEPS)}")
        return number

    def invoke(self, text: str, from_tty: bool) -> None:
        """Called by gdb."""
        word = text.strip()
        if word == "list":
            self.dont_repeat()
            for number, step in enumerate(STEPS, 1):
                gdb.write(f"{'>' if number == self.at else ' '} {number:2}  {step.title}\n")
            return
        number = self.wanted(word)
        try:
            self.show(number, STEPS[number - 1])
        except LaunchError as wrong:
            raise gdb.GdbError(f"tour: {wrong}") from None
        finally:
            if word:  # Enter then goes on, not there again
                self.dont_repeat()

    def show(self, number: int, step: Step) -> None:
        """One step: words, then commands and what they print."""
        self.at = number
        (DIRECTORY / "step").write_text(f"{number}\n", encoding="ascii")
        gdb.write(f"\n{BOLD}{number} of {len(STEPS)} · {step.title}{PLAIN}\n\n")
        tell(step.text)
        self.stage.prepare(step.setting)
        self.stage.press(*step.keys)
        for command in step.commands:
            try:
                line = command() if callable(command) else command
                gdb.write(f"{BOLD}(gdb) {line}{PLAIN}\n")
                gdb.execute(line)
            except gdb.error as wrong:
                gdb.write(f"{wrong}\n")
        if step.after:
            gdb.write("\n")
            tell(step.after)
        gdb.write(f"{HINT}\n")


for setting_line in ("set pagination off", "set confirm off", "set remotetimeout 15",
                     "set prompt (tour) ", f"source {HERE.parents[1]}/gdb-scripts/hvscope.py"):
    gdb.execute(setting_line, to_string=True)
TOUR = Tour(int(os.environ["HVSCOPE_TOUR_STEP"]))
atexit.register(TOUR.stage.end)
