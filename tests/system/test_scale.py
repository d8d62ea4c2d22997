# SPDX-License-Identifier: GPL-2.0-or-later
"""Costs that must not grow: with CPUs, and with what the image is made of."""

import struct

from conftest import ROOT, read_beacon, wait_until

WINDOW = 24  # consecutive records; the shortest window is one of hits alone


def shortest_window(m) -> int:
    """Ticks that the quickest WINDOW records of CPU0 took."""
    cpu = read_beacon(m).cpus[0].fields
    with open(m.dir / "ram", "rb") as ram:
        ram.seek(cpu["ring"] - 0x40000000)
        ring = [r[0] & (1 << 48) - 1 for r in struct.iter_unpack("<QQQQ", ram.read(4096 * 32))]
    head = cpu["ring_head"]
    times = [ring[i % 4096] for i in range(head - 4000, head)]
    return min(b - a for a, b in zip(times, times[WINDOW:]))


def test_a_map_costs_the_same_with_more_cpus(machine):
    """Instructions (icount: a tick is 16) of maps of one frame: 1 CPU, and 16."""
    ticks = {}
    for smp in (1, 16):
        m = machine(smp=smp, cmdline="workload=cpu0:saturate,idle", extra="-icount shift=0")
        wait_until(lambda m=m: read_beacon(m).cpus[0].fields["ring_head"] > 5000, 60)
        m.qmp("stop")
        ticks[smp] = shortest_window(m)
        m.cleanup()
    assert 0 < ticks[1] and abs(ticks[16] - ticks[1]) <= 2, ticks


def test_little_of_the_image_is_assembly():
    """Under a tenth of its lines."""
    def lines(suffix):
        return sum(len(p.read_text().splitlines()) for p in (ROOT / "hv").rglob(f"*{suffix}"))
    assert lines(".S") < 0.1 * (lines(".S") + lines(".c") + lines(".h"))
