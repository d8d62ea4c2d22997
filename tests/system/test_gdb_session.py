# SPDX-License-Identifier: GPL-2.0-or-later
"""Loading, help and completion of the GDB commands."""
from __future__ import annotations

import debugger
import make_pages
import pytest
from conftest import ROOT

gdb = debugger.gdb

COMMANDS = (*(name for name, _ in make_pages.documented() if "-" in name), "hv-walk", "hv-map")


@pytest.mark.parametrize("command", COMMANDS)
def test_help(gdb, command: str) -> None:
    """Help says what the command does, shows an example, and fits 80 columns."""
    text = gdb()(f"help {command}")
    assert "Usage: " in text and "Example: " in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("typed, offered", [
    ("mapcache-d", ["mapcache-diff", "mapcache-dump"]),
    ("pt-walk --regime el2-", ["pt-walk --regime el2-e2h"]),
    ("mapcache-diff --m", ["mapcache-diff --mark"]),
    ("mapcache-dump --", ["mapcache-dump --all", "mapcache-dump --cpu", "mapcache-dump --json"]),
    ("mapcache-dump --cpu 1 --j", ["mapcache-dump --cpu 1 --json"]),
    ("pt-walk hv_mai", ["pt-walk hv_main"]), ("pt-walk 0 --ro", ["pt-walk 0 --root"]),
    ("hv-cpus -", ["hv-cpus --json"]), ("hv-symbols p", ["hv-symbols phys"]),
    ("hv-symbols ", ["hv-symbols auto", "hv-symbols phys", "hv-symbols virt"]),
    ("hv-open --", ["hv-open --close", "hv-open --frame"]),
    ("hv-walk hv_main --j", ["hv-walk hv_main --json"])])
def test_completion(gdb, typed: str, offered: list[str]) -> None:
    """Commands, options, modes and symbols complete."""
    assert gdb()(f"complete {typed}").splitlines() == offered


def test_loads_fast(gdb) -> None:
    """Loading takes less than 0.1 s of a CPU and prints one line."""
    session = gdb(scripts=False)
    session("python import time; t = time.process_time()")
    said = session(f"source {ROOT / 'gdb-scripts/hvscope.py'}")
    assert len(said.splitlines()) == 1
    assert float(session("python print(time.process_time() - t)")) < 0.1
    assert session(f"source {ROOT / 'gdb-scripts/hvscope.py'}") == said
