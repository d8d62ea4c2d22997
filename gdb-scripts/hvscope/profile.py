# SPDX-License-Identifier: GPL-2.0-or-later
"""What kind of hypervisor the target is, as viewer/model/profile.c: our image, or a Xen."""

from __future__ import annotations

from collections.abc import Sequence

from hvscope.beacon import Beacon, ReadPhys, beacon_read
from hvscope.error import HvError, Unreadable
from hvscope.pte import Bank

NAMES = ("auto", "hv", "xen", "el2")
CHOSEN = ["auto"]  # by hv-profile


def xen_read(read: ReadPhys, banks: Sequence[Bank], symbols: str | None) -> Beacon:
    """A Xen, by the file of its symbols; in the words of a beacon."""
    from hvscope import elf, xen
    if symbols is None:
        raise HvError("for a Xen its symbols are needed: load xen-syms with `file`")
    return xen.Xen(read, banks, elf.elf_read(symbols))  # type: ignore[return-value]


def machine_find(read: ReadPhys, base: int, banks: Sequence[Bank], symbols: str | None) -> Beacon:
    """What is chosen, else the first that is found; of no kind: what the first says of it, or a
    Xen whose symbols are loaded. base: of the RAM that holds our image."""
    chosen = CHOSEN[0]
    if chosen == "el2":
        raise HvError("profile el2 knows tables only (hv-profile auto)")
    if chosen == "xen":
        return xen_read(read, banks, symbols)
    try:
        return beacon_read(read, base)
    except (HvError, Unreadable):
        if chosen == "hv" or not is_xen(symbols):
            raise
    return xen_read(read, banks, symbols)


def is_xen(symbols: str | None) -> bool:
    """Are these the symbols of a Xen? (Our image has the same, and trace points.)"""
    from hvscope import elf
    try:
        names = elf.elf_read(symbols).symbols if symbols else {}
    except HvError:
        return False
    return "cpu_online_map" in names and "mapcache_hit" not in names
