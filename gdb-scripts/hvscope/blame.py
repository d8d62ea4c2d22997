# SPDX-License-Identifier: GPL-2.0-or-later
"""mapcache-blame: backwards, in a replayed machine, to the store that last changed a slot."""

from __future__ import annotations

import gdb

from hvscope import slots
from hvscope.arguments import Arguments
from hvscope.error import HvError
from hvscope.lookup import whole_slots
from hvscope.mapcache import TABLE_ENTRIES, mapcache_chain
from hvscope.target import TARGET, execute

NOT_REPLAYED = ("this machine cannot run backwards: it is not a replay "
                "(`make record`, then `make replay`)")
STEPS_MAX = 64  # stores of the slot that leave it as it is


def replayed() -> bool:
    """Does QEMU replay a recording?"""
    return "Replaying execution" in (gdb.execute("monitor info replay", to_string=True) or "")


def entry_va(number: int, cpu: int) -> int:
    """EL2 address of a slot's entry, through the image's own pointer to its slots."""
    beacon = slots.ready_beacon()
    with TARGET.physical():
        rows = mapcache_chain(TARGET.read_phys, beacon, beacon.cpus[cpu].root)
    table = rows[1 + number // TABLE_ENTRIES]["next"]
    pa = table + number % TABLE_ENTRIES * 8
    base, size = beacon.image
    if base <= pa < base + size:
        return beacon.image_va + pa - base
    return beacon.fields["directmap_va"] + pa


def entry_now(number: int, cpu: int) -> int:
    """The entry as it is."""
    beacon = slots.ready_beacon()
    with TARGET.physical():
        return whole_slots(TARGET.read_phys, beacon, cpu)[number][2]


def blame(arguments: Arguments) -> str:
    """Runs back to the store that gave the slot the entry it has now."""
    TARGET.connection()
    _, cpu, number = slots.place(arguments)
    if not replayed():
        raise HvError(NOT_REPLAYED)
    now = entry_now(number, cpu)
    others = [point for point in gdb.breakpoints() or () if point.enabled]
    watch = gdb.Breakpoint(f"*(unsigned long *){entry_va(number, cpu):#x}", gdb.BP_WATCHPOINT,
                           gdb.WP_WRITE, internal=True)
    watch.silent = True
    try:
        for other in others:
            other.enabled = False
        before = run_back(number, cpu, now)
    finally:
        if watch.is_valid():
            watch.delete()
        for other in others:
            if other.is_valid():
                other.enabled = True
    if before is None:
        return f"slot {number} has had this entry since the image set it up; this is the beginning"
    return (f"slot {number} of CPU{cpu}: {before:#x} -> {now:#x}, by the store at $pc "
            f"(`stepi` makes it)\n{execute('backtrace').rstrip()}")


def run_back(number: int, cpu: int, now: int) -> int | None:
    """Goes back until the entry is another one; what it was, None at the beginning.

    QEMU stops after a store that the watchpoint saw; one step back is before it.
    """
    for _ in range(STEPS_MAX):
        try:
            execute("reverse-continue")
            execute("reverse-stepi")
            before = entry_now(number, cpu)
        except HvError:
            return None
        if before != now:
            return before
    return None
