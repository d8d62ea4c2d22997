# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the unit test binaries; each of their cases counts as a test."""

import os
import re
import subprocess

import pytest
from conftest import BUILD

BINARIES = sorted(p for p in (BUILD / "unit").glob("*") if os.access(p, os.X_OK) and p.is_file())


def test_there_are_unit_tests():
    """An empty build folder must not pass."""
    assert BINARIES


@pytest.mark.parametrize("binary", BINARIES, ids=lambda p: p.name)
def test_unit(binary, count_unit_cases):
    """All cases of one binary pass."""
    result = subprocess.run([binary], capture_output=True, text=True, errors="replace",
                            timeout=120, check=False,
                            env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"})
    passed = len(re.findall(r"^ok ", result.stdout, re.M))
    failed = len(re.findall(r"^not ok ", result.stdout, re.M))
    count_unit_cases(passed, failed)
    assert passed and not failed and result.returncode == 0, result.stdout + result.stderr
