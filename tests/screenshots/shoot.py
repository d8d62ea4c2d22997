#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures of the viewer, from real runs: screenshots/NAME.png, and NAME.txt beside it.

A scene is a machine, a terminal's size, keys, and what must be on the screen before it is taken.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
BUILD = (ROOT / os.environ.get("HVSCOPE_BUILD", "build")).resolve()
sys.path.insert(0, str(ROOT / "hv/launch"))

from machine import Machine, end_cleanly  # noqa: E402

from svg import svg  # noqa: E402

HVSCOPE = BUILD / "hvscope"
OUT = ROOT / "screenshots"
PNG_MAX = 100_000
SETTLE_S = 5  # of work before the first picture, so that there is something to see
SPARK_S = 40  # for the minutes of Stats


@dataclass(frozen=True)
class Scene:
    """One picture. keys: as tmux names them; "+" waits for a picture to be drawn."""

    name: str
    cols: int
    rows: int
    keys: tuple[str, ...]
    wait: str
    options: str = ""
    halted: bool = False
    after: float = 0


@dataclass(frozen=True)
class Run:
    """A machine, and the pictures that are taken of it."""

    smp: int
    cmdline: str
    scenes: tuple[Scene, ...]


RUNS = (
    Run(4, "pace=200 guests=2 workload=nest,copy,p2m,guest,leak census=on", (
        Scene("dashboard", 160, 48, ("{slot}",), "LIVE"),
        Scene("single", 80, 24, ("{slot}",), "STOPPED", halted=True),
        Scene("tables", 80, 24, ("F3", "Enter"), r"2 Tables"),
        Scene("map", 80, 24, ("F4", "j", "j", "j"), r"3 Map"),
        Scene("events", 80, 24, ("F5",), r"4 Events"),
        Scene("check", 80, 24, ("F6",), r"5 Check"),
        Scene("stats", 80, 24, ("F7",), r"6 Stats", after=SPARK_S),
        Scene("help", 80, 24, ("?",), "this help"),
    )),
    Run(8, "pace=200", (Scene("overview", 80, 24, ("o",), "most held"),)),
)


class Window:
    """A tmux server of our own with the viewer in it."""

    def __init__(self, directory: Path, scene: Scene, machine: Machine) -> None:
        self.base = ["tmux", "-S", str(directory / f"{scene.name}.sock"), "-f", "/dev/null"]
        where = os.path.relpath(machine.dir)
        command = f"exec {HVSCOPE} view --hz 30 --dir {where} {scene.options}"
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

    def end(self) -> None:
        """The viewer goes with it."""
        subprocess.run([*self.base, "kill-server"], check=False, capture_output=True)


def held_slot(machine: Machine) -> list[str]:
    """Keys that select a slot that is held now, on the CPU that holds most; or some slot."""
    dump = json.loads(subprocess.run([HVSCOPE, "dump", "--json", "--dir", machine.dir], check=True,
                                     capture_output=True).stdout)
    cpu = max(dump["cpus"], key=lambda c: c["counts"]["refs"])
    slot = max(cpu["slots"], key=lambda s: s["refs"], default={"slot": 0})
    return [str(cpu["cpu"]), "g", *str(slot["slot"]), "Enter"]


def png(name: str, capture: str, directory: Path) -> int:
    """The picture's file; its size."""
    plain, small = directory / f"{name}.svg", directory / f"{name}.png"
    plain.write_text(svg(capture))
    subprocess.run(["rsvg-convert", "-o", small, plain], check=True)
    subprocess.run(["pngquant", "--force", "--nofs", "--strip", "--output", small, "48",
                    small], check=True)
    subprocess.run(["optipng", "-quiet", "-o4", small], check=True)
    target = OUT / f"{name}.png"
    target.write_bytes(small.read_bytes())
    return target.stat().st_size


def shoot(machine: Machine, scene: Scene, directory: Path) -> None:
    """Take one picture."""
    window = Window(directory, scene, machine)
    try:
        window.wait("LIVE")
        if scene.halted:
            machine.qmp("stop")
            window.wait("STOPPED")
        for key in scene.keys:
            window.run("send-keys", *(held_slot(machine) if key == "{slot}" else [key]))
        window.wait(scene.wait)
        time.sleep(scene.after or 1)
        text = window.run("capture-pane", "-p")
        size = png(scene.name, window.run("capture-pane", "-e", "-N", "-p"), directory)
    finally:
        window.end()
        if scene.halted:
            machine.qmp("cont")
    (OUT / f"{scene.name}.txt").write_text(text)
    print(f"screenshots/{scene.name}.png  {size} bytes")
    if size > PNG_MAX:
        raise SystemExit(f"{scene.name}.png is larger than {PNG_MAX} bytes")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("scenes", nargs="*", help="only these (all)")
    wanted = parser.parse_args().scenes
    end_cleanly()
    OUT.mkdir(exist_ok=True)
    for run in RUNS:
        scenes = [s for s in run.scenes if not wanted or s.name in wanted]
        if not scenes:
            continue
        machine = Machine(BUILD / "run-screenshots", BUILD / "hv-xen.bin", smp=run.smp,
                          append=run.cmdline)
        try:
            machine.start()
            machine.wait_console("CPUs up", 60)
            time.sleep(SETTLE_S)
            with tempfile.TemporaryDirectory(prefix="hvscope-") as directory:
                for scene in scenes:
                    shoot(machine, scene, Path(directory))
        finally:
            machine.cleanup()
    return 0


if __name__ == "__main__":
    sys.exit(main())
