# SPDX-License-Identifier: GPL-2.0-or-later
"""The lookup of map_domain_page(), replayed on the slots as they are: hvscope.explain/1.

Engines "xen" and "bbm" have the same search: from the frame's home slot forward, one
pass; the first slot that maps the frame with room in its count, or whose count is 0. That of
engine "clock" is in clocklookup.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hvscope.beacon import Beacon, ReadPhys
from hvscope.columns import Slot
from hvscope.error import HvError
from hvscope.mapcache import mapcache_cpu
from hvscope.pte import PAGE_SHIFT, PTE_ADDR_MASK, PTE_REFS_MAX, PTE_VALID, SLOT_SHIFT, pte_refs

SCHEMA = "hvscope.explain/1"
SLOT_MFN_MASK = (1 << SLOT_SHIFT - PAGE_SHIFT) - 1
STEPS_SHOWN = 16
NO_INDEX: dict[str, Any] = {"chain": None, "flushed": [], "victims": []}

Object = dict[str, Any]


def mfn_bypassed(beacon: Beacon, mfn: int) -> bool:
    """Is this frame in the directmap, so that no slot is used?"""
    pa = mfn << PAGE_SHIFT
    if beacon.fields["directmap"]:
        return any(base <= pa < base + size for base, size in beacon.banks)
    base, size = beacon.fields["xenheap_pa"], beacon.fields["xenheap_size"]
    return base <= pa < base + size


def slot_step(slot: int, pte: int, frame: int) -> tuple[str | None, str]:
    """(verdict, reason) of one slot of the search; no verdict: the search goes on."""
    refs, mfn = pte_refs(pte), (pte & PTE_ADDR_MASK) >> PAGE_SHIFT
    same = bool(pte & PTE_VALID) and mfn == frame
    if same and refs < PTE_REFS_MAX:
        return "hit", "this frame, with room in its count"
    if refs == 0:
        if pte & PTE_VALID:
            return "commandeer", f"count 0: {mfn:#x} loses it, its translation is live"
        return "take", "free"
    return None, "this frame, but its count is 15" if same else f"in use by {mfn:#x}"


def lookup(ptes: Sequence[int], mfn: int) -> Object:
    """Home, steps and verdict for a frame, over the entries of all slots."""
    frame, count = mfn & ~SLOT_MFN_MASK, len(ptes)
    home = (mfn >> SLOT_SHIFT - PAGE_SHIFT) % count
    steps: list[Object] = []
    for probe in range(count):
        slot = (home + probe) % count
        verdict, reason = slot_step(slot, ptes[slot], frame)
        steps.append({"slot": slot, "pte": hex(ptes[slot]), "refs": pte_refs(ptes[slot]),
                      "reason": reason})
        if verdict is not None:
            refs = pte_refs(ptes[slot]) + 1 if verdict == "hit" else 1
            return {"home": home, "verdict": verdict, "slot": slot, "refs": refs, "probe": probe,
                    "steps": steps, "duplicates": duplicates(ptes, frame, slot)}
    return {"home": home, "verdict": "full", "slot": None, "refs": None, "probe": count,
            "steps": steps, "duplicates": duplicates(ptes, frame, None)}


def duplicates(ptes: Sequence[int], frame: int, but: int | None) -> list[int]:
    """Other slots that map the same 2 MiB."""
    pa = frame << PAGE_SHIFT
    return [slot for slot, pte in enumerate(ptes)
            if pte & PTE_VALID and pte & PTE_ADDR_MASK == pa and slot != but]


def whole_slots(read: ReadPhys, beacon: Beacon, cpu: int) -> list[Slot]:
    """All slots of a CPU, in order; HvError if some cannot be read."""
    dump = mapcache_cpu(read, beacon, cpu, True)
    if dump["state"] != "on":
        raise HvError(f"CPU{cpu} has no mapcache: it is {dump['state']}")
    if len(dump["slots"]) != beacon.domheap_entries:
        raise HvError(f"CPU{cpu}: the tables above its slots are damaged; see mapcache-dump")
    return dump["slots"]


def explain(read: ReadPhys, beacon: Beacon, cpu: int, mfn: int) -> Object:
    """What map_domain_page(mfn) would do on this CPU now."""
    beacon.require_mapcache()
    head = {"schema": SCHEMA, "cpu": cpu, "engine": beacon.engine_name, "mfn": hex(mfn)}
    bypassed = mfn_bypassed(beacon, mfn)
    if beacon.counted and beacon.engine_name == "clock":
        return explain_clock(read, beacon, head, bypassed)
    if bypassed:
        return {**head, "home": None, "verdict": "bypass", "slot": None, "refs": None,
                "probe": None, "steps": [], "duplicates": [], **NO_INDEX}
    return {**head, **lookup([slot[2] for slot in whole_slots(read, beacon, cpu)], mfn),
            **NO_INDEX}


def explain_clock(read: ReadPhys, beacon: Beacon, head: Object, bypassed: bool) -> Object:
    """The answer of engine clock."""
    from hvscope import clock, clocklookup
    ptes = [slot[2] for slot in whole_slots(read, beacon, head["cpu"])]
    index = clock.index_read(read, beacon, head["cpu"]) if clock.has_index(beacon) else None
    answer = clocklookup.explain_clock(head, index, ptes, beacon.slot_attr, bypassed)
    if answer["verdict"] != "bypass":
        answer["duplicates"] = duplicates(ptes, int(head["mfn"], 0) & ~SLOT_MFN_MASK,
                                          answer["slot"])
    return answer


def explain_json(answer: Object) -> str:
    """The answer on one line."""
    import json
    shown = {key: value for key, value in answer.items() if key != "reserve"}
    return json.dumps(shown, separators=(",", ":"))


VERDICTS = {
    "hit": "hit: slot {slot} is shared, its count becomes {refs}",
    "take": "take: slot {slot} is free; it gets this frame with count 1",
    "commandeer": "commandeer: slot {slot} is {how}; it gets this frame with count 1",
    "full": "full: every slot is in use; map_domain_page() panics",
    "remake": "remake: slot {slot} is made again; it gets this frame with count 1",
    "flush": "flush: slot {slot} is free then; it gets this frame with count 1",
    "reclaim": "reclaim: slot {slot} is free then; it gets this frame with count 1",
    "bypass": "bypass: the frame is in the directmap; no slot is used",
}


def explain_text(answer: Object, inside: bool) -> str:
    """For people; inside: the CPU is in the middle of a change now."""
    lines = [f"map_domain_page({answer['mfn']}) on CPU{answer['cpu']}, "
             f"{'engine ' + answer['engine'] if answer['engine'] else 'Xen'}"
             + ("" if answer["home"] is None else f", home slot {answer['home']}")
             + ("" if answer["chain"] is None else f", chain {answer['chain']}")]
    steps = answer["steps"]
    for n, step in enumerate(steps):
        if n < STEPS_SHOWN - 1 or n == len(steps) - 1:
            lines.append(f"  slot {step['slot']:>4}  count {step['refs']:>2}  {step['reason']}")
        elif n == STEPS_SHOWN - 1:
            lines.append(f"  ... {len(steps) - STEPS_SHOWN} more")
    if answer["flushed"]:
        lines.append(f"the owed TLBI comes first, of slot {slot_list(answer['flushed'])}")
    if answer["victims"]:
        lines.append("idle slots are broken, with a TLBI, and lose their frames: slot "
                     + slot_list(answer["victims"]))
    lines.append(verdict_words(answer))
    if answer["duplicates"]:
        lines.append("its 2 MiB are also in slot " + slot_list(answer["duplicates"]))
    if inside:
        lines.append("this CPU is inside a map or unmap: the next call comes after that")
    return "\n".join(lines)


def verdict_words(answer: Object) -> str:
    """The line that says what happens to the frame."""
    if answer["verdict"] != "full" or answer["chain"] is None:
        how = "broken, with a TLBI, and made" if answer["engine"] == "bbm" else "overwritten"
        return VERDICTS[answer["verdict"]].format(how=how, **answer)
    if answer["reserve"] is None:
        return "full: every slot is in use; map_domain_page() returns NULL"
    return (f"full: map_domain_page() returns NULL; an interrupt would get slot "
            f"{answer['reserve']} of the reserve")


def slot_list(slots: list[int]) -> str:
    """Slot numbers, not more than eight."""
    return ", ".join(map(str, slots[:8])) + (" and more" if len(slots) > 8 else "")
