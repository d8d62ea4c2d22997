# SPDX-License-Identifier: GPL-2.0-or-later
"""A screen as `tmux capture-pane -e` prints it, as SVG."""

import re
import unicodedata
from dataclasses import dataclass, replace
from html import escape

FONT_SIZE = 14
CELL_W = 8.428  # DejaVu Sans Mono: 0.602 of its size
CELL_H = 17
BASELINE = 13
MARGIN = 10
BACKGROUND, FOREGROUND = "#1e1f22", "#d3d3d3"
NAMED = ("#000000 #cd3131 #0dbc79 #e5e510 #2472c8 #bc3fbc #11a8cd #d3d3d3 "
         "#666666 #f14c4c #23d18b #f5f543 #3b8eea #d670d6 #29b8db #ffffff").split()
LEVELS = (0, 95, 135, 175, 215, 255)
# Line pieces, in halves of a cell: from the middle to left, right, up, down.
LINES = {"\u2500": "lr", "\u2502": "ud", "\u250c": "rd", "\u2510": "ld", "\u2514": "ru",
         "\u2518": "lu"}
# Blocks: top, height, as parts of a cell.
BLOCKS = {"\u2588": (0.0, 1.0), "\u2580": (0.0, 0.5),
          **{chr(0x2580 + n): (1 - n / 8, n / 8) for n in range(1, 8)}}


@dataclass(frozen=True)
class Look:
    """How a cell looks; colours are those of the picture, None: the terminal's own."""

    fg: str | None = None
    bg: str | None = None
    bold: bool = False
    underline: bool = False
    reverse: bool = False

    def colors(self) -> tuple[str, str | None]:
        """Text and background, the latter None if it is the picture's."""
        if self.reverse:
            return self.bg or BACKGROUND, self.fg or FOREGROUND
        return self.fg or FOREGROUND, self.bg


def color(n: int) -> str:
    """One of the 256 colours."""
    if n < 16:
        return NAMED[n]
    if n >= 232:
        return f"#{(8 + (n - 232) * 10):02x}" + f"{(8 + (n - 232) * 10):02x}" * 2
    n -= 16
    return "#" + "".join(f"{LEVELS[n // step % 6]:02x}" for step in (36, 6, 1))


def apply(look: Look, numbers: list[int]) -> Look:
    """A look after an SGR sequence."""
    at = 0
    while at < len(numbers):
        n = numbers[at]
        if n == 0:
            look = Look()
        elif n in (1, 4, 7):
            look = replace(look, **{{1: "bold", 4: "underline", 7: "reverse"}[n]: True})
        elif n in (22, 24, 27):
            look = replace(look, **{{22: "bold", 24: "underline", 27: "reverse"}[n]: False})
        elif n in (38, 48):
            look = replace(look, **{"fg" if n == 38 else "bg": color(numbers[at + 2])})
            at += 2
        elif n in (39, 49):
            look = replace(look, **{"fg" if n == 39 else "bg": None})
        elif 30 <= n <= 37 or 90 <= n <= 97:
            look = replace(look, fg=color(n - 30 if n < 90 else n - 82))
        elif 40 <= n <= 47 or 100 <= n <= 107:
            look = replace(look, bg=color(n - 40 if n < 100 else n - 92))
        at += 1
    return look


def cells(capture: str) -> list[list[tuple[str, Look]]]:
    """Rows of characters with their looks."""
    rows, look = [], Look()
    for line in capture.rstrip("\n").split("\n"):
        row = []
        for piece in re.findall(r"\x1b\[[0-9;:]*m|\x1b[()].|[\x0e\x0f]|.", line):
            if piece.startswith("\x1b["):
                look = apply(look, [int(n or 0) for n in re.split("[;:]", piece[2:-1])])
            elif piece[0] not in "\x1b\x0e\x0f":
                row.append((piece, look))
        rows.append(row)
    return rows


def rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    """A filled rectangle."""
    return (f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" '
            f'fill="{fill}"/>')


def draw_line(ch: str, x: float, y: float, fill: str) -> str:
    """A piece of a frame, so that it meets its neighbours."""
    mx, my = x + CELL_W / 2, y + CELL_H / 2
    ends = {"l": (x, my), "r": (x + CELL_W, my), "u": (mx, y), "d": (mx, y + CELL_H)}
    return "".join(f'<path d="M{mx:.2f} {my:.2f}L{ends[way][0]:.2f} {ends[way][1]:.2f}" '
                   f'stroke="{fill}" stroke-linecap="square"/>' for way in LINES[ch])


def draw_text(text: str, x: float, y: float, look: Look, fill: str) -> str:
    """A run of characters in one look."""
    more = ' font-weight="bold"' if look.bold else ""
    more += ' text-decoration="underline"' if look.underline else ""
    return (f'<text x="{x:.2f}" y="{y + BASELINE:.2f}" fill="{fill}"{more} xml:space="preserve">'
            f"{escape(text)}</text>")


def draw_row(row: list[tuple[str, Look]], y: float) -> list[str]:
    """Backgrounds, then frames and blocks, then text: ASCII in runs, other glyphs one by one."""
    back, front = [], []
    at = 0
    while at < len(row):
        ch, look = row[at]
        end = at + 1
        fg, bg = look.colors()
        if ch.isascii():
            while end < len(row) and row[end][1] == look and row[end][0].isascii():
                end += 1
        x = MARGIN + at * CELL_W
        if bg:
            back.append(rect(x, y, (end - at) * CELL_W + 0.1, CELL_H, bg))
        text = "".join(cell[0] for cell in row[at:end])
        if ch in LINES:
            front.append(draw_line(ch, x, y, fg))
        elif ch in BLOCKS:
            top, height = BLOCKS[ch]
            front.append(rect(x, y + top * CELL_H, CELL_W + 0.1, height * CELL_H, fg))
        elif text.strip() or look.underline:
            front.append(draw_text(text, x, y, look, fg))
        at = end
    return back + front


def svg(capture: str) -> str:
    """The whole screen."""
    rows = cells(capture)
    assert all(unicodedata.east_asian_width(ch) not in "WF" for row in rows for ch, _ in row)
    width = 2 * MARGIN + max(map(len, rows)) * CELL_W
    height = 2 * MARGIN + len(rows) * CELL_H
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
           f'font-family="DejaVu Sans Mono" font-size="{FONT_SIZE}">',
           rect(0, 0, width, height, BACKGROUND)]
    for n, row in enumerate(rows):
        out += draw_row(row, MARGIN + n * CELL_H)
    return "\n".join([*out, "</svg>", ""])
