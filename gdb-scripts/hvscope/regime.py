# SPDX-License-Identifier: GPL-2.0-or-later
"""Translation regimes: their geometry and options, decoded from control registers only.

By the Arm ARM, D8.2 "Address translation": EL2 with one range of addresses, EL2 with
E2H = 1, EL1, and stage 2. What is not understood is a sentence, not a guess.
"""

from __future__ import annotations

from collections.abc import Callable

from hvscope.error import EXIT_USAGE, HvError
from hvscope.pte import PTE_TABLE, PTE_VALID

LEVEL_LAST = 3
VA_BITS = 64
HCR_VM = 1 << 0
HCR_E2H = 1 << 34
HCR_NV1 = 1 << 43
HCR_FWB = 1 << 46
SCTLR_M = 1 << 0
SCTLR_WXN = 1 << 19
SCTLR_EE = 1 << 25
TCR2_UNKNOWN = 0x3E  # PIE, E0POE, POE, AIE, D128: they change what an entry means
VTCR_UNKNOWN = 7 << 36  # S2PIE, S2POE, D128
PA_BITS = (32, 36, 40, 42, 44, 48, 52)
MMFR1_XNX_SHIFT = 28
CONCATENATED_BITS = 4  # stage 2 may begin with up to 16 tables side by side
REGIMES = ("el2", "el2-e2h", "el1", "s2")

Fields = dict[str, tuple[int, int]]
Registers = Callable[[str], "int | None"]


def bits(value: int, high: int, low: int) -> int:
    """value[high:low]."""
    return value >> low & (1 << high - low + 1) - 1


class Granule:
    """What the page size decides. block_levels: with 48-bit, and with 52-bit addresses."""

    def __init__(self, name: str, shift: int, max_tsz: int,
                 block_levels: tuple[set[int], set[int]]) -> None:
        self.name = name
        self.shift = shift
        self.stride = shift - 3
        self.max_tsz = max_tsz
        self.block_levels = block_levels


FOUR = Granule("4K", 12, 48, ({1, 2}, {0, 1, 2}))
SIXTEEN = Granule("16K", 14, 48, ({2}, {1, 2}))
SIXTY_FOUR = Granule("64K", 16, 47, ({2}, {1, 2}))
TG0 = {0: FOUR, 1: SIXTY_FOUR, 2: SIXTEEN}
TG1 = {1: SIXTEEN, 2: FOUR, 3: SIXTY_FOUR}
MIN_TSZ, MIN_TSZ_52 = 16, 12

ONE_RANGE: Fields = {"tsz": (5, 0), "sh": (13, 12), "tg": (15, 14), "ps": (18, 16),
                     "tbi": (20, 20), "ha": (21, 21), "hd": (22, 22), "hpd": (24, 24),
                     "ds": (32, 32)}
TWO_RANGES: Fields = {"ps": (34, 32), "ha": (39, 39), "hd": (40, 40), "ds": (59, 59)}
LOW: Fields = {**TWO_RANGES, "tsz": (5, 0), "epd": (7, 7), "sh": (13, 12), "tg": (15, 14),
               "tbi": (37, 37), "hpd": (41, 41), "e0pd": (55, 55)}
HIGH: Fields = {**TWO_RANGES, "tsz": (21, 16), "epd": (23, 23), "sh": (29, 28), "tg": (31, 30),
                "tbi": (38, 38), "hpd": (42, 42), "e0pd": (56, 56)}
STAGE_2: Fields = {"tsz": (5, 0), "sl0": (7, 6), "sh": (13, 12), "tg": (15, 14), "ps": (18, 16),
                   "ha": (21, 21), "hd": (22, 22), "ds": (32, 32), "sl2": (33, 33)}


class Regime:
    """How one range of addresses is translated. name: el2, el2-e2h, el1 or s2."""

    def __init__(self, name: str, fields: Fields, tcr: int, tcr_name: str, pa_bits: int) -> None:
        self.name, self.tcr_name = name, tcr_name
        self.high = fields is HIGH
        self.stage2 = name == "s2"
        self.two_levels = name in ("el1", "el2-e2h")  # EL0 has rights of its own
        self.value = {key: bits(tcr, *place) for key, place in fields.items()}
        if self.flag("epd"):  # nothing is walked: size and granule mean nothing
            self.value.update(tg=2 if self.high else 0, tsz=MIN_TSZ)
        self.granule = self.decode_granule()
        self.lpa2 = bool(self.value["ds"]) and self.granule is not SIXTY_FOUR
        self.lpa = self.granule is SIXTY_FOUR and pa_bits >= 52
        self.out_bits = self.decode_output(pa_bits)
        self.in_bits = VA_BITS - self.decode_tsz()
        self.start_level = self.decode_start(pa_bits)
        self.af_managed = bool(self.flag("ha"))
        self.dirty_managed = self.af_managed and bool(self.flag("hd"))
        self.mair = 0
        self.wxn = False
        self.fwb = False  # stage 2: MemAttr has the meaning of FEAT_S2FWB
        self.xnx = True  # stage 2: bit 53 has a meaning

    def flag(self, name: str) -> int:
        """A field's value; 0 if these registers have none such."""
        return self.value.get(name, 0)

    def decode_granule(self) -> Granule:
        """TG0 or TG1, which count differently."""
        granule = (TG1 if self.high else TG0).get(self.value["tg"])
        if granule is None:
            raise HvError(f"{self.tcr_name}.TG{int(self.high)} is {self.value['tg']}, a reserved "
                          "granule")
        return granule

    def decode_tsz(self) -> int:
        """T0SZ or T1SZ, if this granule may have it."""
        tsz = self.value["tsz"]
        low = MIN_TSZ_52 if self.lpa2 or self.granule is SIXTY_FOUR else MIN_TSZ
        if not low <= tsz <= self.granule.max_tsz:
            raise HvError(f"{self.tcr_name}.T{int(self.high)}SZ is {tsz}: not from {low} to "
                          f"{self.granule.max_tsz} for {self.granule.name} pages")
        return tsz

    def decode_output(self, pa_bits: int) -> int:
        """Size of output addresses: PS or IPS, and what CPU and granule can have."""
        ps = self.value["ps"]
        if ps >= len(PA_BITS):
            raise HvError(f"{self.tcr_name}.{'IPS' if self.two_levels else 'PS'} is 7, a reserved "
                          "size")
        return min(PA_BITS[ps], pa_bits if self.lpa2 or self.lpa else min(pa_bits, 48))

    def decode_start(self, pa_bits: int) -> int:
        """Level of the first table: what the size needs, or what VTCR_EL2.SL0 says."""
        if self.stage2:
            return self.decode_sl0(pa_bits)
        return LEVEL_LAST + 1 - -(-(self.in_bits - self.granule.shift) // self.granule.stride)

    def decode_sl0(self, pa_bits: int) -> int:
        """Stage 2: the first level, and whether size and concatenation fit it."""
        sl0, four = self.value["sl0"], self.granule is FOUR
        level = {0: 2, 1: 1, 2: 0, 3: 3}[sl0] if four else LEVEL_LAST - sl0
        if four and self.lpa2 and self.value["sl2"]:
            level = -1 if sl0 == 0 else 4
        entries = self.in_bits - self.shift(level)
        small = {(FOUR, 0): 42, (SIXTEEN, 1): 40, (SIXTY_FOUR, 1): 42}.get(
            (self.granule, level), 0)
        if level > LEVEL_LAST or level == 0 and not four and not self.lpa2 or pa_bits <= small:
            raise HvError(f"VTCR_EL2.SL0 is {sl0}: no level where this CPU can begin with "
                          f"{self.granule.name} pages")
        if not 1 <= entries <= self.granule.stride + CONCATENATED_BITS:
            raise HvError(f"VTCR_EL2 begins at level {level} with addresses of {self.in_bits} "
                          "bits: they do not fit each other")
        if self.in_bits > pa_bits:
            raise HvError(f"VTCR_EL2.T0SZ asks for {self.in_bits}-bit addresses; this CPU has "
                          f"{pa_bits} bits")
        return level

    def shift(self, level: int) -> int:
        """log2 of what one entry of this level maps."""
        return self.granule.shift + self.granule.stride * (LEVEL_LAST - level)

    def index_bits(self, level: int) -> int:
        """Bits of the address that index a table of this level.

        The first may be short; at stage 2 it may be several tables side by side.
        """
        if level == self.start_level:
            return self.in_bits - self.shift(level)
        return self.granule.stride

    def base(self) -> int:
        """The lowest address of the range."""
        return (1 << VA_BITS) - (1 << self.in_bits) if self.high else 0

    def input_va(self, va: int) -> int | None:
        """The bits that are translated; None if the address is out of range."""
        if self.flag("tbi"):
            va = va & (1 << 56) - 1 | (0xFF << 56 if self.high else 0)
        offset = va - self.base()
        return None if offset < 0 or offset >> self.in_bits else offset

    def output_pa(self, pte: int, low: int) -> int:
        """Output address of an entry from bit `low` up."""
        pa = bits(pte, 49 if self.lpa2 else 47, low) << low
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

    def root_size(self) -> int:
        """Bytes of the first table, which is aligned to them."""
        least = 64 if self.out_bits == 52 else 16
        return max(least, 8 << self.index_bits(self.start_level))

    def root(self, ttbr: int) -> int:
        """PA of the first table that a TTBR or VTTBR value names."""
        if self.out_bits == 52:
            return bits(ttbr, 47, 6) << 6 | bits(ttbr, 5, 2) << 48
        return bits(ttbr, 47, 1) << 1


def require(registers: Registers, name: str) -> int:
    """A register without which there is no such regime."""
    value = registers(name)
    if value is None:
        raise HvError(f"QEMU's gdb stub shows no register {name} of this CPU")
    return value


def pa_bits(registers: Registers) -> int:
    """Size of physical addresses of the CPU."""
    parange = registers("ID_AA64MMFR0_EL1")
    return PA_BITS[min((5 if parange is None else parange) & 15, 6)]


def require_understood(el: str, sctlr: int, tcr2: int) -> None:
    """HvError for what would change the meaning of tables in a way that is not known here."""
    if sctlr & SCTLR_EE:
        raise HvError(f"SCTLR_{el}.EE is 1: big-endian tables are not understood here")
    if tcr2 & TCR2_UNKNOWN:
        raise HvError(f"TCR2_{el} is {tcr2:#x}: indirect permissions and 128-bit entries are "
                      "not understood here")


def regime_stage1(name: str, fields: Fields, el: str, registers: Registers) -> Regime:
    """A stage 1 regime whose registers end in `el`."""
    sctlr = registers(f"SCTLR_{el}") or 0
    require_understood(el, sctlr, registers(f"TCR2_{el}") or 0)
    regime = Regime(name, fields, require(registers, f"TCR_{el}"), f"TCR_{el}",
                    pa_bits(registers))
    regime.mair = require(registers, f"MAIR_{el}")
    regime.wxn = bool(sctlr & SCTLR_WXN)
    return regime


def regime_el2(registers: Registers) -> Regime:
    """EL2, E2H = 0."""
    if (registers("HCR_EL2") or 0) & HCR_E2H:
        raise HvError("HCR_EL2.E2H is 1: EL2 is a VHE host; --regime el2-e2h")
    return regime_stage1("el2", ONE_RANGE, "EL2", registers)


def regime_two(name: str, high: bool, registers: Registers) -> Regime:
    """One half of EL1, or of EL2 with E2H = 1."""
    hcr = registers("HCR_EL2") or 0
    if name == "el2-e2h" and not hcr & HCR_E2H:
        raise HvError("HCR_EL2.E2H is 0: EL2 has one range of addresses; --regime el2")
    if name == "el1" and hcr & HCR_NV1:
        raise HvError("HCR_EL2.NV1 is 1: nested virtualization's tables are not understood here")
    fields = HIGH if high else LOW
    return regime_stage1(name, fields, "EL1" if name == "el1" else "EL2", registers)


def regime_s2(registers: Registers) -> Regime:
    """Stage 2 of a guest."""
    vtcr = require(registers, "VTCR_EL2")
    require_understood("EL2", registers("SCTLR_EL2") or 0, 0)
    if vtcr & VTCR_UNKNOWN:
        raise HvError(f"VTCR_EL2 is {vtcr:#x}: indirect permissions and 128-bit entries are not "
                      "understood here")
    regime = Regime("s2", STAGE_2, vtcr, "VTCR_EL2", pa_bits(registers))
    regime.fwb = bool((registers("HCR_EL2") or 0) & HCR_FWB)
    regime.xnx = bool((registers("ID_AA64MMFR1_EL1") or 0) >> MMFR1_XNX_SHIFT & 15)
    return regime


def regime_of(name: str, high: bool, registers: Registers) -> tuple[Regime, int]:
    """A regime by its name, and the root that its register names; high: the TTBR1 half."""
    if name == "el2":
        regime, ttbr = regime_el2(registers), "TTBR0_EL2"
    elif name == "s2":
        regime, ttbr = regime_s2(registers), "VTTBR_EL2"
    elif name in REGIMES:
        regime = regime_two(name, high, registers)
        ttbr = f"TTBR{int(high)}_{'EL1' if name == 'el1' else 'EL2'}"
    else:
        raise HvError(f"{name} is no regime; there are {', '.join(REGIMES)}", EXIT_USAGE)
    return regime, regime.root(require(registers, ttbr))


def is_high(name: str, va: int) -> bool:
    """Does TTBR1 translate this address?"""
    return name in ("el1", "el2-e2h") and bool(va >> 55 & 1)


def halves(name: str) -> tuple[bool, ...]:
    """The values of `high` that a regime has."""
    return (False, True) if name in ("el1", "el2-e2h") else (False,)


def off_words(name: str, registers: Registers) -> str | None:
    """Why this CPU does not translate in a regime now; None if it does."""
    def value(register: str) -> int:
        return registers(register) or 0

    if name == "el1" and not value("SCTLR_EL1") & SCTLR_M:
        return "SCTLR_EL1.M is 0: EL1 runs without stage 1 on this CPU"
    if name == "s2" and not value("HCR_EL2") & HCR_VM:
        return "HCR_EL2.VM is 0: stage 2 is off on this CPU"
    if name.startswith("el2") and not value("SCTLR_EL2") & SCTLR_M:
        return "SCTLR_EL2.M is 0: EL2's MMU is off on this CPU"
    return None
