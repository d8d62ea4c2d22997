# SPDX-License-Identifier: GPL-2.0-or-later
"""The guided tour, from its first step to its last, on a terminal of 80x24."""

import re
import subprocess
from pathlib import Path

from conftest import BUILD, ROOT, wait_until
from test_demo import Terminal

TOUR = str(ROOT / "hv/launch/tour")

# What a step must have shown: the commands' own output, not the words around it.
SHOWN = [
    r"255 +0x7f8000000000 +2G .*domheap: the slots",
    r"L2\[\d+\] +0x\w+ +-> block at 0x\w+, 2 MiB",
    r"take: slot (\d+) is free.*CPU\d slot +\1 +free -> in-use: taken for mfn",
    r"hit: slot (\d+) is shared.*CPU\d slot +\1 +.*count \d+ -> \d+",
    r"hit Breakpoint \d+, mapcache_hit .*refs=[3-9].*CPU0 .*in-use",
    r"mapcache_saturate .*\d+ +0x\w+ +15 +saturated.*\n +\d+ +\d+ +0x\w+ +1 +in-use",
    r"commandeer: slot (\d+) .*slot +\1 +cached -> in-use: commandeered: mfn",
    r"hazard +RFVQCK +CPU\d .*map_domain_page.*verdict: findings",
    r"commandeer: slot .*0 hazards, 0 violations, .*verdict: clean",
    r"hit: .*0.0 % commandeered.*verdict: clean",
    r"held: mfn 0x\w+ by leak_one",
    r"by the store at \$pc.*#1 ",
    r"Debian's Xen was not fetched here: `make xen32` does that",
    r"a QEMU that can\s+trace .*`make xen32\s+TRACE=1`\s+fetches",
]


class Tour(Terminal):
    """A tour under way."""

    inner: list[str] = []  # the command for the tour's own tmux server

    def history(self):
        """All that GDB's pane printed, lines that it folded put together."""
        panes = subprocess.run([*self.inner, "list-panes", "-F", "#{pane_id} #{pane_top}"],
                               capture_output=True, text=True, check=False).stdout.splitlines()
        if not panes:
            return ""
        lowest = max(panes, key=lambda line: int(line.split()[1])).split()[0]
        return subprocess.run([*self.inner, "capture-pane", "-pJ", "-S", "-", "-t", lowest],
                              capture_output=True, text=True, check=False).stdout


def step(tour, number, timeout=90):
    """What a step printed, once it is over."""
    begin = f"\n{number} of {len(SHOWN)} · "
    tour.wait(lambda _: "Enter after it: the next step" in tour.history().rpartition(begin)[2]
              if begin in tour.history() else False, timeout)
    return tour.history().rpartition(begin)[2]


def without_packages(tmp_path):
    """What was built, but nothing that was fetched."""
    build = tmp_path / "build"
    if not build.exists():
        build.mkdir()
        for path in BUILD.iterdir():
            if path.name != "debian":
                (build / path.name).symlink_to(path)
    return build


def start(tmp_path, monkeypatch, *more, build=None):
    """A tour on a small terminal."""
    monkeypatch.setattr("test_demo.COLUMNS", 80)
    monkeypatch.setattr("test_demo.LINES", 24)
    build = build or without_packages(tmp_path)
    tour = Tour(tmp_path / "outer", [TOUR, "--build", str(build), "--dir", str(tmp_path / "run"),
                                     *more])
    tour.inner = ["tmux", "-S", str(tmp_path / "run/tour/tmux.sock")]
    return tour


def test_to_its_end(tmp_path, monkeypatch):
    """Each step shows what it tells; it can be repeated, left, and goes on where it was left."""
    tour = start(tmp_path, monkeypatch)
    try:
        for number, shown in enumerate(SHOWN, 1):
            assert re.search(shown, step(tour, number), re.S), step(tour, number)
            if number == 1:
                tour.wait(lambda screen: re.search(
                    r"engine xen .*STOPPED by the debugger\n +0 [·o1-9a-f]{64}", screen))
                tour.type("tour again", "Enter")
                tour.wait(lambda _: tour.history().count("\n1 of ") == 2)
                step(tour, 1)
            if number == 5:
                tour.type("quit", "Enter")
                tour.wait(lambda screen: not screen.strip())
                tour.close()
                tour = start(tmp_path, monkeypatch)
                step(tour, 5)
            tour.type(*(["tour"] if number == 1 else []), "Enter")  # after `tour again`
        tour.wait(lambda _: "That was the last step." in tour.history())
        tour.type("quit", "Enter")
        tour.wait(lambda screen: not screen.strip())
        assert not list((tmp_path / "run/tour/machine").iterdir())
    finally:
        tour.close()


def test_the_terminal_goes(tmp_path, monkeypatch):
    """Nothing of it runs on: not GDB, nor the viewer, nor a machine."""
    tour = start(tmp_path, monkeypatch)
    step(tour, 1)
    pid = int((tmp_path / "run/tour/machine/pid").read_text())
    tour.close()
    wait_until(lambda: not Path(f"/proc/{pid}").exists())
    assert subprocess.run([*tour.inner, "list-panes"], capture_output=True, check=False).returncode


def test_without_a_terminal(tmp_path):
    """It lists its steps; a step that there is not is bad usage."""
    command = [TOUR, "--build", str(BUILD), "--dir", str(tmp_path)]
    said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False)
    assert said.returncode == 0 and f"\n  {len(SHOWN)}  And its hazards\n" in said.stdout
    said = subprocess.run([*command, "--step", "99"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (
        2, f"tour: STEP=99: the steps are 1 to {len(SHOWN)}\n")
