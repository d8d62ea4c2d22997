# SPDX-License-Identifier: GPL-2.0-or-later
"""What each CPU does, by the beacon and by gdb's threads; as JSON (hvscope.cpus/1) and text."""

from __future__ import annotations

from typing import Any

from hvscope.beacon import STATES, Beacon
from hvscope.mapcache import image_words, target_object

SCHEMA = "hvscope.cpus/1"
COLUMNS = 79  # of a terminal of 160 that is split in two

Object = dict[str, Any]


def cpu_row(cpu: int, beacon: Beacon | None, thread: Object | None) -> Object:
    """One CPU; thread: what gdb says of it (thread, el, mmu, pc, symbol)."""
    said = beacon.cpus[cpu] if beacon is not None and cpu < beacon.ncpu else None
    on = said if said is not None and said.state_name == "on" else None
    counted = on if beacon is not None and beacon.counted else None
    row: Object = {
        "cpu": cpu,
        "state": said.state_name if said is not None else None,
        "root": hex(on.root) if on is not None else None,
        "generation": counted.generation if counted is not None else None,
        "inside": counted.generation % 2 == 1 if counted is not None else None,
    }
    none = dict.fromkeys(("thread", "el", "mmu", "pc", "symbol"))
    return {**row, **(thread or none)}


def cpus_read(beacon: Beacon | None, threads: dict[int, Object], ncpu: int) -> Object:
    """The whole answer; threads by CPU number."""
    return {
        "schema": SCHEMA,
        "target": target_object(beacon, ncpu) if beacon else
        {"kind": "el2", "engine": None, "arch": "arm64", "ncpu": ncpu},
        "state": STATES[beacon.state] if beacon and beacon.counted else None,
        "cpus": [cpu_row(cpu, beacon, threads.get(cpu)) for cpu in range(ncpu)],
    }


def cpus_json(answer: Object) -> str:
    """The answer on one line."""
    import json
    return json.dumps(answer, separators=(",", ":"))


def cpus_text(answer: Object, beacon: Beacon | None, why: str, selected: int | None) -> str:
    """The answer for people, 80 columns wide; why: what is missing without a beacon."""
    lines = [image_words(beacon) if beacon is not None else why,
             "   cpu  state    root            slots  thr  EL  MMU  at"]
    for row in answer["cpus"]:
        inside = {None: "-", True: "busy", False: "rest"}[row["inside"]]
        mmu = {None: "-", True: "on", False: "off"}[row["mmu"]]
        mark = "*" if row["cpu"] == selected else " "
        line = (f" {mark} {row['cpu']:>3}  {row['state'] or '-':<7}  {row['root'] or '-':<14}"
                f"  {inside:<5}  {dash(row['thread']):>3}  {dash(row['el']):>2}  {mmu:<3}  ")
        lines.append(fitted(line, row["symbol"] or row["pc"] or "-"))
    return "\n".join(lines)


def fitted(line: str, place: str) -> str:
    """A line that ends with function+offset; a name too long for it is cut, its offset stays."""
    name, plus, offset = place.partition("+")
    room, tail = COLUMNS - len(line), plus + offset
    return line + (place if len(place) <= room else name[:room - len(tail) - 1] + "~" + tail)


def dash(value: int | None) -> str:
    """A number, or "-" for none."""
    return "-" if value is None else str(value)
