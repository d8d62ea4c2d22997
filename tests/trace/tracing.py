# SPDX-License-Identifier: GPL-2.0-or-later
"""Machines under the tracer, and both witnesses of what they did."""

import struct
import time
from pathlib import Path

from hvscope.beacon import beacon_check, beacon_read_cpus, Beacon, BEACON_SIZE
from rings import BARRIERS, BYPASS, IRQ, MAP, TEXT, UNMAP, Event, Ring

TRACE_PA = 1 << 47
PROBES = 1023 << 51
CALLS = (MAP, UNMAP, BYPASS)
TOTALS = ("aarch32", "calls", "entries", "tables", "refused", "foreign", "unmatched",
          "open_calls")
TOTALS_AT = BEACON_SIZE


def file_reader(path: Path, base: int):
    """read(pa, size) of a file that begins at PA base."""
    def read(pa: int, size: int) -> bytes:
        with open(path, "rb", buffering=0) as f:
            f.seek(pa - base)
            return f.read(size)
    return read


class TraceFile:
    """What the tracer wrote so far."""

    def __init__(self, path: Path):
        self.read = file_reader(path, TRACE_PA)
        self.beacon = Beacon(TRACE_PA, self.read(TRACE_PA, BEACON_SIZE))
        beacon_check(self.beacon)

    def cpus(self) -> list[dict]:
        """Each CPU's block, now."""
        return [cpu.fields for cpu in beacon_read_cpus(self.read, self.beacon)]

    def totals(self) -> dict[str, int]:
        """The tracer's own totals."""
        data = self.read(TRACE_PA + TOTALS_AT, 8 * len(TOTALS))
        return dict(zip(TOTALS, struct.unpack(f"<{len(TOTALS)}Q", data)))

    def missed(self) -> dict[str, int]:
        """Those totals, not 0, that count what was not understood."""
        names = ("refused", "foreign", "unmatched", "open_calls")
        return {name: n for name, n in self.totals().items() if name in names and n}

    def events(self, cpu: int) -> list[Event]:
        """All events that the ring of a CPU holds."""
        block = self.cpus()[cpu]
        ring = Ring(self.read, block["ring"], block["ring_entries"])
        ring.take(block["ring_head"])
        return ring.events()


def follow(beacon_now, read, seconds: float) -> list[Ring]:
    """The image's own rings, taken over as they fill, for some seconds."""
    rings = [Ring(read, cpu.fields["ring"], cpu.fields["ring_entries"])
             for cpu in beacon_now().cpus]
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        take_all(rings, beacon_now)
        time.sleep(0.02)
    return rings


def take_all(rings: list[Ring], beacon_now) -> None:
    """Take over what came since."""
    for ring, cpu in zip(rings, beacon_now().cpus):
        ring.take(cpu.fields["ring_head"])
    for ring, cpu in zip(rings, beacon_now().cpus):
        ring.check(cpu.fields["ring_head"])


def tables_only(events: list[Event]) -> list[tuple]:
    """Stores to tables of EL2 and of stage 2, TLBIs, roots and barriers."""
    return [(e.kind, e.regime, e.key) for e in events if e.kind not in (*CALLS, IRQ, TEXT)]


def actions_only(events: list[Event]) -> list[tuple]:
    """The same without barriers, with maps and unmaps."""
    return [(e.kind, e.regime, e.key) for e in events if e.kind not in (BARRIERS, IRQ, TEXT)]
