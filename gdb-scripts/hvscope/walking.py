# SPDX-License-Identifier: GPL-2.0-or-later
"""pt-walk, pt-dump, hv-layout and hv-cpus on gdb's side: which registers, which root."""

from __future__ import annotations

import re
from typing import Any

import gdb

from hvscope import cpus, guestwalk, ranges, walk
from hvscope.arguments import Arguments, usage
from hvscope.beacon import Beacon, ReadPhys
from hvscope.error import HvError, Unreadable
from hvscope.layout import foreign_text, layout_text, region_finder
from hvscope.pte import MAIR_VALUE
from hvscope.regime import (HCR_E2H, REGIMES, Regime, Registers, halves, is_high, off_words,
                            regime_of)
from hvscope.target import (MASK64, TARGET, cpus_words, exception_level, execute, kept_selection,
                            mmu_on, register)

Stage = tuple[Regime, int]

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
    if is_wrapped(kind):
        return int(value[kind.fields()[0]])
    if kind.code in ADDRESS_CODES and value.address is not None:
        return int(value.address)
    if kind.code not in NUMBER_CODES:
        raise usage(f"{what} {text} is not an address but a {value.type}; write &{text}")
    return int(value)


def is_wrapped(kind: gdb.Type) -> bool:
    """Is it a number in a structure of its own, as mfn_t, paddr_t and vaddr_t are?"""
    if kind.code != gdb.TYPE_CODE_STRUCT:
        return False
    fields = kind.fields()
    return len(fields) == 1 and fields[0].type.strip_typedefs().code in NUMBER_CODES


def parse(text: str) -> gdb.Value | None:
    """The value of an expression; None for a plain number."""
    try:
        int(text, 0)
        return None
    except ValueError:
        return gdb.parse_and_eval(text)


def optional_beacon() -> tuple[Beacon | None, str]:
    """The beacon, or None and why there is none."""
    try:
        return TARGET.beacon(), ""
    except (HvError, Unreadable) as wrong:
        return None, str(wrong)


def require_tables(beacon: Beacon | None, why: str, cpu: int) -> None:
    """HvError if the selected CPU has no tables yet."""
    said = beacon.cpus[cpu].state_name if beacon is not None and cpu < beacon.ncpu else "mmu-off"
    if said != "on" and not mmu_on():
        reason = "it is off" if said == "off" else "its MMU is off"
        raise HvError(f"CPU{cpu} has no tables to walk: {reason}" + (f"; {why}" if why else ""))


def el2_registers(beacon: Beacon | None) -> Registers:
    """The selected CPU's; the beacon's account of two of them while its MMU is off."""
    if mmu_on():
        return register
    file = TARGET.offline()
    if file is None and register("TCR_EL2") is None:
        raise HvError("this CPU has no EL2 (no register TCR_EL2)")
    if beacon is None:
        off = "the MMU is off" if file is None else f"a {file.kind} has no system registers"
        raise HvError(f"{off}, and no beacon says how tables are to be read")
    said = beacon.own_registers() if beacon.counted else \
        {"TCR_EL2": beacon.tcr, "MAIR_EL2": MAIR_VALUE}
    if file is not None:
        said["TTBR0_EL2"] = 0  # the root is the beacon's
    return lambda name: said.get(name, register(name))


def file_tells(beacon: Beacon | None, cpu: int) -> bool:
    """Is this a file, in which the image says how a CPU translates?"""
    return TARGET.offline() is not None and beacon is not None and beacon.counted \
        and cpu < beacon.ncpu


def require_registers(beacon: Beacon | None, cpu: int, name: str) -> None:
    """HvError if a regime cannot be told from what a file holds."""
    file = TARGET.offline()
    if file is not None and name != "el2" and not file_tells(beacon, cpu):
        raise HvError(f"a {file.kind} has no system registers: how {name} translates is not known; "
                      "the beacon tells of el2 alone")


class Place:
    """Whose tables, of which regime, from which root: the options of a command."""

    def __init__(self, arguments: Arguments) -> None:
        given = arguments.values.get("--root")
        self.given = address(given, "--root") if given is not None else None
        ncpu = TARGET.cpu_count()
        wanted = arguments.cpus(ncpu, cpus_words(ncpu)) or [TARGET.cpu()]
        if len(wanted) != 1:
            raise usage("this command takes one CPU")
        self.cpu = wanted[0]
        self.beacon, self.why = optional_beacon()
        self.name = arguments.values.get("--regime", "")

    def default_name(self) -> str:
        """The regime that EL2 itself runs in; with this CPU selected."""
        return self.name or ("el2-e2h" if (register("HCR_EL2") or 0) & HCR_E2H else "el2")

    def registers(self) -> Registers:
        """The selected CPU's; of a file, what the image said of them."""
        beacon = self.beacon
        if beacon is None or not file_tells(beacon, self.cpu):
            return register
        said = beacon.registers(self.cpu)
        return lambda name: said.get(name, register(name))

    def regime(self, name: str, high: bool) -> Stage:
        """A regime and its root, by the selected CPU's registers."""
        beacon, cpu = self.beacon, self.cpu
        if name not in REGIMES:
            regime_of(name, high, register)  # says which there are
        require_registers(beacon, cpu, name)
        if name == "el2":
            if self.given is None:
                require_tables(beacon, self.why, cpu)
            regime, root = regime_of(name, high, el2_registers(beacon))
            if beacon is not None and (beacon.counted or not mmu_on()) and \
                    cpu < beacon.ncpu and beacon.cpus[cpu].state_name == "on":
                root = beacon.cpus[cpu].root
        else:
            registers = self.registers()
            off = off_words(name, registers)
            if off and self.given is None:
                raise HvError(off)
            regime, root = regime_of(name, high, registers)
        return regime, root if self.given is None else self.given

    def reader(self, name: str) -> ReadPhys:
        """How table addresses of a regime are read: a guest's are those of stage 2."""
        stage2 = self.stage("s2", False) if name == "el1" and self.given is None else None
        return guestwalk.read_through(TARGET.read_phys, stage2)

    def stage(self, name: str, high: bool) -> Stage | None:
        """A stage of a guest; None if the guest runs without it."""
        registers = self.registers()
        return None if off_words(name, registers) else regime_of(name, high, registers)


def pt_walk(arguments: Arguments, as_json: bool) -> str:
    """One walk, as text or JSON."""
    if not arguments.rest:
        raise usage("which address? pt-walk VA [--regime R] [--cpu N] [--root PA] [--json]")
    va = address(arguments.rest, "the address")
    place = Place(arguments)
    if place.name == "guest":
        return walk_guest(place, va, as_json)
    with TARGET.on_cpu(place.cpu):
        name = place.default_name()
        regime, root = place.regime(name, is_high(name, va))
        read = place.reader(name)
    with TARGET.physical():
        answer = walk.walk(read, regime, root, va)
    if as_json:
        return walk.walk_json(answer, name, place.cpu, root, va)
    return walk.walk_text(regime, answer, place.cpu, root, va)


def el2_walk(beacon: Beacon, cpu: int, va: int) -> int | None:
    """PA of an EL2 address by one CPU's tables."""
    with TARGET.on_cpu(cpu):
        regime, _ = regime_of("el2", False, el2_registers(beacon))
    result = walk.walk(TARGET.read_phys, regime, beacon.cpus[cpu].root, va)["result"]
    return int(result["pa"], 0) if result else None


def walk_guest(place: Place, va: int, as_json: bool) -> str:
    """Both stages of the guest that a CPU runs, and the slots that map the frame."""
    if place.given is not None:
        raise usage("--root and --regime guest do not go together: two roots are needed")
    require_registers(place.beacon, place.cpu, "guest")
    with TARGET.on_cpu(place.cpu):
        stage1, stage2 = place.stage("el1", is_high("el1", va)), place.stage("s2", False)
        if stage1 is None and stage2 is None:
            raise HvError(f"no guest is on CPU{place.cpu}: both stages of translation are off")
    with TARGET.physical():
        answer = guestwalk.guest_walk(TARGET.read_phys, stage1, stage2, va)
        rows, said = guest_slots(place, answer)
    if as_json:
        root = (stage1 or stage2 or (None, 0))[1]
        return walk.walk_json({**answer, "slots": rows}, "guest", place.cpu, root, va)
    return guestwalk.guest_text(answer, stage1, stage2, va, said)


def guest_slots(place: Place, answer: walk.Object) -> tuple[list[walk.Object], list[str]]:
    """Which slots map the frame now; the same in words."""
    if not answer["result"]:
        return [], []
    if place.beacon is None:
        return [], [f"  slots: {place.why}"]
    from hvscope import find
    rows = find.find(TARGET.read_phys, place.beacon, int(answer["result"]["pa"], 0))
    said = [f"  mapped by CPU{row['cpu']}, slot {row['slot']}, at {row['va']}, "
            f"count {row['refs']}" for row in rows] or ["  no slot of any CPU maps it now"]
    return [{key: row[key] for key in ("cpu", "slot", "va")} for row in rows], said


def dump_range(arguments: Arguments) -> tuple[int, int]:
    """The addresses of --range A-B."""
    text = arguments.values.get("--range")
    if text is None:
        return 0, MASK64
    first, dash, last = text.partition("-")
    if not first or not dash or not last:
        raise usage(f"--range {text}: write it as A-B")
    low, high = address(first, "the range"), address(last, "the range")
    if low > high:
        raise usage(f"--range {text}: it ends before it begins")
    return low, high


def pt_dump(arguments: Arguments, as_json: bool) -> str:
    """A whole space, as text or JSON."""
    arguments.no_rest()
    low, high = dump_range(arguments)
    place = Place(arguments)
    if place.name == "guest":
        raise usage("pt-dump shows one stage: --regime el1 or s2")
    with TARGET.on_cpu(place.cpu):
        name = place.default_name()
        parts, missing = dump_parts(place, name, dump_halves(place, name, low, high), as_json)
        read = place.reader(name)
    with TARGET.physical():
        scans = [scan_part(place, read, part, low, high) for part in parts]
    if as_json:
        found = [one for scan in scans for one in scan.ranges]
        return ranges.ranges_json(found, name, place.cpu, parts[0][1])
    return "\n".join([scan_text(scan, place.cpu, part[1]) for scan, part in zip(scans, parts)]
                     + missing)


def dump_halves(place: Place, name: str, low: int, high: int) -> list[bool]:
    """The halves of a regime that a range touches; one if a root was given."""
    if len(halves(name)) == 1:
        return [False]
    if place.given is not None:
        return [is_high(name, low)]
    return [half for half in halves(name) if (high >> 63 if half else not low >> 63)]


def dump_parts(place: Place, name: str, wanted: list[bool], strict: bool
               ) -> tuple[list[Stage], list[str]]:
    """The halves that can be decoded, and why others cannot; strict: all, or HvError."""
    parts, missing = [], []
    for half in wanted:
        try:
            parts.append(place.regime(name, half))
        except HvError as wrong:
            missing.append(f"  TTBR{int(half)}: {wrong}")
            if strict or len(missing) == len(wanted):
                raise
    return parts, missing


def scan_part(place: Place, read: ReadPhys, part: Stage, low: int, high: int) -> ranges.Scan:
    """Reads the tables of one regime."""
    known = place.beacon if part[0].name == "el2" else None
    scan = ranges.Scan(read, part[0], low, high, region_finder(known))
    scan.run(part[1])
    return scan


def scan_text(scan: ranges.Scan, cpu: int, root: int) -> str:
    """The ranges of one root."""
    regime = scan.regime
    head = (f"{regime.name} of CPU{cpu}, root {root:#x}, {regime.granule.name} pages, "
            f"{regime.in_bits}-bit addresses from {regime.base():#x}")
    return ranges.ranges_text(scan.ranges, head, scan.faults)


def hv_layout(arguments: Arguments) -> str:
    """Regions, and what is mapped in each."""
    arguments.no_rest()
    place = Place(arguments)
    if place.beacon is None:
        raise HvError(place.why)
    with TARGET.on_cpu(place.cpu):
        part = place.regime("el2", False)
    with TARGET.physical():
        scan = scan_part(place, TARGET.read_phys, part, 0, MASK64)
    if not place.beacon.counted:
        return foreign_text(scan.ranges, place.cpu, part[1], place.beacon.root_level)
    return layout_text(scan.ranges, place.cpu, part[1], place.beacon.l0_index)


def symbol_at(pc: int) -> str | None:
    """function+offset, by symbols of any kind."""
    found = re.match(r"(\S+)(?: \+ (\d+))? in section ", execute(f"info symbol {pc}"))
    if found is None:
        return None
    return found[1] + (f"+{int(found[2]):#x}" if found[2] else "")


def symbol_before(pc: int) -> str:
    """function+offset of a return address, also where the call is a function's last word."""
    symbol = symbol_at(pc - 4) if pc else None
    if symbol is None:
        return hex(pc)
    name, _, offset = symbol.partition("+")
    return f"{name}+{int(offset or '0', 0) + 4:#x}"


def thread_row(thread: gdb.InferiorThread) -> dict[str, Any]:
    """What gdb says of the selected thread's CPU."""
    pc, level = register("pc"), exception_level()
    return {"thread": thread.num, "el": level, "mmu": mmu_on(),
            "pc": hex(pc) if pc is not None else None,
            "symbol": symbol_at(pc) if pc is not None and level == 2 else None}


def hv_cpus(as_json: bool) -> str:
    """All CPUs, as text or JSON."""
    threads = TARGET.threads()
    selected = TARGET.cpu() if threads else None
    beacon, why = optional_beacon()
    rows = {}
    with kept_selection():
        for cpu, thread in threads.items():
            thread.switch()
            rows[cpu] = thread_row(thread)
    ncpu = max(max(threads, default=0) + 1, beacon.ncpu if beacon is not None else 0)
    answer = cpus.cpus_read(beacon, rows, ncpu)
    if as_json:
        return cpus.cpus_json(answer)
    return cpus.cpus_text(answer, beacon, why, selected)
