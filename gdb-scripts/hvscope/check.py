# SPDX-License-Identifier: GPL-2.0-or-later
"""Invariants of the mapcache that memory alone can show; no gdb in here."""

from __future__ import annotations

from hvscope.beacon import Beacon, ReadPhys
from hvscope.clock import cpu_index_faults, has_index
from hvscope.columns import STATE
from hvscope.mapcache import mapcache_chain, mapcache_cpu

SHOWN = 8
INDEX_SHOWN = 16


def cpu_faults(read: ReadPhys, beacon: Beacon, n: int) -> list[str]:
    """What is wrong on one CPU."""
    dump = mapcache_cpu(read, beacon, n, True)
    if dump["state"] != "on":
        return []
    faults = []
    said, fields = beacon.cpus[n], beacon.cpus[n].fields
    ends = [row["next"] for row in dump["tables"]]
    if None in ends or not dump["tables"]:
        faults.append("the way from the root to the slots leads nowhere")
    elif beacon.counted and ends != [fields["l1"], fields["l2_0"], fields["l2_1"]]:
        faults.append("the way from the root to the slots is not the one that the image built")
    broken = [slot[0] for slot in dump["slots"] if slot[STATE] == "broken"]
    if broken:
        more = " and more" if len(broken) > SHOWN else ""
        faults.append(f"{len(broken)} broken: slot {', '.join(map(str, broken[:SHOWN]))}{more}")
    ptes = [slot[2] for slot in dump["slots"]]
    found = cpu_index_faults(read, beacon, n, ptes)
    faults += [f"index: {words}" for _, words in found[:INDEX_SHOWN]]
    if len(found) > INDEX_SHOWN:
        faults.append(f"index: {len(found) - INDEX_SHOWN} more")
    open_maps = fields["maps"] - fields["unmaps"]
    if beacon.counted and said.generation % 2 == 0 and dump["counts"]["refs"] != open_maps:
        faults.append(f"the counts add up to {dump['counts']['refs']}, but {open_maps} maps are "
                      "open")
    return faults


def shared_faults(read: ReadPhys, beacon: Beacon) -> list[str]:
    """Tables that two CPUs have: each has to have its own."""
    seen: dict[int, int] = {}
    faults = []
    for n, cpu in enumerate(beacon.cpus):
        if cpu.state_name != "on":
            continue
        own = [cpu.fields[key] for key in ("root", "l1", "l2_0", "l2_1")] if beacon.counted else \
            [cpu.root, *(row["next"] for row in mapcache_chain(read, beacon, cpu.root)
                         if row["next"] is not None)]
        for table in own:
            other = seen.setdefault(table, n)
            if other != n:
                faults.append(f"CPU{other} and CPU{n} share the table at {table:#x}")
    return faults


def check_text(read: ReadPhys, beacon: Beacon) -> str:
    """The invariants' verdict."""
    beacon.require_mapcache()
    lines = [f"CPU{n}: {fault}" for n in range(beacon.ncpu)
             for fault in cpu_faults(read, beacon, n)]
    lines += shared_faults(read, beacon)
    on = sum(cpu.state_name == "on" for cpu in beacon.cpus)
    words = f"{len(lines)} broken" if lines else "hold"
    return "\n".join([*lines, f"invariants: {words} on {on} CPUs: own tables, no broken slot"
                      + (", index and slots agree" if has_index(beacon) else "")
                      + (", counts = maps - unmaps" if beacon.counted else "")])
