# SPDX-License-Identifier: GPL-2.0-or-later
"""The budget of make test: what is over is told."""

from conftest import over_budget


def test_over_budget() -> None:
    """All of it, a file, a test; what is within its budget is not named."""
    spent = {"tests/unit/test_a.py::test_x[1]": 61.0, "tests/unit/test_a.py::test_y": 70.0,
             "tests/system/test_soak.py::test_soak_in_short": 50.0}
    assert over_budget(spent, 601) == [
        "budget: all of it took 601 s, not 600",
        "budget: tests/unit/test_a.py took 131 s, not 120",
        "budget: tests/unit/test_a.py::test_x[1] took 61 s, not 60",
        "budget: tests/unit/test_a.py::test_y took 70 s, not 60"]
    assert not over_budget({"tests/unit/test_a.py::test_x": 1.0}, 5)
