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
from foreign import ARM32, READY, Xen, xen_is_fetched  # noqa: E402
from machine import LaunchError, Machine  # noqa: E402
from session import tmux  # noqa: E402
from tour_steps import STEPS, STOCK, Needs, Setting, Step  # noqa: E402
from tracer import DOMHEAP_XEN32, Tracer, can_trace  # noqa: E402

DIRECTORY = Path(os.environ["HVSCOPE_TOUR_DIR"])
BUILD = Path(os.environ["HVSCOPE_TOUR_BUILD"])
MACHINE = DIRECTORY / "machine"  # the run directory of all of them
VIEWER_LINES = "45%"
RECORD_SECONDS = 1
RECORD_MEM = "512M"  # all of it is gone through
XEN_MEM = "3G"  # more than the slots hold: Xen, which scrubs it, has to commandeer some
XEN_TAKEN = 100  # of them so many, before it is looked at
XEN_SECONDS = 300  # until its dom0 is up
XEN_ENTRIES = 1 << 21  # of the tracer's ring, a CPU
BOLD, PLAIN = ("", "") if "NO_COLOR" in os.environ else ("\x1b[1m", "\x1b[0m")
HINT = "`tour`, or Enter after it: the next step. Also `tour again`, `back`, `list`, N."


class TourMachine(Machine):
    """One whose run directory says where its symbols are."""

    def _prepare(self) -> None:
        super()._prepare()
        (self.dir / "symbols").symlink_to(self.image.with_suffix(".elf"))


def is_had(needs: Needs) -> bool:
    """Is there what a step needs? Nothing is fetched for the tour."""
    if needs == Needs.NOTHING:
        return True
    return xen_is_fetched(BUILD, ARM32) and (
        needs == Needs.XEN or can_trace(BUILD, ARM32.qemu))


class Stage:
    """The machine that is up, and the viewer on it."""

    def __init__(self) -> None:
        self.machine: Machine | None = None
        self.setting: Setting | None = None
        self.viewer = ""  # tmux's name of its pane

    def prepare(self, setting: Setting, keys: tuple[str, ...]) -> None:
        """The machine of a step, as it was left if it is that one already, else a new one; the
        viewer shows what keys ask for."""
        alive = self.machine and self.machine.process and self.machine.process.poll() is None
        if not (alive and setting == self.setting and gdb.selected_inferior().pid):
            self.end()
            self.start(setting, keys)
        self.show(keys)
        gdb.execute("delete", to_string=True)

    def start(self, setting: Setting, keys: tuple[str, ...]) -> None:
        """A new machine, halted under GDB, with its symbols; the viewer finds it by itself."""
        if setting.engine == STOCK:
            self.start_xen(keys)
        else:
            self.start_image(setting)
        gdb.execute(f"file {os.path.realpath(MACHINE / 'symbols')}", to_string=True)
        gdb.execute(f"target remote {MACHINE}/gdb.sock", to_string=True)
        gdb.execute("set scheduler-locking step", to_string=True)
        self.setting = setting

    def start_image(self, setting: Setting) -> None:
        """Our image, or what was recorded of it."""
        image = BUILD / f"hv-{setting.engine}.bin"
        extra = self.record(image, setting) if setting.replay else ""
        smp, mem = (1, RECORD_MEM) if setting.replay else (2, "4G")
        self.machine = TourMachine(MACHINE, image, smp, mem, "max", setting.cmdline, extra)
        self.machine.start()
        if not setting.replay:
            self.machine.wait_console("CPUs up", 60)

    def start_xen(self, keys: tuple[str, ...]) -> None:
        """A stock Xen at work; under the tracer, if there is a QEMU that can. The viewer is there
        while it boots."""
        self.machine = xen = Xen(ARM32, MACHINE, BUILD, mem=XEN_MEM)
        if can_trace(BUILD, ARM32.qemu):
            Tracer(BUILD, xen.symbols, DOMHEAP_XEN32, XEN_ENTRIES).attach(xen)
        gdb.write("Xen and its dom0 boot now, for half a minute; the viewer shows it.\n\n")
        gdb.flush()
        xen.start()
        self.show(keys)
        xen.wait_console(READY, XEN_SECONDS)
        if xen.tracer:
            wait = [str(BUILD / "hvscope"), "wait", f"cpu1.commandeers>={XEN_TAKEN}", "--timeout",
                    "60", "--dir", str(MACHINE)]
            subprocess.run(wait, capture_output=True, check=False)

    def record(self, image: Path, setting: Setting) -> str:
        """A second of a run, recorded; QEMU's options to replay it."""
        recording.make(DIRECTORY, {})
        run = Machine(MACHINE, image, 1, RECORD_MEM, "max", setting.cmdline,
                      recording.options(DIRECTORY, "record"))
        run.start()
        try:
            run.wait_console("CPUs up", 60)
            time.sleep(RECORD_SECONDS)
        finally:
            run.cleanup()
        return recording.options(DIRECTORY, "replay") + " -S"

    def show(self, keys: tuple[str, ...]) -> None:
        """The viewer, above GDB, anew if it was left; then keys for it."""
        panes = self.ask("list-panes", "-F", "#{pane_id}").split()
        if self.viewer not in panes:
            view = shlex.join([str(BUILD / "hvscope"), "view", "--dir", str(MACHINE)])
            self.viewer = self.ask("split-window", "-b", "-v", "-d", "-l", VIEWER_LINES, "-P",
                                   "-F", "#{pane_id}", view).strip()
        if keys:
            self.ask("send-keys", "-t", self.viewer, *keys)

    @staticmethod
    def ask(*arguments: str) -> str:
        """What tmux answers."""
        return subprocess.run(tmux(DIRECTORY, *arguments), capture_output=True, text=True,
                              check=False).stdout

    def end(self) -> None:
        """No machine any more."""
        if gdb.selected_inferior().pid:
            try:
                gdb.execute("disconnect", to_string=True)
            except gdb.error:
                pass  # it was gone
        gdb.execute("unset tdesc filename", to_string=True)  # the next one's may be another
        if self.machine:
            self.machine.cleanup()
            self.machine = self.setting = None


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
        if not is_had(step.needs):
            tell(step.otherwise)
            gdb.write(f"{HINT}\n")
            return
        tell(step.text)
        self.stage.prepare(step.setting, step.keys)
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
