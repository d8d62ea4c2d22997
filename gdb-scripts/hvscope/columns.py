# SPDX-License-Identifier: GPL-2.0-or-later
"""Slots of a dump, in batches of one page of entries; what a batch looks like as text and JSON.

Most batches hold usual slots only. Those are never taken apart slot by slot: entries are cut
into 16-bit words, a column of words is looked up in a table of ready text, and the columns are
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

from hvscope.pte import (PTE_REFS_MAX, PTE_REFS_SHIFT, SLOT_ATTR_MASK, SLOT_SHIFT, SLOT_SIZE,
                         SLOT_STATES, slot_is_block, slot_state)

# slot, va, pte, state, refs, mfn, pa, home, probe; the last four None where they have no meaning.
Slot = tuple[int, int, int, str, int, "int | None", "int | None", "int | None", "int | None"]
STATE: Final = 3
REFS: Final = 4
PA: Final = 6

WORD = 1 << 16
ROWS = 1 << 32 - SLOT_SHIFT  # frames that differ below bit 32 only
ROW_STEP = SLOT_SIZE >> 16  # between such frames, in the word of bits 16-31
LEAST_PA = 1 << 28  # from here on, that word has four digits


def hex_json(value: int | None) -> str:
    """An address or entry in JSON."""
    return "null" if value is None else f'"{value:#x}"'


def slot_text(slot: Slot) -> str:
    """One line of the table of slots."""
    number, va, _, state, refs, mfn, pa, home, probe = slot
    frame = "%-9s  %-14s" % (("-", "-") if mfn is None else (hex(mfn), hex(pa or 0)))
    place = "   -      -" if home is None else "%4d  %5d" % (home, probe)
    return "%6d  %-#14x  %s  %4d  %-9s  %s" % (number, va, frame, refs, state, place)


def slot_json(slot: Slot, odd: bool = False) -> str:
    """A slot as it stands in the JSON dump; odd: it maps what is not RAM."""
    number, va, pte, state, refs, mfn, pa, home, probe = slot
    place = '"home":null,"probe":null' if home is None else '"home":%d,"probe":%d' % (home, probe)
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


class Words:
    """Ready parts of lines, for each slot, each count, and each frame's word of bits 16-31."""

    def __init__(self, start: int, entries: int, attr: int, placed: bool) -> None:
        vas = [(slot, start + (slot << SLOT_SHIFT)) for slot in range(entries)]
        self.text_heads = ["\n%6d  %-#14x  0x" % one for one in vas]
        self.json_heads = [',{"slot":%d,"va":"%#x","pte":"0x' % one for one in vas]
        self.row_of = {row * ROW_STEP: row for row in range(ROWS)}  # by that word
        self.digits = ["%04x" % word for word in self.row_of]
        homes = [row % entries if placed else None for row in range(ROWS)]
        self.text_homes = ["   -  " if home is None else "%4d  " % home for home in homes]
        self.text_probes = ["    -" if home is None else "%5d" % home for home in homes]
        self.json_homes = ['0000","home":%s,"probe":' % ("null" if home is None else home)
                           for home in homes]
        self.json_probes = ["null}" if home is None else "%d}" % home for home in homes]
        tops = [(attr >> 48) + (refs << PTE_REFS_SHIFT - 48) for refs in range(PTE_REFS_MAX + 1)]
        self.refs_of = {top: refs for refs, top in enumerate(tops)}  # by the word of bits 48-63
        self.states = [slot_state(top << 48 | attr, attr, True) for top in tops]
        counted = list(enumerate(self.states))
        self.text_states = ["  %4d  %-9s  " % one for one in counted]
        self.json_states = ['%04x","state":"%s","odd":false,"refs":%d,"mfn":"0x'
                            % (attr % WORD, state, refs) for refs, state in counted]
        self.json_tops = ["%x" % top for top in tops]


@lru_cache(maxsize=2)
def slot_words(start: int, entries: int, attr: int, placed: bool) -> Words:
    """Of a domheap; kept for the next dump."""
    return Words(start, entries, attr, placed)


def text_high(high: int) -> tuple[str, str, str]:
    """What stands around the digits of bits 16-31 in a line, of the word of bits 32-47."""
    digits = f"{high:x}" if high else ""
    frame, address = len(f"0x{digits}00000"), len(f"0x{digits}00000000")
    return digits, f"0{'':{max(9 - frame, 0)}}  0x{digits}", f"0000{'':{max(14 - address, 0)}}"


def json_high(high: int) -> tuple[str, str, str]:
    """The same in JSON."""
    digits = f"{high:x}" if high else ""
    return f"{high:04x}", digits, f'0","pa":"0x{digits}'


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

    def __init__(self, words: Words, slots: Sequence[int], rows: Sequence[int],
                 highs: Sequence[int], refs: Sequence[int]) -> None:
        self.words, self.slots, self.rows, self.highs, self.refs = words, slots, rows, highs, refs

    def counts(self) -> dict[str, int]:
        """How many are in which state, and all references."""
        counts = {state: 0 for state in SLOT_STATES}
        for refs in set(self.refs):
            counts[self.words.states[refs]] += self.refs.count(refs)
        return {**counts, "refs": sum(self.refs)}

    def around(self, of_high: Any) -> list[Sequence[str]]:
        """Three columns of text that depend on the word of bits 32-47."""
        known = sorted(set(self.highs))
        texts = list(zip(*map(of_high, known)))
        if len(known) == 1:
            return [text * len(self.highs) for text in texts]
        place = {high: n for n, high in enumerate(known)}
        numbers = picked(place, self.highs)
        return [picked(text, numbers) for text in texts]

    def probes(self) -> list[int]:
        """How far each is behind its home: negative numbers count from a table's end."""
        return list(map(sub, self.slots, self.rows))

    def text(self) -> str:
        """Their lines, each behind a line's end."""
        words, digits = self.words, picked(self.words.digits, self.rows)
        before, between, after = self.around(text_high)
        return joined([picked(words.text_heads, self.slots), before, digits, between, digits,
                       after, picked(words.text_states, self.refs),
                       picked(words.text_homes, self.rows),
                       picked(words.text_probes, self.probes())])

    def json(self) -> str:
        """Their objects, each behind a comma."""
        words, digits = self.words, picked(self.words.digits, self.rows)
        high, before, between = self.around(json_high)
        return joined([picked(words.json_heads, self.slots), picked(words.json_tops, self.refs),
                       high, digits, picked(words.json_states, self.refs), before, digits,
                       between, digits, picked(words.json_homes, self.rows),
                       picked(words.json_probes, self.probes())])


class Sorter:
    """Makes batches of usual slots, where entries are such."""

    def __init__(self, start: int, entries: int, attr: int, placed: bool,
                 banks: Sequence[tuple[int, int]]) -> None:
        self.banks = [(base - SLOT_SIZE >> 16, base + size >> 16) for base, size in banks if size]
        self.words: Words | None = None
        # What the columns take for granted of the attributes and of homes.
        if slot_is_block(attr) and not attr & ~SLOT_ATTR_MASK and attr >> 48 and \
                not attr >> 16 & ROW_STEP - 1 and (not placed or ROWS % entries == 0):
            self.low = attr % WORD
            self.words = slot_words(start, entries, attr, placed)

    def in_ram(self, frames: Sequence[int]) -> bool:
        """Are all of these RAM? Numbers of 64 KiB."""
        first, last = min(frames), max(frames)
        if first < LEAST_PA >> 16:
            return False
        return any(low < first and last < high for low, high in self.banks) or \
            all(any(low < frame < high for low, high in self.banks) for frame in set(frames))

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
        words: Sequence[int] = struct.unpack(f"<{4 * count}H", data)
        frames: Sequence[int] = struct.unpack("<" + "2xI2x" * count, data)
        if set(words[0::4]) != {self.low} or not self.in_ram(frames):
            return None
        try:
            return Usual(self.words, slots, picked(self.words.row_of, words[1::4]), words[2::4],
                         picked(self.words.refs_of, words[3::4]))
        except KeyError:
            return None
