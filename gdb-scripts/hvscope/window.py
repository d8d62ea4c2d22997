# SPDX-License-Identifier: GPL-2.0-or-later
"""`layout mapcache`: the slots of the selected thread's CPU above the source, in GDB's TUI.

GDB makes the window when the layout is chosen and calls close() when it is left: what
the window hooks into is let go there.
"""

from __future__ import annotations

from typing import Any

import gdb

from hvscope.error import HvError, Unreadable
from hvscope.target import TARGET

NAME = "mapcache"
FRAMES_SEARCHED = 6  # the trace points are called by map_domain_page()


def probed_slot() -> tuple[int | None, str]:
    """The slot that the running map_domain_page() looks at, by its frame's variables."""
    frame = gdb.newest_frame()
    for _ in range(FRAMES_SEARCHED):
        if frame is None:
            break
        if frame.name() == "map_domain_page":
            return frame_slot(frame), "in map_domain_page"
        frame = frame.older()
    return None, ""


def frame_slot(frame: gdb.Frame) -> int | None:
    """The variable `slot`; where the compiler has none, the home slot and `probe`."""
    slot = variable(frame, "slot")
    if slot is not None:
        return slot & 1023
    home, probe = variable(frame, "home"), variable(frame, "probe")
    return None if home is None else (home + (probe or 0)) & 1023


def variable(frame: gdb.Frame, name: str) -> int | None:
    """A local variable's value, if the compiler kept it."""
    try:
        value = frame.read_var(name)
        return None if value.is_optimized_out else int(value)
    except (ValueError, gdb.error):
        return None


class MapcacheWindow:
    """The window; GDB calls render(), close(), vscroll(), hscroll() and click()."""

    def __init__(self, tui: Any) -> None:
        from hvscope.grid import Grid
        self.tui = tui
        self.grid = Grid(1024)
        self.shown: int | None = None  # the slot that has last been scrolled to
        gdb.events.before_prompt.connect(self.render)

    def close(self) -> None:
        """The layout was left."""
        gdb.events.before_prompt.disconnect(self.render)

    def render(self) -> None:
        """Draws what memory holds now; never raises: after a Ctrl-C the next prompt draws."""
        try:
            self.draw()
        except KeyboardInterrupt:
            pass

    def draw(self) -> None:
        """The window's contents; a sentence in their place if they cannot be read."""
        if not self.tui.is_valid() or self.tui.width < 1 or self.tui.height < 1:
            return
        try:
            text = self.text()
        except (HvError, Unreadable, gdb.error) as wrong:
            self.tui.title = NAME
            text = str(wrong)[:self.tui.width]
        finally:
            TARGET.leave_physical()
        self.tui.erase()
        self.tui.write(text)

    def text(self) -> str:
        """The lines of the window; sets its title."""
        from hvscope import grid, mapcache, slotinfo
        from hvscope.stops import STOPS, take
        with TARGET.physical():
            beacon = TARGET.beacon()
            beacon.require_mapcache()
            cpu = min(TARGET.cpu(), beacon.ncpu - 1)
            entries = take(beacon, [cpu]).slots.get(cpu)
            broken = mapcache.index_broken(TARGET.read_phys, beacon, cpu, entries or ())
        if entries is None:
            raise HvError(f"CPU{cpu} has no slots that can be read: {beacon.cpus[cpu].state_name}")
        base = STOPS.base(beacon.boot_id)
        old = base.slots.get(cpu, entries) if base is not None else entries
        changed = {slot for slot, pte in enumerate(entries) if pte != old[slot]}
        decode = mapcache.Decoder(beacon)
        cells = [grid.GLYPHS["broken"] if slot[0] in broken else grid.glyph(slot)
                 for slot in decode.many(enumerate(entries))]
        probed, where = probed_slot()
        self.fit(probed, changed)
        self.tui.title = self.title(cpu, cells)
        head = grid.head_text(slotinfo.diff_lines(beacon, cpu, old, entries), probed, where)
        lines = self.grid.lines(cells, changed, probed)
        return "\n".join([grid.fitted_line(head, self.tui.width - 1), *lines])

    def fit(self, probed: int | None, changed: set[int]) -> None:
        """Scrolls to what is new to look at; the user's own scrolling stays otherwise."""
        focus = probed if probed is not None else min(changed) if changed else None
        self.grid.fit(self.tui.width, self.tui.height, focus if focus != self.shown else None)
        self.shown = focus

    def title(self, cpu: int, cells: list[str]) -> str:
        """CPU, totals, and which slots are visible."""
        free, cached = cells.count("."), cells.count("o")
        first = self.grid.top * self.grid.columns
        last = min(first + self.grid.rows * self.grid.columns, self.grid.slots)
        seen = "" if last - first in (0, self.grid.slots) else f"  slots {first}-{last - 1}"
        return (f"mapcache CPU{cpu}: {free} free, {cached} cached, "
                f"{len(cells) - free - cached} in use{seen}")

    def vscroll(self, rows: int) -> None:
        """The user scrolls."""
        self.grid.scroll(rows)
        self.render()

    def hscroll(self, _columns: int) -> None:
        """There is nothing beside the grid."""

    def click(self, x: int, y: int, _button: int) -> None:
        """A click on a cell: mapcache-slot."""
        slot = self.grid.slot_at(x, y)
        if slot is not None:
            gdb.post_event(lambda: show_slot(slot))


def show_slot(slot: int) -> None:
    """What a click asks for, below what was typed."""
    try:
        text = gdb.execute(f"mapcache-slot {slot}", to_string=True)
    except gdb.error as wrong:
        text = f"{wrong}\n"
    gdb.write(f"\n{text}{gdb.parameter('prompt')}")
    gdb.flush()


def register_layout() -> None:
    """Makes `layout mapcache` known, if this gdb has a TUI."""
    if hasattr(gdb, "register_window_type"):
        gdb.register_window_type(NAME, MapcacheWindow)
        gdb.execute(f"tui new-layout {NAME} {NAME} 5 src 3 status 0 cmd 4", to_string=True)
