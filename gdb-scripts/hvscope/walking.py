# SPDX-License-Identifier: GPL-2.0-or-later
"""pt-walk and hv-cpus on gdb's side: which registers, which root, what each thread does."""

from __future__ import annotations

import re
from typing import Any

import gdb

from hvscope import cpus, walk
from hvscope.arguments import Arguments, usage
from hvscope.beacon import Beacon
from hvscope.error import HvError
from hvscope.pte import MAIR_VALUE
from hvscope.target import (MASK64, TARGET, cpus_words, exception_level, execute, kept_selection,
                            mmu_on, pa_bits, register)

ADDRESS_CODES = (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_ARRAY)
NUMBER_CODES = (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_ENUM, gdb.TYPE_CODE_BOOL,
                gdb.TYPE_CODE_CHAR)


def address(text: str, what: str) -> int:
    """A number, or the value of a gdb expression, as 64 bits."""
    try:
        value = int(text, 0)
    except ValueError:
        value = expression(text, what)
    if not -(1 << 63) <= value <= MASK64:
        raise usage(f"{what} {text} has more than 64 bits")
    return value & MASK64


def expression(text: str, what: str) -> int:
    """The value of an expression in the user's language and frame."""
    value = gdb.parse_and_eval(text)
    kind = value.type.strip_typedefs()
    if kind.code in (gdb.TYPE_CODE_REF, gdb.TYPE_CODE_RVALUE_REF):
        value = value.referenced_value()
        kind = value.type.strip_typedefs()
    if kind.code in ADDRESS_CODES and value.address is not None:
        return int(value.address)
    if kind.code not in NUMBER_CODES:
        raise usage(f"{what} {text} is not an address but a {value.type}; write &{text}")
    return int(value)


def optional_beacon() -> tuple[Beacon | None, str]:
    """The beacon, or None and why there is none."""
    try:
        return TARGET.beacon(), ""
    except (HvError, LookupError) as wrong:
        return None, str(wrong)


def walk_root(beacon: Beacon | None, cpu: int, regime: walk.Regime) -> int:
    """The root of a CPU: the beacon's, or the register's while there is none."""
    if beacon is not None and cpu < beacon.ncpu and beacon.cpus[cpu].state_name == "on":
        return beacon.cpus[cpu].root
    return walk.ttbr_root(regime, register("TTBR0_EL2") or 0)


def require_tables(beacon: Beacon | None, why: str, cpu: int) -> None:
    """HvError if the selected CPU has no tables yet."""
    said = beacon.cpus[cpu].state_name if beacon is not None and cpu < beacon.ncpu else "mmu-off"
    if said != "on" and not mmu_on():
        reason = "it is off" if said == "off" else "its MMU is off"
        raise HvError(f"CPU{cpu} has no tables to walk: {reason}" + (f"; {why}" if why else ""))


def walk_regime(beacon: Beacon | None) -> walk.Regime:
    """Geometry by the selected CPU's registers; by the beacon's account if its MMU is off."""
    hcr, sctlr, tcr2 = (register(name) or 0 for name in ("HCR_EL2", "SCTLR_EL2", "TCR2_EL2"))
    tcr, mair = register("TCR_EL2"), register("MAIR_EL2")
    if tcr is None or mair is None:
        raise HvError("this CPU has no EL2 (no register TCR_EL2)")
    if not mmu_on():
        if beacon is None:
            raise HvError("the MMU is off, and no beacon says how tables are to be read")
        tcr, mair = beacon.tcr, MAIR_VALUE
    return walk.Regime(tcr, mair, hcr, sctlr, tcr2, pa_bits())


def pt_walk(arguments: Arguments, as_json: bool) -> str:
    """One walk, as text or JSON."""
    if not arguments.rest:
        raise usage("which address? pt-walk VA [--cpu N] [--root PA] [--json]")
    va = address(arguments.rest, "the address")
    given = arguments.values.get("--root")
    root = address(given, "--root") if given is not None else None
    ncpu = len(TARGET.threads())
    wanted = arguments.cpus(ncpu, cpus_words(ncpu)) or [TARGET.cpu()]
    if len(wanted) != 1:
        raise usage("pt-walk takes one CPU")
    beacon, why = optional_beacon()
    with TARGET.on_cpu(wanted[0]):
        if root is None:
            require_tables(beacon, why, wanted[0])
        regime = walk_regime(beacon)
        root = walk_root(beacon, wanted[0], regime) if root is None else root
    with TARGET.physical():
        answer = walk.walk(TARGET.read_phys, regime, root, va)
    if as_json:
        return walk.walk_json(answer, wanted[0], root, va)
    return walk.walk_text(regime, answer, wanted[0], root, va)


def symbol_at(pc: int) -> str | None:
    """function+offset, by symbols of any kind."""
    found = re.match(r"(\S+)(?: \+ (\d+))? in section ", execute(f"info symbol {pc}"))
    if found is None:
        return None
    return found[1] + (f"+{int(found[2]):#x}" if found[2] else "")


def thread_row(thread: gdb.InferiorThread) -> dict[str, Any]:
    """What gdb says of the selected thread's CPU."""
    pc, level = register("pc"), exception_level()
    return {"thread": thread.num, "el": level, "mmu": mmu_on(),
            "pc": hex(pc) if pc is not None else None,
            "symbol": symbol_at(pc) if pc is not None and level == 2 else None}


def hv_cpus(as_json: bool) -> str:
    """All CPUs, as text or JSON."""
    selected, threads = TARGET.cpu(), TARGET.threads()
    beacon, why = optional_beacon()
    rows = {}
    with kept_selection():
        for cpu, thread in threads.items():
            thread.switch()
            rows[cpu] = thread_row(thread)
    ncpu = max(max(threads) + 1, beacon.ncpu if beacon is not None else 0)
    answer = cpus.cpus_read(beacon, rows, ncpu)
    if as_json:
        return cpus.cpus_json(answer)
    return cpus.cpus_text(answer, beacon, why, selected)
