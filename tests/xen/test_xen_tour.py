# SPDX-License-Identifier: GPL-2.0-or-later
"""The last steps of the guided tour, where Debian's Xen and a QEMU that can trace were fetched."""

import re
import sys

import pytest
from conftest import BUILD, ROOT
from foreign import ARM32, Xen
from machine import LaunchError
from tracer import can_trace, qemu_for

sys.path.insert(0, str(ROOT / "tests/system"))

from test_tour import SHOWN, start, step  # noqa: E402

LAST = len(SHOWN)
BOOT = 600  # seconds, on a busy machine under the tracer


@pytest.fixture(name="tracer", scope="module")
def fetched(tmp_path_factory):
    """Fetch what the steps need; is there a QEMU that can trace?"""
    Xen(ARM32, tmp_path_factory.mktemp("xen"), BUILD)
    try:
        qemu_for(BUILD, ARM32.qemu)
    except LaunchError:
        pass  # no package source has one
    return can_trace(BUILD, ARM32.qemu)


def test_a_stock_xen(tmp_path, monkeypatch, tracer):
    """From a machine of ours to a Xen, its hazards, the same again, and back to one of ours."""
    tour = start(tmp_path, monkeypatch, "--step", str(LAST - 2), build=BUILD)
    try:
        step(tour, LAST - 2)
        tour.type("Enter")
        said = step(tour, LAST - 1, BOOT)
        assert re.search(r"Xen, 2 CPUs, arm32.* cached.*L1\[[23]\] .*-> block at 0x", said, re.S)
        tour.wait(lambda screen: re.search(r"Xen arm32  2 CPUs .* STOPPED by the debugger\n(.*\n)*"
                                           r" *\d+ .*o", screen))
        tour.type("Enter")
        said = step(tour, LAST, 200)
        if tracer:
            assert re.search(r"hazard +RFVQCK .*map_domain_page.*verdict: findings", said, re.S)
            tour.wait(lambda screen: "WRONG" in screen and "RFVQCK" in screen, 60)
        else:
            assert re.search(SHOWN[-1], said, re.S)
        tour.type("tour again", "Enter")
        tour.wait(lambda _: tour.history().count(f"\n{LAST} of ") == 2)
        step(tour, LAST, 200)
        tour.type("tour 2", "Enter")
        assert "block at 0x" in step(tour, 2)
        tour.wait(lambda screen: "engine xen" in screen)
        tour.type("quit", "Enter")
        tour.wait(lambda screen: not screen.strip())
        assert not list((tmp_path / "run/tour/machine").iterdir())
    finally:
        tour.close()
