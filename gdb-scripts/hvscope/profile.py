# SPDX-License-Identifier: GPL-2.0-or-later
"""What kind of hypervisor the target is, as viewer/model/profile.c: our image, or a Xen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from hvscope.beacon import Beacon, ReadPhys, beacon_read
from hvscope.error import HvError, Unreadable
from hvscope.pte import Bank


class Target(NamedTuple):
    """What a machine is read from. base: of the RAM that holds our image."""

    read: ReadPhys
    base: int
    banks: Sequence[Bank]
    symbols: str | None


def hv_read(target: Target) -> Beacon:
    """Our image."""
    return beacon_read(target.read, target.base)


def xen_read(target: Target) -> Beacon:
    """A Xen, by the file of its symbols; in the words of a beacon."""
    from hvscope import elf, xen
    if target.symbols is None:
        raise HvError("for a Xen its symbols are needed: load xen-syms with `file`")
    machine = xen.Xen(target.read, target.banks, elf.elf_read(target.symbols))
    return machine  # type: ignore[return-value]


def is_xen(target: Target) -> bool:
    """Are these the symbols of a Xen? (Our image has the same, and trace points.)"""
    from hvscope import elf
    try:
        names = elf.elf_read(target.symbols).symbols if target.symbols else {}
    except HvError:
        return False
    return "cpu_online_map" in names and "mapcache_hit" not in names


def el2_read(target: Target) -> Beacon:
    """Any other: pt-dump, pt-walk and hv-cpus go by its registers, without this."""
    raise HvError("profile el2 knows tables only (hv-profile auto)")


class Profile(NamedTuple):
    """A kind: its machine, in the words of a beacon; and is it this kind, by the symbols alone?"""

    read: Callable[[Target], Beacon]
    is_known: Callable[[Target], bool]


PROFILES = {
    "hv": Profile(hv_read, lambda _: False),
    "xen": Profile(xen_read, is_xen),
    "el2": Profile(el2_read, lambda _: False),
}
NAMES = ("auto", *PROFILES)
CHOSEN = ["auto"]  # by hv-profile


def machine_find(target: Target) -> Beacon:
    """What is chosen, else our image, else the kind whose symbols are loaded; of no kind: what is
    said of our image."""
    if CHOSEN[0] != "auto":
        return PROFILES[CHOSEN[0]].read(target)
    try:
        return hv_read(target)
    except (HvError, Unreadable):
        known = [profile for profile in PROFILES.values() if profile.is_known(target)]
        if not known:
            raise
    return known[0].read(target)
