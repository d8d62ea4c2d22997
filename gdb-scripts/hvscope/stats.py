# SPDX-License-Identifier: GPL-2.0-or-later
"""Totals and histograms of each CPU's mapcache: hvscope.stats/1, and text."""

from __future__ import annotations

from typing import Any

from hvscope.beacon import Beacon, ReadPhys
from hvscope.columns import REFS, STATE
from hvscope.mapcache import mapcache_cpu
from hvscope.pte import PTE_REFS_MAX, SLOT_STATES

SCHEMA = "hvscope.stats/1"
COUNTERS = ("maps", "unmaps", "hits", "commandeers", "probes", "bypasses", "work", "verified")
PROBE_BUCKETS = 11  # 0, 1, 2-3, 4-7, ... 512-1023
BAR = 40

Object = dict[str, Any]


def stats_cpu(read: ReadPhys, beacon: Beacon, n: int) -> Object:
    """One CPU; a CPU that is not on has no more than its state."""
    dump = mapcache_cpu(read, beacon, n, False)
    if dump["state"] != "on":
        return {"cpu": n, "state": dump["state"]}
    refs, probes = [0] * (PTE_REFS_MAX + 1), [0] * PROBE_BUCKETS
    for slot in dump["slots"]:
        refs[slot[REFS]] += slot[STATE] != "broken"
        if slot[8] is not None:
            probes[min(slot[8].bit_length(), PROBE_BUCKETS - 1)] += 1
    return {"cpu": n, "state": "on", "counts": dump["counts"],
            **{key: beacon.cpus[n].fields[key] if beacon.counted else None for key in COUNTERS},
            "refs": refs, "probe": probes}


def stats(read: ReadPhys, beacon: Beacon, cpus: list[int] | None) -> Object:
    """The whole answer."""
    beacon.require_mapcache()
    wanted = range(beacon.ncpu) if cpus is None else sorted(set(cpus))
    return {"schema": SCHEMA, "cpus": [stats_cpu(read, beacon, n) for n in wanted]}


def stats_json(answer: Object) -> str:
    """The answer on one line."""
    import json
    return json.dumps(answer, separators=(",", ":"))


def percent(part: int, whole: int) -> str:
    """A share with one digit, "-" of nothing."""
    return f"{100 * part / whole:.1f} %" if whole else "-"


def cpu_text(row: Object) -> list[str]:
    """The lines of one CPU."""
    if row["state"] != "on":
        return [f"CPU{row['cpu']}  {row['state']}"]
    maps = row["maps"]
    states = ", ".join(f"{row['counts'][state]} {state}" for state in SLOT_STATES)
    lines = [f"CPU{row['cpu']}  {states}; {row['counts']['refs']} refs"]
    lines += counter_lines(row) if maps is not None else ["  a Xen does not count its maps"]
    lines += histogram("count", {str(n): count for n, count in enumerate(row["refs"])})
    return lines + histogram("probe", {bucket_words(n): count
                                       for n, count in enumerate(row["probe"])})


def counter_lines(row: Object) -> list[str]:
    """What the image counted on one CPU."""
    maps = row["maps"]
    return [f"  {maps} maps, {row['unmaps']} unmaps, {row['bypasses']} bypasses",
            f"  {percent(row['hits'], maps)} hits, {percent(row['commandeers'], maps)} "
            f"commandeered, {row['probes'] / maps if maps else 0:.2f} probes a map",
            f"  {row['work']} operations of the workload, {row['verified']} pages verified"]


def bucket_words(n: int) -> str:
    """0, 1, 2-3, 4-7, ..."""
    return str(n) if n < 2 else f"{1 << n - 1}-{(1 << n) - 1}"


def histogram(title: str, rows: dict[str, int]) -> list[str]:
    """A bar for each row that is not 0."""
    most = max(rows.values(), default=0)
    return [f"  {title} {name:>8}  {count:>4}  {'#' * max(1, count * BAR // most)}"
            for name, count in rows.items() if count]


def stats_text(answer: Object) -> str:
    """For people."""
    return "\n".join(line for row in answer["cpus"] for line in cpu_text(row))
