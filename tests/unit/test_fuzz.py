# SPDX-License-Identifier: GPL-2.0-or-later
"""Each fuzz target on what once went wrong, and a short run from its seeds."""
from __future__ import annotations

import os
import pathlib
import subprocess

import pytest
from conftest import BUILD

CORPUS = pathlib.Path(__file__).resolve().parents[1] / "fuzz" / "corpus"
TARGETS = sorted(path for path in (BUILD / "fuzz" / "test").glob("*") if os.access(path, os.X_OK))
RUNS = 50


def test_there_are_targets() -> None:
    """An empty build folder must not pass."""
    assert len(TARGETS) >= 14


@pytest.mark.parametrize("target", TARGETS, ids=lambda path: path.name)
def test_fuzz(target: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """No finding of the sanitizers."""
    known = [path for path in (BUILD / "fuzz" / "seeds" / target.name, CORPUS / target.name)
             if path.is_dir()]
    result = subprocess.run([target, f"-runs={RUNS}", f"-artifact_prefix={tmp_path}/", *known],
                            capture_output=True, text=True, errors="replace", timeout=120,
                            check=False)
    assert result.returncode == 0 and "Done " in result.stdout, result.stderr[-4000:]
