# SPDX-License-Identifier: GPL-2.0-or-later
"""A stage 1 walk of the EL2 regime, E2H = 0, with the geometry that TCR_EL2 asks for.

By the Arm ARM, D8.2 "Address translation" and D8.3 "Translation table descriptor
formats". What this module does not understand is a sentence, not a guess.
"""

from __future__ import annotations

from typing import Any

from hvscope.beacon import ReadPhys
from hvscope.error import HvError
from hvscope.pte import (PTE_AF, PTE_ATTR_SHIFT, PTE_DBM, PTE_RO, PTE_RO_TABLE, PTE_SH_NAMES,
                         PTE_SH_SHIFT, PTE_TABLE, PTE_VALID, PTE_XN, PTE_XN_TABLE, pte_flag_names,
                         pte_refs)

SCHEMA = "hvscope.walk/1"
LEVEL_LAST = 3
VA_BITS = 64
HCR_E2H = 1 << 34
SCTLR_WXN = 1 << 19
SCTLR_EE = 1 << 25
TCR_TBI = 1 << 20
TCR_HA = 1 << 21
TCR_HD = 1 << 22
TCR_HPD = 1 << 24
TCR_DS = 1 << 32
TCR2_UNKNOWN = 0x3E  # PIE, E0POE, POE, AIE, D128: they change what an entry means
PA_BITS = (32, 36, 40, 42, 44, 48, 52)

INVALID = "invalid entry"
RESERVED = "reserved entry"
ADDRESS_SIZE = "address size"
ACCESS_FLAG = "access flag"
VA_RANGE = "address out of range"
OUTSIDE_RAM = "table outside RAM"

Object = dict[str, Any]


def bits(value: int, high: int, low: int) -> int:
    """value[high:low]."""
    return value >> low & (1 << high - low + 1) - 1


class Granule:
    """What the page size decides. block_levels: with 48-bit, and with 52-bit addresses."""

    def __init__(self, name: str, shift: int, min_tsz: int, max_tsz: int,
                 block_levels: tuple[set[int], set[int]]) -> None:
        self.name = name
        self.shift = shift
        self.stride = shift - 3
        self.min_tsz = min_tsz  # with 52-bit addresses (for 64K always)
        self.max_tsz = max_tsz
        self.block_levels = block_levels


GRANULES = {
    0: Granule("4K", 12, 12, 48, ({1, 2}, {0, 1, 2})),
    1: Granule("64K", 16, 12, 47, ({2}, {1, 2})),
    2: Granule("16K", 14, 12, 48, ({2}, {1, 2})),
}


def require_understood(tcr: int, hcr: int, sctlr: int, tcr2: int) -> None:
    """HvError for what would change the meaning of tables in a way that is not known here."""
    if hcr & HCR_E2H:
        raise HvError("HCR_EL2.E2H is 1: EL2 runs as a VHE host, a regime that is not "
                      "understood here")
    if sctlr & SCTLR_EE:
        raise HvError("SCTLR_EL2.EE is 1: big-endian tables are not understood here")
    if tcr2 & TCR2_UNKNOWN:
        raise HvError(f"TCR2_EL2 is {tcr2:#x}: indirect permissions and 128-bit entries are "
                      "not understood here")
    if bits(tcr, 15, 14) not in GRANULES:
        raise HvError("TCR_EL2.TG0 is 3, a reserved granule")


class Regime:
    """How EL2 translates: geometry and options, decoded from the control registers."""

    def __init__(self, tcr: int, mair: int, hcr: int = 0, sctlr: int = 0, tcr2: int = 0,
                 pa_bits: int = 52) -> None:
        require_understood(tcr, hcr, sctlr, tcr2)
        self.granule = GRANULES[bits(tcr, 15, 14)]
        self.mair, self.tcr = mair, tcr
        self.wxn = bool(sctlr & SCTLR_WXN)
        self.lpa2 = bool(tcr & TCR_DS) and self.granule.shift != 16
        self.lpa = self.granule.shift == 16 and pa_bits >= 52
        self.out_bits = self.output_bits(pa_bits)
        self.in_bits = VA_BITS - self.input_tsz()
        self.start_level = LEVEL_LAST + 1 - -(-(self.in_bits - self.granule.shift)
                                              // self.granule.stride)

    def input_tsz(self) -> int:
        """T0SZ, if this granule may have it."""
        tsz = bits(self.tcr, 5, 0)
        low = self.granule.min_tsz if self.lpa2 or self.granule.shift == 16 else 16
        if not low <= tsz <= self.granule.max_tsz:
            raise HvError(f"TCR_EL2.T0SZ is {tsz}: not from {low} to {self.granule.max_tsz} for "
                          f"{self.granule.name} pages")
        return tsz

    def output_bits(self, pa_bits: int) -> int:
        """Size of output addresses: PS, and what CPU and granule can have."""
        ps = bits(self.tcr, 18, 16)
        if ps >= len(PA_BITS):
            raise HvError("TCR_EL2.PS is 7, a reserved size")
        limit = pa_bits if self.lpa2 or self.lpa else min(pa_bits, 48)
        return min(PA_BITS[ps], limit)

    def shift(self, level: int) -> int:
        """log2 of what one entry of this level maps."""
        return self.granule.shift + self.granule.stride * (LEVEL_LAST - level)

    def index_bits(self, level: int) -> int:
        """Bits of the address that index a table of this level; the first may be short."""
        return min(self.granule.stride, self.in_bits - self.shift(level))

    def input_va(self, va: int) -> int | None:
        """The bits that are translated; None if the address is out of range."""
        if self.tcr & TCR_TBI:
            va &= (1 << 56) - 1
        return None if va >> self.in_bits else va

    def output_pa(self, pte: int, low: int) -> int:
        """Output address of an entry from bit `low` up."""
        top = 49 if self.lpa2 else 47
        pa = bits(pte, top, low) << low
        if self.lpa2:
            pa |= bits(pte, 9, 8) << 50
        if self.lpa:
            pa |= bits(pte, 15, 12) << 48
        return pa

    def kind(self, pte: int, level: int) -> str:
        """What an entry of this level is: table, block, page, invalid or reserved."""
        if not pte & PTE_VALID:
            return "invalid"
        if level == LEVEL_LAST:
            return "page" if pte & PTE_TABLE else "reserved"
        if pte & PTE_TABLE:
            return "table"
        big = self.lpa2 or self.lpa
        return "block" if level in self.granule.block_levels[big] else "reserved"


def check_root(regime: Regime, root: int) -> None:
    """The first table may be smaller than a page, and is aligned to its size."""
    size = max(64 if regime.out_bits == 52 else 16, 8 << regime.index_bits(regime.start_level))
    if root % size:
        raise HvError(f"the root {root:#x} is not aligned to the {size:#x} bytes of its table")


def ttbr_root(regime: Regime, ttbr: int) -> int:
    """PA of the first table that a TTBR0_EL2 value names."""
    if regime.out_bits == 52:
        return bits(ttbr, 47, 6) << 6 | bits(ttbr, 5, 2) << 48
    return bits(ttbr, 47, 1) << 1


def walk(read_entry: ReadPhys, regime: Regime, root: int, va: int) -> Object:
    """Walks va; {"steps", "result", "fault"} as in hvscope.walk/1.

    read_entry(pa, 8) gives an entry's bytes and raises LookupError outside RAM.
    """
    check_root(regime, root)
    offset = regime.input_va(va)
    if offset is None:
        return ended([], 0, VA_RANGE)
    if root >> regime.out_bits:
        return ended([], 0, ADDRESS_SIZE)
    steps: list[Object] = []
    tables: list[int] = []
    table = root
    for level in range(regime.start_level, LEVEL_LAST + 1):
        try:
            steps.append(walk_step(read_entry, regime, level, table, offset))
        except LookupError:
            return ended(steps, level, OUTSIDE_RAM)
        pte = int(steps[-1]["pte"], 0)
        if steps[-1]["kind"] != "table":
            break
        tables.append(pte)
        table = regime.output_pa(pte, regime.granule.shift)
        if table >> regime.out_bits:
            return ended(steps, level, ADDRESS_SIZE)
    return walk_leaf(regime, steps, tables, pte, offset)


def walk_step(read_entry: ReadPhys, regime: Regime, level: int, table: int, offset: int) -> Object:
    """Reads the entry of one table."""
    index = offset >> regime.shift(level) & (1 << regime.index_bits(level)) - 1
    pte = int.from_bytes(read_entry(table + index * 8, 8), "little")
    return {"level": level, "table": hex(table), "index": index, "pte": hex(pte),
            "kind": regime.kind(pte, level)}


def ended(steps: list[Object], level: int, reason: str) -> Object:
    """A walk that faults."""
    return {"steps": steps, "result": None, "fault": {"level": level, "reason": reason}}


def walk_leaf(regime: Regime, steps: list[Object], tables: list[int], pte: int,
              offset: int) -> Object:
    """The last entry of a walk: the result, or the fault that it makes."""
    level, kind = steps[-1]["level"], steps[-1]["kind"]
    if kind in ("invalid", "reserved"):
        return ended(steps, level, INVALID if kind == "invalid" else RESERVED)
    shift = regime.shift(level)
    base = regime.output_pa(pte, shift)
    if base >> regime.out_bits:
        return ended(steps, level, ADDRESS_SIZE)
    if not pte & PTE_AF and not regime.tcr & TCR_HA:
        return ended(steps, level, ACCESS_FLAG)
    share = bits(regime.tcr, 13, 12) if regime.lpa2 else pte >> PTE_SH_SHIFT & 3
    result = {
        "pa": hex(base | offset & (1 << shift) - 1),
        "size": hex(1 << shift),
        "perm": permissions(regime, tables, pte),
        "perm_el0": None,
        "type": memory_type(regime.mair, pte >> PTE_ATTR_SHIFT & 7),
        "share": PTE_SH_NAMES[share],
        "software": hex(pte_refs(pte)),
    }
    return {"steps": steps, "result": result, "fault": None}


def permissions(regime: Regime, tables: list[int], pte: int) -> str:
    """rwx of EL2: the leaf's bits, what the tables above take away, and WXN."""
    above = 0
    if not regime.tcr & TCR_HPD:
        for entry in tables:
            above |= entry
    dirty = regime.tcr & TCR_HA and regime.tcr & TCR_HD and pte & PTE_DBM
    write = not above & PTE_RO_TABLE and (not pte & PTE_RO or bool(dirty))
    execute = not above & PTE_XN_TABLE and not pte & PTE_XN and not (regime.wxn and write)
    return "r" + ("w" if write else "-") + ("x" if execute else "-")


DEVICES = {0x00: "nGnRnE", 0x04: "nGnRE", 0x08: "nGRE", 0x0C: "GRE"}
NORMAL_NXS = {0x40: "normal-nc-nxs", 0xA0: "normal-wt-nxs", 0xF0: "normal-wb-tagged"}


def cache_policy(nibble: int) -> str:
    """One half of a MAIR byte of Normal memory; allocation hints are left out."""
    if nibble == 4:
        return "nc"
    transient = "" if nibble & 8 else "-transient"
    return ("wb" if nibble & 4 else "wt") + transient


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
    inside, outside = cache_policy(inner), cache_policy(outer)
    return f"normal-{inside}" if inside == outside else f"normal-inner-{inside}-outer-{outside}"


def walk_json(answer: Object, cpu: int | None, root: int, va: int) -> str:
    """The walk on one line: hvscope.walk/1."""
    import json
    return json.dumps({"schema": SCHEMA, "regime": "el2", "cpu": cpu, "root": hex(root),
                       "va": hex(va), **answer}, separators=(",", ":"))


def size_text(size: int) -> str:
    """2 MiB, 4 KiB, ..."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size} {unit}"
        size >>= 10
    return f"{size} TiB"


def step_text(regime: Regime, step: Object) -> list[str]:
    """The lines of one step: where the entry leads, and its bits by name."""
    level, pte, kind = step["level"], int(step["pte"], 0), step["kind"]
    name = f"L{level}[{step['index']}]"
    where = {"invalid": "nothing: invalid entry", "reserved": "nothing: a reserved encoding"}
    if kind == "table":
        text = f"table at {regime.output_pa(pte, regime.granule.shift):#x}"
    else:
        shift = regime.shift(level)
        text = where.get(kind) or (f"{kind} at {regime.output_pa(pte, shift):#x}, "
                                   f"{size_text(1 << shift)}")
    lines = [f"  {name:<9}{pte:<#20x}-> {text}"]
    names = pte_flag_names(pte, kind != "table") if pte & PTE_VALID else []
    return lines + ([" " * 11 + " ".join(names)] if names else [])


def walk_text(regime: Regime, answer: Object, cpu: int | None, root: int, va: int) -> str:
    """The walk for people, 80 columns wide."""
    who = "" if cpu is None else f" CPU{cpu}"
    lines = [f"{va:#x} at EL2,{who} root {root:#x}, {regime.granule.name} pages, "
             f"{regime.in_bits}-bit addresses"]
    for step in answer["steps"]:
        lines += step_text(regime, step)
    result, fault = answer["result"], answer["fault"]
    if fault:
        lines.append(f"  faults at level {fault['level']}: {fault['reason']}")
    else:
        lines.append(f"  = {result['pa']}  {result['perm']}  {result['type']}  "
                     f"{share_text(result['share'])}  software {result['software']}")
    return "\n".join(lines)


def share_text(share: str) -> str:
    """Shareability in words."""
    return "not shareable" if share == "none" else f"{share} shareable"
