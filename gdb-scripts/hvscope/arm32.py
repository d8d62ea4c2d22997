# SPDX-License-Identifier: GPL-2.0-or-later
"""Registers of an arm32 CPU under the names, and in the form, that they have on arm64.

QEMU's stub has some of EL2 under their AArch64 names already. HTCR and VTCR count T0SZ
from 32 bits (in VTCR it has a sign, bit 4), and output addresses have 40 bits.
"""

from __future__ import annotations

from collections.abc import Callable

NAMES = {"TTBR0_EL2": "HTTBR", "HCR_EL2": "HCR", "VTTBR_EL2": "VTTBR", "VTCR_EL2": "VTCR",
         "SCTLR_EL1": "SCTLR", "x0": "r0", "x30": "lr", "sp": "sp"}
KEPT = 0x3FC0  # SL0, IRGN0, ORGN0, SH0
PS_40 = 2 << 16


def tcr(value: int, stage2: bool) -> int:
    """TCR_EL2 of HTCR, VTCR_EL2 of VTCR."""
    size = (value & 0xF) - (value & 0x10) if stage2 else value & 7
    return value & KEPT | 32 + size | PS_40


def register(name: str, raw: Callable[[str], int | None]) -> int | None:
    """A register; raw: as the stub has it."""
    value = raw(NAMES.get(name, name))
    if value is None:
        return None
    if name == "MAIR_EL2":
        return value | (raw("HMAIR1") or 0) << 32
    return tcr(value, name[0] == "V") if name in ("TCR_EL2", "VTCR_EL2") else value
