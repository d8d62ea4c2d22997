# SPDX-License-Identifier: GPL-2.0-or-later
"""A walk of one address through the tables of a regime; as JSON (hvscope.walk/1) and text.

By the Arm ARM, D8.2 "Address translation" and D8.3 "Translation table descriptor
formats". The geometry is regime.py's, the meaning of a leaf attributes.py's.
"""

from __future__ import annotations

from typing import Any

from hvscope.attributes import flag_names, leaf_attributes
from hvscope.beacon import ReadPhys
from hvscope.error import HvError, Unreadable, WalkStop
from hvscope.pte import PTE_AF, PTE_VALID
from hvscope.regime import LEVEL_LAST, Regime

SCHEMA = "hvscope.walk/1"

INVALID = "invalid entry"
RESERVED = "reserved entry"
ADDRESS_SIZE = "address size"
ACCESS_FLAG = "access flag"
VA_RANGE = "address out of range"
DISABLED = "walks disabled"
OUTSIDE_RAM = "table outside RAM"

Object = dict[str, Any]


def check_root(regime: Regime, root: int) -> None:
    """The first table may be smaller than a page, and is aligned to its size."""
    if root % regime.root_size():
        raise HvError(f"the root {root:#x} is not aligned to the {regime.root_size():#x} bytes of "
                      "its table")


def walk(read_entry: ReadPhys, regime: Regime, root: int, va: int) -> Object:
    """Walks va; {"steps", "result", "fault"} as in hvscope.walk/1.

    read_entry(pa, 8) gives an entry's bytes and raises Unreadable outside RAM.
    """
    check_root(regime, root)
    offset = regime.input_va(va)
    if offset is None:
        return ended([], 0, VA_RANGE)
    if regime.flag("epd"):
        return ended([], 0, DISABLED)
    if root >> regime.out_bits:
        return ended([], 0, ADDRESS_SIZE)
    steps: list[Object] = []
    above = 0
    table = root
    for level in range(regime.start_level, LEVEL_LAST + 1):
        try:
            steps.append(walk_step(read_entry, regime, level, table, offset))
        except WalkStop as stop:
            return ended(steps, level, stop.reason)
        except Unreadable:
            return ended(steps, level, OUTSIDE_RAM)
        pte = int(steps[-1]["pte"], 0)
        if steps[-1]["kind"] != "table":
            break
        above |= pte
        table = regime.output_pa(pte, regime.granule.shift)
        if table >> regime.out_bits:
            return ended(steps, level, ADDRESS_SIZE)
    return walk_leaf(regime, steps, above, pte, offset)


def walk_step(read_entry: ReadPhys, regime: Regime, level: int, table: int, offset: int) -> Object:
    """Reads the entry of one table."""
    index = offset >> regime.shift(level) & (1 << regime.index_bits(level)) - 1
    pte = int.from_bytes(read_entry(table + index * 8, 8), "little")
    return {"level": level, "table": hex(table), "index": index, "pte": hex(pte),
            "kind": regime.kind(pte, level)}


def ended(steps: list[Object], level: int, reason: str) -> Object:
    """A walk that faults."""
    return {"steps": steps, "result": None, "fault": {"level": level, "reason": reason}}


def walk_leaf(regime: Regime, steps: list[Object], above: int, pte: int, offset: int) -> Object:
    """The last entry of a walk: the result, or the fault that it makes."""
    level, kind = steps[-1]["level"], steps[-1]["kind"]
    shift = regime.shift(level)
    base = regime.output_pa(pte, shift)
    fault = leaf_fault(regime, kind, pte, base)
    if fault is not None:
        return ended(steps, level, fault)
    perm, perm_el0, memory, share, software = leaf_attributes(regime, above, pte)
    result = {"pa": hex(base | offset & (1 << shift) - 1), "size": hex(1 << shift), "perm": perm,
              "perm_el0": perm_el0, "type": memory, "share": share, "software": software}
    return {"steps": steps, "result": result, "fault": None}


def leaf_fault(regime: Regime, kind: str, pte: int, base: int) -> str | None:
    """Why an entry that is no table translates nothing; None if it does."""
    if kind in ("invalid", "reserved"):
        return INVALID if kind == "invalid" else RESERVED
    if base >> regime.out_bits:
        return ADDRESS_SIZE
    if not pte & PTE_AF and not regime.af_managed:
        return ACCESS_FLAG
    return None


def walk_json(answer: Object, regime: str, cpu: int | None, root: int, va: int) -> str:
    """The walk on one line: hvscope.walk/1."""
    import json
    return json.dumps({"schema": SCHEMA, "regime": regime, "cpu": cpu, "root": hex(root),
                       "va": hex(va), **answer}, separators=(",", ":"))


def size_text(size: int) -> str:
    """2 MiB, 4 KiB, ..."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size} {unit}"
        size >>= 10
    return f"{size} TiB"


def step_text(regime: Regime, step: Object) -> list[str]:
    """The lines of one step: where the entry leads, and its bits by name."""
    level, pte, kind = step["level"], int(step["pte"], 0), step["kind"]
    name = f"L{level}[{step['index']}]"
    where = {"invalid": "nothing: invalid entry", "reserved": "nothing: a reserved encoding"}
    if kind == "table":
        text = f"table at {regime.output_pa(pte, regime.granule.shift):#x}"
    else:
        shift = regime.shift(level)
        text = where.get(kind) or (f"{kind} at {regime.output_pa(pte, shift):#x}, "
                                   f"{size_text(1 << shift)}")
    lines = [f"  {name:<9}{pte:<#20x}-> {text}"]
    names = flag_names(regime, pte, kind != "table") if pte & PTE_VALID else []
    return lines + ([" " * 11 + " ".join(names)] if names else [])


WHERE = {"el2": "at EL2", "el2-e2h": "at EL2 (E2H)", "el1": "at EL1", "s2": "at stage 2"}


def walk_text(regime: Regime, answer: Object, cpu: int | None, root: int, va: int) -> str:
    """The walk for people, 80 columns wide."""
    who = "" if cpu is None else f" CPU{cpu}"
    lines = [f"{va:#x} {WHERE[regime.name]},{who} root {root:#x}, {regime.granule.name} pages, "
             f"{regime.in_bits}-bit addresses"]
    for step in answer["steps"]:
        lines += step_text(regime, step)
    return "\n".join([*lines, end_text(answer)])


def end_text(answer: Object) -> str:
    """The last line: the result or the fault."""
    result, fault = answer["result"], answer["fault"]
    if fault:
        return f"  faults at level {fault['level']}: {fault['reason']}"
    el0 = "" if result["perm_el0"] is None else f"  EL0 {result['perm_el0']}"
    return (f"  = {result['pa']}  {result['perm']}{el0}  {result['type']}  "
            f"{share_text(result['share'])}  software {result['software']}")


def share_text(share: str) -> str:
    """Shareability in words."""
    return "not shareable" if share == "none" else f"{share} shareable"
