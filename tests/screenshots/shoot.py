#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures from real runs: screenshots/NAME.png, and NAME.txt beside it.

A scene is a machine, a terminal's size, a command, keys, and what must be on the screen before it
is taken.
"""

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("HVSCOPE_BUILD", "build")).resolve()
sys.path.insert(0, str(ROOT / "hv/launch"))

from foreign import ARM32, READY, Xen  # noqa: E402
from machine import LaunchError, Machine, end_cleanly  # noqa: E402
from tracer import DOMHEAP_XEN32, Tracer  # noqa: E402

from svg import svg  # noqa: E402

HVSCOPE = BUILD / "hvscope"
OUT = ROOT / "screenshots"
RUN = BUILD / "run-screenshots"
PNG_MAX = 100_000
COLORS = "56"  # with the shades of its letters; fewer change those of the cells
SETTLE_S = 10  # of work before the first picture, so that there is something to see
HELD_TIMES = 5  # a slot that is held so often, a second apart, stays so
SPARK_S = 40  # for the minutes of Stats
BOOT_S = 600  # of a Xen with a dom0 under the tracer
WAIT = "wait:"  # a key that begins so is a pattern that has to be on the screen before the next
VIEW = f"{shlex.quote(str(HVSCOPE))} view --hz 30"
Machines = Callable[[], "AbstractContextManager[Machine | None]"]
DEMO = f"{ROOT}/hv/launch/demo --build {BUILD} --image {BUILD}/hv-xen.bin --append pace=20"


@dataclass(frozen=True)
class Scene:
    """One picture. keys: as tmux names them, patterns to wait for, "{slot}": keys that select a
    slot that is held. command: it gets the run directory with --dir."""

    name: str
    cols: int
    rows: int
    keys: tuple[str, ...]
    wait: str
    command: str = VIEW
    halted: bool = False
    after: float = 1


@contextmanager
def at_work(machine: Machine, ready: str) -> Iterator[Machine]:
    """The machine, once its console said so, and some seconds more."""
    try:
        machine.start()
        machine.wait_console(ready, BOOT_S)
        time.sleep(SETTLE_S)
        yield machine
    finally:
        machine.cleanup()


def image(smp: int, cmdline: str) -> Machines:
    """A machine of ours."""
    return lambda: at_work(Machine(RUN, BUILD / "hv-xen.bin", smp=smp, append=cmdline), "CPUs up")


def stock_xen() -> AbstractContextManager[Machine]:
    """Debian's Xen for arm32 with a dom0, under the tracer."""
    machine = Xen(ARM32, RUN, BUILD, mem="3G")
    return at_work(Tracer(BUILD, machine.symbols, DOMHEAP_XEN32).attach(machine), READY)


@dataclass(frozen=True)
class Run:
    """Pictures of one machine; nullcontext: their command starts it."""

    machine: Machines
    scenes: tuple[Scene, ...]


RUNS = (
    Run(image(4, "pace=200 guests=2 workload=nest,copy,p2m,guest,leak census=on"), (
        Scene("dashboard", 160, 48, ("{slot}",), "LIVE"),
        Scene("single", 80, 24, ("{slot}",), "STOPPED", halted=True),
        Scene("tables", 80, 24, ("F3", "Enter"), r"2 Tables"),
        Scene("map", 80, 24, ("F4", "j", "j", "j"), r"3 Map"),
        Scene("events", 80, 24, ("F5",), r"4 Events"),
        Scene("stats", 80, 24, ("F7",), r"6 Stats", after=SPARK_S),
        Scene("help", 80, 24, ("?",), "this help"),
    )),
    Run(image(2, "pace=200 workload=stride,leak trace=all check=on"), (
        Scene("check", 80, 24, ("F6",), "RFVQCK(.*\n)*.*held-long"),
    )),
    Run(image(8, "pace=200"), (Scene("overview", 80, 24, ("o",), "most held"),)),
    Run(nullcontext, (
        Scene("gdb", 160, 48, (
            WAIT + "Breakpoint 1, map_domain_page", WAIT + "stopped: step", "layout mapcache",
            "Enter", WAIT + "mapcache CPU", "finish", "Enter", WAIT + "Value returned"),
            "last step", DEMO),
    )),
    Run(stock_xen, (Scene("xen", 160, 48, ("{slot}",), "LIVE"),)),
)


class Window:
    """A tmux server of our own with the command in it."""

    def __init__(self, directory: Path, scene: Scene) -> None:
        self.base = ["tmux", "-S", str(directory / f"{scene.name}.sock"), "-f", "/dev/null"]
        command = f"exec {scene.command} --dir {os.path.relpath(RUN)}"
        self.run("new-session", "-d", "-x", str(scene.cols), "-y", str(scene.rows), "env", "-u",
                 "NO_COLOR", "LC_ALL=C.UTF-8", "TERM=screen-256color",
                 "XDG_CONFIG_HOME=/nonexistent", "bash", "--norc", "-c", command)

    def run(self, *words: str) -> str:
        """A tmux command."""
        return subprocess.run([*self.base, *words], check=True, capture_output=True, text=True,
                              timeout=20).stdout

    def wait(self, pattern: str, timeout: float = 30) -> None:
        """Until it is on the screen."""
        deadline = time.monotonic() + timeout
        while not re.search(pattern, self.run("capture-pane", "-p")):
            if time.monotonic() > deadline:
                raise SystemExit(f"no {pattern!r}:\n{self.run('capture-pane', '-p')}")
            time.sleep(0.05)

    def press(self, key: str, machine: Machine | None) -> None:
        """A key of a scene, or what stands in the place of one."""
        if key.startswith(WAIT):
            self.wait(key[len(WAIT):])
        elif key == "{slot}" and machine:
            self.run("send-keys", *held_slot(machine))
        else:
            self.run("send-keys", key)

    def end(self) -> None:
        """The command goes with it."""
        subprocess.run([*self.base, "kill-server"], check=False, capture_output=True)


def held_slots(machine: Machine) -> dict[tuple[int, int], int]:
    """CPU and slot of what is held now, and how often."""
    dump = json.loads(subprocess.run([HVSCOPE, "dump", "--json", "--dir", machine.dir], check=True,
                                     capture_output=True).stdout)
    return {(cpu["cpu"], slot["slot"]): slot["refs"] for cpu in dump["cpus"]
            for slot in cpu["slots"] if slot["refs"]}


def held_slot(machine: Machine) -> list[str]:
    """Keys that select a slot that stays held, or one that is held now, or the first."""
    stay = now = held_slots(machine)
    for _ in range(HELD_TIMES):
        time.sleep(1)
        now = held_slots(machine)
        stay = {key: refs for key, refs in stay.items() if key in now}
    cpu, slot = max(stay or now or {(0, 0)}, key=lambda key: now.get(key, 0))
    return [str(cpu), "g", *str(slot), "Enter"]


def png(name: str, capture: str, directory: Path) -> int:
    """The picture's file; its size."""
    plain, small = directory / f"{name}.svg", directory / f"{name}.png"
    plain.write_text(svg(capture))
    subprocess.run(["rsvg-convert", "-o", small, plain], check=True)
    subprocess.run(["pngquant", "--force", "--nofs", "--strip", "--output", small, COLORS,
                    small], check=True)
    subprocess.run(["optipng", "-quiet", "-o4", small], check=True)
    target = OUT / f"{name}.png"
    target.write_bytes(small.read_bytes())
    return target.stat().st_size


def shoot(machine: Machine | None, scene: Scene, directory: Path) -> None:
    """Take one picture."""
    window = Window(directory, scene)
    try:
        window.wait("LIVE|STOPPED")
        if scene.halted:
            machine.qmp("stop")
            window.wait("STOPPED")
        for key in scene.keys:
            window.press(key, machine)
        window.wait(scene.wait)
        time.sleep(scene.after)
        text = window.run("capture-pane", "-p")
        size = png(scene.name, window.run("capture-pane", "-e", "-N", "-p"), directory)
    finally:
        window.end()
        if scene.halted:
            machine.qmp("cont")
    (OUT / f"{scene.name}.txt").write_text(text)
    print(f"screenshots/{scene.name}.png  {size} bytes", flush=True)
    if size > PNG_MAX:
        raise SystemExit(f"{scene.name}.png is larger than {PNG_MAX} bytes")


def shoot_all(run: Run, scenes: list[Scene]) -> None:
    """The pictures of one machine."""
    with run.machine() as machine, tempfile.TemporaryDirectory(prefix="hvscope-") as directory:
        for scene in scenes:
            shoot(machine, scene, Path(directory))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", nargs="*", help="only these (all)")
    wanted = parser.parse_args().scenes
    end_cleanly()
    OUT.mkdir(exist_ok=True)
    for run in RUNS:
        scenes = [s for s in run.scenes if not wanted or s.name in wanted]
        try:
            if scenes:
                shoot_all(run, scenes)
        except LaunchError as error:
            print(f"not made: {', '.join(s.name for s in scenes)}: {error}", file=sys.stderr)
            if run.machine is not stock_xen:
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
