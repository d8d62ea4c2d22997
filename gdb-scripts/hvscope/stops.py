# SPDX-License-Identifier: GPL-2.0-or-later
"""The slots at the last stops, so that what a step changed can be told.

At each stop the slots of those CPUs are read whose generation counter moved, or
which are inside a change: at rest the others' slots are what they were.
"""

from __future__ import annotations

from hvscope.beacon import Beacon
from hvscope.mapcache import mapcache_chain, read_slots
from hvscope.target import TARGET

CPUS_MAX = 16  # with more, only the selected CPU is read at each stop

Entries = tuple[int, ...]


class Snapshot:
    """Entries of the slots, by CPU."""

    def __init__(self, beacon: Beacon) -> None:
        self.boot_id = beacon.boot_id
        self.generation = {n: cpu.generation for n, cpu in enumerate(beacon.cpus)}
        self.slots: dict[int, Entries] = {}


def cpu_entries(beacon: Beacon, cpu: int) -> Entries | None:
    """The slots of a CPU; None if it is not on, or they cannot all be read."""
    if beacon.cpus[cpu].state_name != "on":
        return None
    rows = mapcache_chain(TARGET.read_phys, beacon, beacon.cpus[cpu].root)
    entries = [pte for _, ptes in read_slots(TARGET.read_phys, beacon, rows) for pte in ptes]
    return tuple(entries) if len(entries) == beacon.domheap_entries else None


def take(beacon: Beacon, cpus: list[int], before: Snapshot | None = None) -> Snapshot:
    """Reads the slots of these CPUs; what cannot have changed is taken from `before`."""
    now = Snapshot(beacon)
    if before is not None and before.boot_id != now.boot_id:
        before = None
    for cpu in cpus:
        generation = now.generation[cpu]
        if before is not None and cpu in before.slots and beacon.counted and \
                generation % 2 == 0 and before.generation[cpu] == generation:
            now.slots[cpu] = before.slots[cpu]
        else:
            entries = cpu_entries(beacon, cpu)
            if entries is not None:
                now.slots[cpu] = entries
    return now


class Stops:
    """The last two stops, and a mark that the user may set. One object: STOPS."""

    def __init__(self) -> None:
        self.last: Snapshot | None = None
        self.before: Snapshot | None = None
        self.mark: Snapshot | None = None

    def note(self) -> None:
        """After a stop. Raises like any reading does."""
        with TARGET.physical():
            beacon = TARGET.beacon()
            cpus = list(range(beacon.ncpu)) if beacon.ncpu <= CPUS_MAX else [TARGET.cpu()]
            now = take(beacon, cpus, self.last)
        self.before, self.last = self.last, now

    def forget(self) -> None:
        """Another machine, or none."""
        self.last = self.before = self.mark = None

    def base(self, boot_id: int) -> Snapshot | None:
        """What to compare with: the mark, or the stop before this one."""
        for snapshot in (self.mark, self.before):
            if snapshot is not None and snapshot.boot_id == boot_id:
                return snapshot
        return None


STOPS = Stops()
