# SPDX-License-Identifier: GPL-2.0-or-later
"""The viewer's unit tests, its screens among them, under sanitizers and under valgrind."""

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import BUILD

PLAIN = sorted(p for p in (BUILD / "unit").glob("viewer_*") if os.access(p, os.X_OK))
SAN = sorted(p for p in (BUILD / "san").glob("viewer_*") if os.access(p, os.X_OK))
AT_ONCE = 2


def test_all_are_there() -> None:
    """Each test has its sanitized twin."""
    assert PLAIN and [p.name for p in PLAIN] == [p.name for p in SAN]


@pytest.mark.parametrize("binary", SAN, ids=lambda p: p.name)
def test_sanitizers(binary: Path) -> None:
    """No wrong access, no leak, no undefined behaviour."""
    result = subprocess.run([binary], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def valgrind(binary: Path) -> str:
    """What valgrind has to say; "" if nothing."""
    result = subprocess.run(["valgrind", "-q", "--error-exitcode=99", "--leak-check=no", binary],
                            capture_output=True, text=True, timeout=240, check=False,
                            env={**os.environ, "HVSCOPE_SLOW": "1"})
    return f"{binary.name}: {result.stdout}{result.stderr}" if result.returncode else ""


def test_valgrind() -> None:
    """No use of what was never written."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert not "".join(pool.map(valgrind, PLAIN))
