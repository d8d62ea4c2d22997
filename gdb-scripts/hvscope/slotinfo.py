# SPDX-License-Identifier: GPL-2.0-or-later
"""One slot in full; and what changed in slots between two readings."""

from __future__ import annotations

from hvscope.beacon import Beacon
from hvscope.columns import REFS, STATE, Slot
from hvscope.lookup import duplicates, slot_list
from hvscope.mapcache import Decoder
from hvscope.pte import (PAGE_SHIFT, PTE_ADDR_MASK, PTE_ATTR_SHIFT, PTE_REFS_MASK, PTE_SH_NAMES,
                         PTE_SH_SHIFT, PTE_TABLE, PTE_VALID, pte_flag_names)
from hvscope.trace import Holder, Where

DIFF_SHOWN = 40


def pte_words(pte: int, level: int | None = None) -> str:
    """An entry in words; level: None if it is not known."""
    if not pte & PTE_VALID:
        return "invalid" + (f" refs={pte >> 55 & 15}" if pte >> 55 & 15 else "")
    kinds = {None: ("block", "table/page"), 3: ("reserved", "page"), 0: ("reserved", "table")}
    kind = kinds.get(level, ("block", "table"))[bool(pte & PTE_TABLE)]
    leaf = kind not in ("table", "table/page")
    names = pte_flag_names(pte, leaf)
    if leaf:
        names.insert(1, f"sh={PTE_SH_NAMES[pte >> PTE_SH_SHIFT & 3]}")
    return " ".join([kind, hex(pte & PTE_ADDR_MASK), *names])


def bits_text(pte: int) -> list[str]:
    """Every field of a slot's entry with its value."""
    names = [("valid", pte & 1), ("table", pte >> 1 & 1), ("AttrIndx", pte >> PTE_ATTR_SHIFT & 7),
             ("NS", pte >> 5 & 1), ("AP[1] (RES1)", pte >> 6 & 1),
             ("AP[2] read-only", pte >> 7 & 1),
             ("SH " + PTE_SH_NAMES[pte >> PTE_SH_SHIFT & 3], pte >> PTE_SH_SHIFT & 3),
             ("AF", pte >> 10 & 1), ("nG (RES0)", pte >> 11 & 1), ("GP", pte >> 50 & 1),
             ("DBM", pte >> 51 & 1), ("contiguous", pte >> 52 & 1), ("PXN (RES0)", pte >> 53 & 1),
             ("XN", pte >> 54 & 1), ("[58:55] count", pte >> 55 & 15), ("[63:59]", pte >> 59)]
    cells = [f"{name} {value}" for name, value in names]
    return ["  " + "".join(f"{cell:<19}" for cell in cells[n:n + 4]).rstrip()
            for n in range(0, len(cells), 4)]


def slot_full_text(cpu: int, slots: list[Slot], number: int, holders: list[Holder] | None,
                   where: Where) -> str:
    """One slot, its bits, the frame's other slots, and who holds it (None: no ring)."""
    slot = slots[number]
    pte = slot[2]
    lines = [f"CPU{cpu}, slot {number}: {slot[STATE]}, count {slot[REFS]}, va {slot[1]:#x}"]
    if slot[6] is not None:
        place = "" if slot[7] is None else f", home slot {slot[7]}, {slot[8]} behind it"
        lines.append(f"  mfn {slot[5]:#x}, pa {slot[6]:#x}{place}")
    lines += [f"  entry {pte:#x}", *bits_text(pte)]
    if slot[5] is not None:
        others = duplicates([one[2] for one in slots], slot[5], number)
        lines.append("  the same frame is in " + (f"slot {slot_list(others)} too" if others
                                                  else "no other slot of this CPU"))
    return "\n".join(lines + holder_lines(slot[REFS], holders, where))


def holder_lines(refs: int, holders: list[Holder] | None, where: Where) -> list[str]:
    """Who took the references that are counted."""
    if holders is None:
        return ["  who holds it is not known: the image keeps no event ring"] if refs else []
    held = holders[-refs:] if refs else []
    lines = [f"  held: mfn {one.mfn:#x} by {where(one.record.caller)} (event {one.record.seq})"
             for one in held]
    missing = refs - len(held)
    if missing > 0:
        lines.append(f"  held: {missing} more, older than the ring's events")
    return lines


def change_words(old: Slot, new: Slot) -> str:
    """How a slot changed."""
    if (old[2] ^ new[2]) & ~PTE_REFS_MASK == 0:
        return f"count {old[REFS]} -> {new[REFS]}"
    if old[2] & new[2] & PTE_VALID and (old[2] ^ new[2]) & PTE_ADDR_MASK:
        return (f"commandeered: mfn {frame_of(old):#x} -> {frame_of(new):#x}, "
                f"count {old[REFS]} -> {new[REFS]}")
    if not old[2] & PTE_VALID and new[2] & PTE_VALID:
        return f"taken for mfn {frame_of(new):#x}, count {new[REFS]}"
    if not new[2] & PTE_VALID and old[2] & PTE_VALID:
        return f"made invalid, was mfn {frame_of(old):#x}"
    return f"entry {old[2]:#x} -> {new[2]:#x}"


def frame_of(slot: Slot) -> int:
    """The frame in an entry, whatever its kind."""
    return (slot[2] & PTE_ADDR_MASK) >> PAGE_SHIFT


def diff_lines(beacon: Beacon, cpu: int, old: tuple[int, ...], new: tuple[int, ...]) -> list[str]:
    """A line a slot that changed."""
    decode = Decoder(beacon)
    changed = [slot for slot, (was, now) in enumerate(zip(old, new)) if was != now]
    lines = []
    for slot in changed[:DIFF_SHOWN]:
        before, after = decode(slot, old[slot]), decode(slot, new[slot])
        lines.append(f"CPU{cpu} slot {slot:>4}  {before[STATE]} -> {after[STATE]}: "
                     f"{change_words(before, after)}")
    if len(changed) > DIFF_SHOWN:
        lines.append(f"CPU{cpu} {len(changed) - DIFF_SHOWN} more")
    return lines
