# SPDX-License-Identifier: GPL-2.0-or-later
"""The viewer's config file, its clipboard, and the keys that act on the machine."""

import re
from pathlib import Path

import pytest
from made import Made, made  # noqa: F401  (a fixture)
from terminals import (HVSCOPE, Tmux, check_restored, run, start_view,  # noqa: F401
                       tmux)

READING = {"qmp_capabilities", "query-status", "human-monitor-command"}


def write_config(directory: Path, text: str) -> dict[str, str]:
    """A config file; the environment that leads to it."""
    (directory / "hvscope").mkdir()
    (directory / "hvscope/config").write_text(text)
    return {"XDG_CONFIG_HOME": str(directory)}


def test_config(tmux: Tmux, made: Made, tmp_path: Path) -> None:  # noqa: F811
    """Keys, rate, view and colours; help and key bar say what is so now."""
    env = write_config(tmp_path, "rate 20\nview stats\ntheme light\nkey pause P\nkey quit ^X\n"
                                 "color title 16 123\n")
    start_view(tmux, made, "", wait="LIVE 20Hz", **env)
    tmux.wait(r"(?m)^.*[Ss]tats", r"\^XQuit ", gone="1 Slots")
    tmux.wait("48;5;123", coded=True)
    tmux.keys("?")
    tmux.wait(r"P +freeze the picture, not the machine", r"\^X +close what is open",
              gone=r"\(also p\)")
    tmux.keys("C-x", "p", "q")
    tmux.keys("P")
    tmux.wait("PAUSED")
    tmux.keys("C-x", "C-x")  # back to the slots, then out
    check_restored(tmux, made, 0)


def test_config_errors(tmux: Tmux, made: Made, tmp_path: Path) -> None:  # noqa: F811
    """A line that is not understood is told with its number; the rest counts."""
    env = write_config(tmp_path, "rate 20\nkey pause F99\ncolour x\n")
    start_view(tmux, made, "2>err", wait="LIVE 20Hz", cols=160, rows=48, **env)
    tmux.wait(r"config:2: there is no such key")
    tmux.keys("q")
    check_restored(tmux, made, 0)
    told = (made.dir.parent / "err").read_text().splitlines()
    assert [re.fullmatch(r"hvscope: \S+/hvscope/config:(\d): .*", line)[1] for line in told] == \
        ["2", "3"]
    printed = run("config", **env)
    assert printed.returncode == 0
    assert printed.stdout.startswith("rate 20\nview slots\ntheme dark\n")
    assert run("config", XDG_CONFIG_HOME="", HOME="/nonexistent").stderr == ""


def test_hz_wins(tmux: Tmux, made: Made, tmp_path: Path) -> None:  # noqa: F811
    """What the command line says goes before the file."""
    start_view(tmux, made, "--hz 3", wait="LIVE 3Hz", **write_config(tmp_path, "rate 20\n"))


def test_copy(tmux: Tmux, made: Made) -> None:  # noqa: F811
    """y puts the selected slot into the terminal's clipboard."""
    start_view(tmux, made)
    tmux.run("set-option", "-s", "set-clipboard", "on")
    tmux.keys("g", "3", "6", "Enter", "y")
    tmux.wait("copied: CPU0 slot 36")
    assert tmux.run("show-buffer") == ("CPU0 slot 36 va 0x7f8004800000 pte 0x140000084800f7d "
                                       "in-use refs 2 mfn 0x84800")


def test_copy_nowhere(tmux: Tmux, made: Made) -> None:  # noqa: F811
    """A terminal without a clipboard: said so, nothing sent."""
    start_view(tmux, made, TERM="vt100")
    tmux.keys("y")
    tmux.wait("this terminal has no clipboard: CPU0 slot 0")


def test_ask_cpu(tmux: Tmux, made: Made) -> None:  # noqa: F811
    """# asks for a CPU."""
    start_view(tmux, made)
    tmux.keys("#")
    tmux.wait(r"(?m)^ ?CPU:$")
    tmux.keys("1", "Enter")
    tmux.wait("CPU1  1023 free")
    tmux.keys("#", "7", "Enter")
    tmux.wait("there is no CPU 7: they are 0 to 1")


@pytest.mark.parametrize("key", ["S", "C", "X"])
def test_no_control(tmux: Tmux, made: Made, key: str) -> None:  # noqa: F811
    """Without --allow-control these keys say so, and QEMU is only asked."""
    start_view(tmux, made)
    tmux.keys(key)
    tmux.wait("start hvscope with --allow-control" if key != "X" else "QMP cannot step a CPU")
    before = made.qmp.queries
    tmux.keys("y")
    tmux.wait("copied")
    while made.qmp.queries < before + 2:
        tmux.screen()
    assert set(made.qmp.asked) <= READING


def test_control_asks(tmux: Tmux, made: Made) -> None:  # noqa: F811
    """With it they ask, and anything but y is no."""
    start_view(tmux, made, "--allow-control")
    for no in ("n", "Escape", "Enter", "q"):
        tmux.keys("S")
        tmux.wait("stop all CPUs")
        tmux.keys(no)
        tmux.wait("the machine was left alone")
    assert set(made.qmp.asked) <= READING
    tmux.keys("S", "y")
    tmux.wait("QEMU was told to stop the machine")
    assert made.qmp.asked.count("stop") == 1


def test_control(machine, tmux: Tmux) -> None:  # noqa: F811
    """A real machine stops and goes on."""
    m = machine(smp=1, cmdline="pace=20")
    tmux.start(f"exec {HVSCOPE} view --allow-control --dir {m.dir}")
    tmux.wait("LIVE")
    tmux.keys("S", "y")
    tmux.wait("STOPPED paused, no debugger attached")
    assert m.qmp("query-status")["status"] == "paused"
    tmux.keys("C", "y")
    tmux.wait("LIVE")
    assert m.qmp("query-status")["status"] == "running"
