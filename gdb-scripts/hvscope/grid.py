# SPDX-License-Identifier: GPL-2.0-or-later
"""The slots of one CPU as lines of a window: a cell a slot, what changed and is probed marked.

A cell is a glyph, as in the viewer (here `.` for free); a mark is an attribute of the
terminal, and in words on the first line, so that nothing depends on colour.
"""

from __future__ import annotations

from collections.abc import Sequence

from hvscope.columns import STATE, Slot

LABEL = 6  # "  960 "
WIDTHS = (256, 128, 64, 32, 16, 8, 4, 2, 1)
GLYPHS = {"free": ".", "cached": "o", "saturated": "F", "broken": "!"}
CHANGED, PROBED, BOTH, PLAIN = "\033[7m", "\033[1;4;33m", "\033[1;4;7;33m", "\033[0m"


def glyph(slot: Slot) -> str:
    """One character for a slot's state; in use: its count in hex."""
    return GLYPHS.get(slot[STATE]) or format(slot[4], "x")


class Grid:
    """What is on screen: how many cells a row, which rows. Rows scroll if they do not fit."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self.columns, self.top, self.rows = 64, 0, 16

    def fit(self, width: int, height: int, focus: int | None) -> None:
        """A window of this size; focus: a slot that has to be visible."""
        self.columns = next(n for n in WIDTHS if n + LABEL <= max(width, LABEL + 1))
        self.rows = max(height - 1, 0)
        if focus is not None and self.rows:
            row = focus // self.columns
            if not self.top <= row < self.top + self.rows:
                self.top = row - self.rows // 2
        self.scroll(0)

    def scroll(self, rows: int) -> None:
        """Moves by so many rows, and stays inside."""
        last = -(-self.slots // self.columns) - self.rows
        self.top = max(min(self.top + rows, last), 0)

    def slot_at(self, x: int, y: int) -> int | None:
        """The slot under a place of the window."""
        column, row = x - LABEL, y - 1
        if not 0 <= column < self.columns or not 0 <= row < self.rows:
            return None
        slot = (self.top + row) * self.columns + column
        return slot if slot < self.slots else None

    def lines(self, cells: Sequence[str], changed: set[int], probed: int | None) -> list[str]:
        """The rows that are visible."""
        lines = []
        for row in range(self.top, self.top + self.rows):
            first = row * self.columns
            if first >= self.slots:
                break
            last = min(first + self.columns, self.slots)
            lines.append(f"{first:>5} " + "".join(marked(cells[slot], slot in changed,
                                                         slot == probed)
                                                  for slot in range(first, last)))
        return lines


def marked(cell: str, changed: bool, probed: bool) -> str:
    """A cell with its mark."""
    mark = BOTH if changed and probed else CHANGED if changed else PROBED if probed else ""
    return f"{mark}{cell}{PLAIN}" if mark else cell


def head_text(changes: Sequence[str], probed: int | None, where: str) -> str:
    """The first line: what is probed, and the first change in words."""
    parts = [f"probes slot {probed}"] if probed is not None else [where] if where else []
    if changes:
        more = f" (+{len(changes) - 1})" if len(changes) > 1 else ""
        parts.append(" ".join(changes[0].split()) + more)
    return "; ".join(parts) or "no slot changed"


def fitted_line(text: str, width: int) -> str:
    """At most so many characters, of a line without marks."""
    return text if len(text) <= width else text[:max(width - 1, 0)] + "~"
