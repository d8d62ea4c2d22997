# SPDX-License-Identifier: GPL-2.0-or-later
"""A short run of tests/fuzz/gdb_scripts.py: spoilt images, tables, registers and files."""
from __future__ import annotations

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "fuzz"))

import gdb_scripts  # noqa: E402


@pytest.mark.parametrize("first", [*range(0, 60, 20), 7003930])  # the last: a long line once
def test_rounds(first: int) -> None:
    """Nothing but answers and sentences."""
    for seed in range(first, first + 20):
        gdb_scripts.play(seed)
