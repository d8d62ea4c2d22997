# SPDX-License-Identifier: GPL-2.0-or-later
"""From a guest's virtual address through both stages to a physical one: hvscope.walk/1, "guest".

Stage 1 tables lie at guest addresses, so each of their entries is read through stage 2.
"""

from __future__ import annotations

from typing import Any

from hvscope.attributes import both_rights, both_types
from hvscope.beacon import ReadPhys
from hvscope.error import WalkStop
from hvscope.pte import PAGE_SIZE
from hvscope.regime import Regime
from hvscope.walk import Object, end_text, step_text, walk

Stage = tuple[Regime, int]  # and its root


def translate(read: ReadPhys, stage2: Stage | None, ipa: int) -> Object:
    """Stage 2 of an address; without one, the address itself."""
    if stage2 is None:
        result = {"pa": hex(ipa), "size": hex(1 << 48), "perm": "rwx", "perm_el0": "rwx",
                  "type": "normal-wb", "share": "none", "software": "0x0"}
        return {"steps": [], "result": result, "fault": None}
    return walk(read, *stage2, ipa)


def read_through(read: ReadPhys, stage2: Stage | None) -> ReadPhys:
    """A reader of guest physical memory; a page that was translated once is remembered."""
    if stage2 is None:
        return read
    pages: dict[int, int] = {}

    def page_pa(page: int) -> int:
        if page not in pages:
            answer = translate(read, stage2, page)
            if answer["fault"]:
                raise WalkStop(f"stage 2 of the table at {page:#x}: {answer['fault']['reason']}")
            pages[page] = int(answer["result"]["pa"], 0)
        return pages[page]

    def read_guest(ipa: int, size: int) -> bytes:
        pieces, end = [], ipa + size
        while ipa < end:
            length = min(PAGE_SIZE - ipa % PAGE_SIZE, end - ipa)
            pieces.append(read(page_pa(ipa & -PAGE_SIZE) + ipa % PAGE_SIZE, length))
            ipa += length
        return b"".join(pieces)
    return read_guest


def guest_walk(read: ReadPhys, stage1: Stage | None, stage2: Stage | None, va: int) -> Object:
    """Both stages; stage1 and stage2: None if the guest runs without."""
    if stage1 is None:
        first: Object = {"steps": [], "result": None, "fault": None}
        ipa: int | None = va
    else:
        first = walk(read_through(read, stage2), *stage1, va)
        ipa = int(first["result"]["pa"], 0) if first["result"] else None
    second = translate(read, stage2, ipa) if ipa is not None else None
    fault = first["fault"] or (stage2_fault(second) if second else None)
    result = None if fault or not second else combined(first["result"], second["result"])
    return {"steps": first["steps"], "result": result, "fault": fault,
            "ipa": None if ipa is None else hex(ipa),
            "s2": {"root": hex(stage2[1]), **second} if stage2 and second else None}


def stage2_fault(second: Object) -> Object | None:
    """A fault of stage 2, told from one of stage 1 by its words."""
    fault: Any = second["fault"]
    return {"level": fault["level"], "reason": f"stage 2: {fault['reason']}"} if fault else None


def combined(first: Object | None, second: Object) -> Object:
    """What both stages leave."""
    if first is None:
        return second
    size = min(int(first["size"], 0), int(second["size"], 0))
    return {"pa": second["pa"], "size": hex(size),
            "perm": both_rights(first["perm"], second["perm"]),
            "perm_el0": both_rights(first["perm_el0"], second["perm_el0"]),
            "type": both_types(first["type"], second["type"]), "share": first["share"],
            "software": second["software"]}


def guest_text(answer: Object, stage1: Stage | None, stage2: Stage | None, va: int,
               found: list[str]) -> str:
    """For people, 80 columns wide; found: which slots map the frame."""
    lines = [f"{va:#x} of the guest"]
    if stage1 is None:
        lines.append("stage 1 is off: the address is an IPA")
    else:
        lines.append(f"stage 1, root {stage1[1]:#x} (an IPA), {stage1[0].granule.name} pages")
        lines += [line for step in answer["steps"] for line in step_text(stage1[0], step)]
    if answer["ipa"] is not None and stage2 is None:
        lines.append(f"stage 2 is off: PA {answer['ipa']}")
    elif stage2 is not None and answer["s2"] is not None:
        lines.append(f"stage 2 of IPA {answer['ipa']}, root {stage2[1]:#x}")
        lines += [line for step in answer["s2"]["steps"] for line in step_text(stage2[0], step)]
    lines.append(end_text(answer))
    return "\n".join([*lines, *found])
