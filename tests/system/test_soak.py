# SPDX-License-Identifier: GPL-2.0-or-later
"""The short form of `make soak`."""

from soak import soak


def test_soak_in_short(machine):
    """20 s of guests, copies and interrupts on four CPUs; 30 guests killed; nothing is lost."""
    m = machine(smp=4, cmdline="guests=3 workload=guest,copy pace=0 census=on")
    summary = soak(m, "xen", 20, 30)
    print(summary)
    assert summary.endswith("0 errors")
