# SPDX-License-Identifier: GPL-2.0-or-later
"""Slots of a dump, in batches of one page of entries; what a batch looks like as text and JSON.

Most batches hold usual slots only. Those are never taken apart slot by slot: entries are cut
into columns (frame, count), a column is looked up in a table of ready text, and the columns are
joined, all in C loops. A loop of Python's own over full tables takes longer than reading them.
Any slot that is not usual makes its batch a mixed one, which decodes each slot.
"""

from __future__ import annotations

import struct
from collections.abc import Container, Sequence
from functools import lru_cache
from itertools import compress
from operator import itemgetter, sub
from typing import Any, Final

from hvscope.pte import (PAGE_SHIFT, PTE_REFS_MAX, PTE_REFS_SHIFT, SLOT_ATTR_MASK, SLOT_SHIFT,
                         SLOT_SIZE, SLOT_STATES, slot_is_block, slot_state)

# slot, va, pte, state, refs, mfn, pa, home, probe; the last four None where they have no meaning.
Slot = tuple[int, int, int, str, int, "int | None", "int | None", "int | None", "int | None"]
STATE: Final = 3
REFS: Final = 4
PA: Final = 6

WORD = 1 << 16
FRAME_STEP = SLOT_SIZE >> 16  # between frames, in 64 KiB
FRAMES_KEPT = 1 << 16  # whose text is kept for the next dump: 128 GiB


def hex_json(value: int | None) -> str:
    """An address or entry in JSON."""
    return "null" if value is None else f'"{value:#x}"'


def slot_text(slot: Slot) -> str:
    """One line of the table of slots."""
    number, va, _, state, refs, mfn, pa, home, probe = slot
    frame = "%-9s  %-14s" % (("-", "-") if mfn is None else (hex(mfn), hex(pa or 0)))
    place = "   -      -" if home is None or probe is None else "%4d  %5d" % (home, probe)
    return "%6d  %-#14x  %s  %4d  %-9s  %s" % (number, va, frame, refs, state, place)


def slot_json(slot: Slot, odd: bool = False) -> str:
    """A slot as it stands in the JSON dump; odd: it maps what is not RAM."""
    number, va, pte, state, refs, mfn, pa, home, probe = slot
    place = '"home":null,"probe":null'
    if home is not None and probe is not None:
        place = '"home":%d,"probe":%d' % (home, probe)
    return ('{"slot":%d,"va":"%#x","pte":"%#x","state":"%s","odd":%s,"refs":%d,"mfn":%s,"pa":%s,%s}'
            % (number, va, pte, state, "true" if odd else "false", refs, hex_json(mfn),
               hex_json(pa), place))


class Mixed:
    """Slots of any kind."""

    def __init__(self, slots: Sequence[Slot], odd: Container[int] = ()) -> None:
        self.slots, self.odd = slots, odd

    def counts(self) -> dict[str, int]:
        """How many are in which state, and all references."""
        states = [slot[STATE] for slot in self.slots]
        return {**{state: states.count(state) for state in SLOT_STATES},
                "refs": sum([slot[REFS] for slot in self.slots])}

    def text(self) -> str:
        """Their lines, each behind a line's end."""
        return "".join(["\n" + slot_text(slot) for slot in self.slots])

    def json(self) -> str:
        """Their objects, each behind a comma."""
        return "".join(["," + slot_json(slot, slot[0] in self.odd) for slot in self.slots])


class Frames(dict[int, int]):
    """The number under which a usual slot's frame is known here, by its PA in 64 KiB.

    Made when a frame is first seen; KeyError for one that is not RAM. Text holds what a line
    says of the frame: behind the slot, and its home.
    """

    def __init__(self, entries: int, placed: bool, banks: Sequence[tuple[int, int]]) -> None:
        super().__init__()
        self.entries, self.placed = entries, placed
        self.banks = [(base - SLOT_SIZE >> 16, base + size >> 16) for base, size in banks if size]
        self.homes: list[int] = []
        self.text: list[str] = []
        self.text_homes: list[str] = []
        self.json_ptes: list[str] = []
        self.json: list[str] = []

    def __missing__(self, frame: int) -> int:
        if frame % FRAME_STEP or not any(low < frame < high for low, high in self.banks):
            raise KeyError(frame)
        home = frame // FRAME_STEP % self.entries
        mfn, pa = f"{frame << 16 - PAGE_SHIFT:#x}", f"{frame << 16:#x}"
        self.homes.append(home if self.placed else 0)
        self.text.append(f"{mfn:<9}  {pa:<14}")
        self.text_homes.append("%4d  " % home if self.placed else "   -  ")
        self.json_ptes.append("%08x" % frame)
        self.json.append(f'"{mfn}","pa":"{pa}","home":{home if self.placed else "null"},"probe":')
        self[frame] = len(self.homes) - 1
        return self[frame]


class Words:
    """Ready parts of lines, for each slot, each count, and each frame."""

    def __init__(self, start: int, entries: int, attr: int, placed: bool,
                 banks: Sequence[tuple[int, int]]) -> None:
        vas = [(slot, start + (slot << SLOT_SHIFT)) for slot in range(entries)]
        self.text_heads = ["\n%6d  %-#14x  " % one for one in vas]
        self.json_heads = [',{"slot":%d,"va":"%#x","pte":"0x' % one for one in vas]
        self.frames = Frames(entries, placed, banks)
        # By slot - home: negative numbers count from the end, as the lookup wraps around.
        self.text_probes = ["%5d" % n if placed else "    -" for n in range(entries)]
        self.json_probes = ["%d}" % n if placed else "null}" for n in range(entries)]
        tops = [(attr >> 48) + (refs << PTE_REFS_SHIFT - 48) for refs in range(PTE_REFS_MAX + 1)]
        self.refs_of = {top: refs for refs, top in enumerate(tops)}  # by the word of bits 48-63
        self.states = [slot_state(top << 48 | attr, attr, True) for top in tops]
        counted = list(enumerate(self.states))
        self.text_states = ["  %4d  %-9s  " % one for one in counted]
        self.json_states = ['%04x","state":"%s","odd":false,"refs":%d,"mfn":'
                            % (attr % WORD, state, refs) for refs, state in counted]
        self.json_tops = ["%x" % top for top in tops]


@lru_cache(maxsize=2)
def slot_words(start: int, entries: int, attr: int, placed: bool,
               banks: tuple[tuple[int, int], ...]) -> Words:
    """Of a domheap; kept for the next dump."""
    return Words(start, entries, attr, placed, banks)


def joined(columns: Sequence[Sequence[str]]) -> str:
    """Rows of these columns, one behind the other."""
    parts = [""] * (len(columns) * len(columns[0]))
    for n, column in enumerate(columns):
        parts[n::len(columns)] = column
    return "".join(parts)


def picked(table: Any, numbers: Sequence[int]) -> Sequence[Any]:
    """The table's items at these numbers. (itemgetter gives one number's without a tuple.)"""
    return itemgetter(*numbers)(table) if len(numbers) > 1 else [table[n] for n in numbers]


class Usual:
    """Slots that hold usual entries: columns of numbers, an item a slot."""

    def __init__(self, words: Words, slots: Sequence[int], frames: Sequence[int],
                 refs: Sequence[int]) -> None:
        self.words, self.slots, self.frames, self.refs = words, slots, frames, refs

    def counts(self) -> dict[str, int]:
        """How many are in which state, and all references."""
        counts, held = {state: 0 for state in SLOT_STATES}, bytes(self.refs)
        for refs, state in enumerate(self.words.states):
            counts[state] += held.count(refs)
        return {**counts, "refs": sum(self.refs)}

    def probes(self) -> list[int]:
        """How far each is behind its home: negative numbers count from a table's end."""
        return list(map(sub, self.slots, picked(self.words.frames.homes, self.frames)))

    def text(self) -> str:
        """Their lines, each behind a line's end."""
        words, known = self.words, self.words.frames
        return joined([picked(words.text_heads, self.slots), picked(known.text, self.frames),
                       picked(words.text_states, self.refs),
                       picked(known.text_homes, self.frames),
                       picked(words.text_probes, self.probes())])

    def json(self) -> str:
        """Their objects, each behind a comma."""
        words, known = self.words, self.words.frames
        return joined([picked(words.json_heads, self.slots), picked(words.json_tops, self.refs),
                       picked(known.json_ptes, self.frames), picked(words.json_states, self.refs),
                       picked(known.json, self.frames),
                       picked(words.json_probes, self.probes())])


class Sorter:
    """Makes batches of usual slots, where entries are such."""

    def __init__(self, start: int, entries: int, attr: int, placed: bool,
                 banks: Sequence[tuple[int, int]]) -> None:
        self.words: Words | None = None
        # What the columns take for granted of the attributes.
        if slot_is_block(attr) and not attr & ~SLOT_ATTR_MASK and attr >> 48 and \
                not attr >> 16 & FRAME_STEP - 1:
            self.low = attr % WORD
            self.words = slot_words(start, entries, attr, placed, tuple(banks))
            if len(self.words.frames) > FRAMES_KEPT:  # who holds them already goes on with them
                slot_words.cache_clear()

    def usual(self, first: int, data: bytes) -> Usual | None:
        """The slots of these entries that are not 0; None if one of them is not usual."""
        count = len(data) // 8
        slots: Sequence[int] = range(first, first + count)
        ptes = struct.unpack(f"<{count}Q", data)
        if 0 in ptes:
            slots = list(compress(slots, ptes))
            count = len(slots)
            data = struct.pack(f"<{count}Q", *filter(None, ptes))
        if self.words is None or not slots:
            return None
        ends: Sequence[int] = struct.unpack("<" + "H4xH" * count, data)
        if set(ends[0::2]) != {self.low}:
            return None
        frames: Sequence[int] = struct.unpack("<" + "2xI2x" * count, data)
        try:
            return Usual(self.words, slots, picked(self.words.frames, frames),
                         picked(self.words.refs_of, ends[1::2]))
        except KeyError:
            return None
