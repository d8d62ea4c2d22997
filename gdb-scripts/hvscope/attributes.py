# SPDX-License-Identifier: GPL-2.0-or-later
"""What a leaf says of its memory: rights, type, shareability; for each regime."""

from __future__ import annotations

from hvscope.pte import (PTE_AP1, PTE_ATTR_SHIFT, PTE_DBM, PTE_PXN, PTE_RO, PTE_RO_TABLE,
                         PTE_SH_NAMES, PTE_SH_SHIFT, PTE_XN, PTE_XN_TABLE, pte_flag_names, pte_refs)
from hvscope.regime import Regime

PTE_PXN_TABLE = 1 << 59
PTE_USER_TABLE = 1 << 61  # APTable[0]: nothing for EL0 below
S2_READ, S2_WRITE = 1 << 6, 1 << 7
DEVICES = {0x00: "nGnRnE", 0x04: "nGnRE", 0x08: "nGRE", 0x0C: "GRE"}
NORMAL_NXS = {0x40: "normal-nc-nxs", 0xA0: "normal-wt-nxs", 0xF0: "normal-wb-tagged"}
S2_POLICY = {1: "nc", 2: "wt", 3: "wb"}
S2_FWB = {5: "normal-nc", 6: "normal-wb", 7: "stage-1"}

# perm, perm_el0, type, share, software: as in the JSON.
Attributes = tuple[str, "str | None", str, str, str]


def rights(read: object, write: object, execute: object) -> str:
    """rwx."""
    return ("r" if read else "-") + ("w" if write else "-") + ("x" if execute else "-")


def leaf_attributes(regime: Regime, above: int, pte: int) -> Attributes:
    """Of a block or page; above: all table entries on the way to it, ORed."""
    perm, perm_el0 = permissions(regime, above, pte)
    if regime.stage2:
        kind = stage2_type(pte >> PTE_ATTR_SHIFT & 15, regime.fwb)
    else:
        kind = memory_type(regime.mair, pte >> PTE_ATTR_SHIFT & 7)
    share = regime.flag("sh") if regime.lpa2 else pte >> PTE_SH_SHIFT & 3
    return perm, perm_el0, kind, PTE_SH_NAMES[share], hex(pte_refs(pte))


def permissions(regime: Regime, above: int, pte: int) -> tuple[str, str | None]:
    """Rights at the regime's own level, and at EL0 where that has rights of its own."""
    if regime.flag("hpd") or regime.stage2:
        above = 0
    dirty = bool(regime.dirty_managed and pte & PTE_DBM)
    if regime.stage2:
        return stage2_permissions(regime, pte, dirty)
    write = not above & PTE_RO_TABLE and (not pte & PTE_RO or dirty)
    if not regime.two_levels:
        execute = not above & PTE_XN_TABLE and not pte & PTE_XN and not (regime.wxn and write)
        return rights(True, write, execute), None
    return two_level_permissions(regime, above, pte, write)


def two_level_permissions(regime: Regime, above: int, pte: int, write: bool) -> tuple[str, str]:
    """AP[1] lets EL0 in; what EL0 may write is not executed above it."""
    user = bool(pte & PTE_AP1) and not above & PTE_USER_TABLE
    user_write = user and write
    execute = not above & PTE_PXN_TABLE and not pte & PTE_PXN and not user_write
    user_execute = not above & PTE_XN_TABLE and not pte & PTE_XN
    if regime.wxn:
        execute, user_execute = execute and not write, user_execute and not user_write
    el0 = "---" if regime.flag("e0pd") else rights(user, user_write, user_execute)
    return rights(True, write, execute), el0


def stage2_permissions(regime: Regime, pte: int, dirty: bool) -> tuple[str, str]:
    """S2AP, and XN[1:0] of FEAT_XNX, which tells EL1 from EL0."""
    read, write = pte & S2_READ, pte & S2_WRITE or dirty
    never, differs = pte & PTE_XN, regime.xnx and pte & PTE_PXN
    return (rights(read, write, bool(never) == bool(differs)), rights(read, write, not never))


def cache_policy(nibble: int) -> str:
    """One half of a MAIR byte of Normal memory; allocation hints are left out."""
    if nibble == 4:
        return "nc"
    transient = "" if nibble & 8 else "-transient"
    return ("wb" if nibble & 4 else "wt") + transient


def both_policies(inside: str, outside: str) -> str:
    """Inner and outer, once if they are the same."""
    return f"normal-{inside}" if inside == outside else f"normal-inner-{inside}-outer-{outside}"


def memory_type(mair: int, index: int) -> str:
    """The memory type that AttrIndx selects."""
    attr = mair >> 8 * index & 0xFF
    if attr & 0xFE in DEVICES:
        return "device-" + DEVICES[attr & 0xFE] + ("-nxs" if attr & 1 else "")
    if attr in NORMAL_NXS:
        return NORMAL_NXS[attr]
    outer, inner = attr >> 4, attr & 15
    if not outer or not inner:
        return f"reserved-{attr:#04x}"
    return both_policies(cache_policy(inner), cache_policy(outer))


def stage2_type(attr: int, fwb: bool) -> str:
    """The memory type of MemAttr[3:0]; with FEAT_S2FWB it may say: as stage 1 says."""
    outer, inner = attr >> 2, attr & 3
    if outer == 0:
        return "device-" + DEVICES[inner << 2]
    if fwb:
        return S2_FWB.get(attr, f"reserved-{attr:#x}")
    if inner == 0:
        return f"reserved-{attr:#x}"
    return both_policies(S2_POLICY[inner], S2_POLICY[outer])


def both_rights(one: str | None, other: str | None) -> str | None:
    """What both stages allow."""
    if one is None or other is None:
        return None
    return "".join(a if a == b else "-" for a, b in zip(one, other))


def both_types(stage1: str, stage2: str) -> str:
    """What two stages make of it: the stricter device type, or the weaker caching."""
    if stage2 in ("normal-wb", "stage-1") or stage1 == stage2:
        return stage1
    if stage1 == "normal-wb":
        return stage2
    order = [f"device-{name}" for name in DEVICES.values()]
    devices = [kind for kind in (stage1, stage2) if kind.startswith("device-")]
    if devices:
        return min(devices, key=lambda kind: order.index(kind) if kind in order else 0)
    return "normal-nc" if "normal-nc" in (stage1, stage2) else f"{stage1}+{stage2}"


EL0_NAMES = {"ap1": "el0", "xn": "uxn", "xntable": "uxntable"}
STAGE2_NAMES = {"ap1": "r", "ro": "w", "ng": "bit11", "pxn": "xn0", "xn": "xn1"}


def flag_names(regime: Regime, pte: int, leaf: bool) -> list[str]:
    """Short names of the bits that are set in a valid entry, as the regime reads them."""
    names = pte_flag_names(pte, leaf)
    if regime.stage2:
        names = [STAGE2_NAMES.get(name, name) for name in names if name != "ns"]
        return [f"memattr{pte >> PTE_ATTR_SHIFT & 15:#x}", *names[1:]] if leaf else []
    if regime.two_levels:
        names = [EL0_NAMES.get(name, name) for name in names]
        if not leaf:
            names += [name for bit, name in ((PTE_PXN_TABLE, "pxntable"),
                                             (PTE_USER_TABLE, "noel0table")) if pte & bit]
    return names
