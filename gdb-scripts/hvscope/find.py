# SPDX-License-Identifier: GPL-2.0-or-later
"""Which CPUs and slots map a frame: hvscope.find/1, and text."""

from __future__ import annotations

from typing import Any

from hvscope.beacon import Beacon, ReadPhys
from hvscope.columns import REFS, STATE, Slot
from hvscope.mapcache import mapcache_cpu
from hvscope.pte import PAGE_SHIFT, SLOT_SHIFT, SLOT_SIZE

SCHEMA = "hvscope.find/1"
KINDS = ("mfn", "pa", "va")

Object = dict[str, Any]


def read_as(beacon: Beacon, number: int, pointer: bool) -> tuple[str, str]:
    """(kind, why) of a number that was given without a kind."""
    if pointer:
        return "va", "a pointer"
    if number >= beacon.domheap_va:
        return "va", "not below the domheap"
    if any(base <= number < base + size for base, size in beacon.banks):
        return "pa", "inside RAM"
    return "mfn", "not inside RAM"


def find(read: ReadPhys, beacon: Beacon, pa: int) -> list[Object]:
    """The slots of all CPUs that map a physical address, and the address it has there."""
    beacon.require_mapcache()
    return [slot_row(cpu, slot, pa) for cpu in range(beacon.ncpu)
            for slot in mapcache_cpu(read, beacon, cpu, False).get("slots", [])
            if slot[6] is not None and slot[6] == pa & ~(SLOT_SIZE - 1)]


def slot_row(cpu: int, slot: Slot, pa: int) -> Object:
    """One slot that maps it."""
    return {"cpu": cpu, "slot": slot[0], "va": hex(slot[1] + pa % SLOT_SIZE),
            "state": slot[STATE], "refs": slot[REFS], "home": slot[7], "probe": slot[8]}


def find_answer(kind: str, number: int, pa: int | None, rows: list[Object]) -> Object:
    """hvscope.find/1."""
    return {"schema": SCHEMA, "what": hex(number), "read_as": kind,
            "mfn": None if pa is None else hex(pa >> PAGE_SHIFT),
            "pa": None if pa is None else hex(pa), "slots": rows}


def find_json(answer: Object) -> str:
    """The answer on one line."""
    import json
    return json.dumps(answer, separators=(",", ":"))


def find_text(answer: Object, why: str, entries: int, homes: bool) -> str:
    """For people, 80 columns wide; why: how the number was read; homes: frames have a home."""
    lines = [f"{answer['what']} is read as {answer['read_as'].upper()} ({why})"]
    if answer["pa"] is None:
        return lines[0] + ": nothing is mapped there"
    pa = int(answer["pa"], 0)
    home = f", home slot {(pa >> SLOT_SHIFT) % entries}" if homes else ""
    lines.append(f"mfn {answer['mfn']}, pa {answer['pa']}{home}")
    if not answer["slots"]:
        return "\n".join([*lines, "  no slot of any CPU maps it"])
    lines.append("  cpu  slot  va              refs  state      probe")
    lines += [f"  {row['cpu']:>3}  {row['slot']:>4}  {row['va']:<14}  {row['refs']:>4}  "
              f"{row['state']:<9}  {'-' if row['probe'] is None else row['probe']:>5}"
              for row in answer["slots"]]
    return "\n".join(lines)
