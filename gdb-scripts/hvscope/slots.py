# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions about slots and frames on gdb's side: expressions, the selected CPU, symbols."""

from __future__ import annotations

import gdb

from hvscope import find, lookup, slotinfo, trace
from hvscope.arguments import Arguments, usage
from hvscope.beacon import Beacon
from hvscope.command import one_cpu
from hvscope.cpus import fitted
from hvscope.error import HvError
from hvscope.pte import PAGE_SHIFT, SLOT_SHIFT
from hvscope.stops import STOPS, take
from hvscope.target import TARGET, cpus_words
from hvscope.walking import address, el2_walk, parse, symbol_before

POINTER_CODES = (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_ARRAY, gdb.TYPE_CODE_FUNC)
TYPED_KINDS = {"mfn_t": "mfn", "paddr_t": "pa", "vaddr_t": "va"}
LOG_DEFAULT = 20


def ready_beacon() -> Beacon:
    """The beacon of an image whose mapcache is set up."""
    beacon = TARGET.beacon()
    beacon.require_mapcache()
    return beacon


def slot_number(text: str, beacon: Beacon) -> int:
    """A slot's number, of a number or of an address in the domheap."""
    if not text:
        raise usage("which slot? A number, or an address in the domheap")
    value = address(text, "the slot")
    if beacon.domheap_va <= value < beacon.domheap_va + beacon.domheap_size:
        value = value - beacon.domheap_va >> SLOT_SHIFT
    if value >= beacon.domheap_entries:
        raise usage(f"no slot {text}: there are 0-{beacon.domheap_entries - 1}")
    return value


def place(arguments: Arguments) -> tuple[Beacon, int, int]:
    """(beacon, CPU, slot) of a command that asks about one slot."""
    beacon = ready_beacon()
    return beacon, one_cpu(arguments, beacon), slot_number(arguments.rest, beacon)


def slot_text(arguments: Arguments) -> str:
    """mapcache-slot."""
    beacon, cpu, number = place(arguments)
    with TARGET.physical():
        slots = lookup.whole_slots(TARGET.read_phys, beacon, cpu)
        records = trace.ring_read(TARGET.read_phys, beacon, cpu)
    holders = None
    if beacon.cpus[cpu].fields["ring"]:
        holders = trace.slot_holders(records, number)
    return slotinfo.slot_full_text(cpu, slots, number, holders, symbol_before)


def history(arguments: Arguments) -> str:
    """mapcache-history."""
    beacon, cpu, number = place(arguments)
    trace.require_ring(beacon)
    with TARGET.physical():
        records = trace.ring_read(TARGET.read_phys, beacon, cpu)
    newest = records[-1].time if records else 0
    return trace.history_text(trace.slot_owners(records, number), cpu, number,
                              beacon.fields["cntfrq"], newest, symbol_before, fitted)


def what(text: str, beacon: Beacon) -> tuple[str, str, int]:
    """(kind, why, number) of what mapcache-find is asked for."""
    kind, colon, rest = text.partition(":")
    if colon and kind in find.KINDS and not rest.startswith(":"):
        return kind, "as you say", address(rest.strip(), "the number")
    number = address(text, "the number")
    value = parse(text)
    if value is None:
        return (*find.read_as(beacon, number, False), number)
    if value.type.name in TYPED_KINDS:
        return TYPED_KINDS[value.type.name], f"of type {value.type.name}", number
    pointer = value.type.strip_typedefs().code in POINTER_CODES
    return (*find.read_as(beacon, number, pointer), number)


def find_text(arguments: Arguments, as_json: bool) -> str:
    """mapcache-find."""
    if not arguments.rest:
        raise usage("what? mfn:N, pa:N, va:N, or a number or pointer")
    beacon = ready_beacon()
    kind, why, number = what(arguments.rest, beacon)
    cpu = one_cpu(arguments, beacon)
    pa: int | None = {"mfn": number << PAGE_SHIFT, "pa": number}.get(kind)
    with TARGET.physical():
        if kind == "va":
            pa = el2_walk(beacon, cpu, number)
            why += f", on CPU{cpu}"
        rows = find.find(TARGET.read_phys, beacon, pa) if pa is not None else []
    answer = find.find_answer(kind, number, pa, rows)
    if as_json:
        return find.find_json(answer)
    return find.find_text(answer, why, beacon.domheap_entries, beacon.engine_name != "clock")


def explain_text(arguments: Arguments, as_json: bool) -> str:
    """mapcache-explain."""
    if not arguments.rest:
        raise usage("which frame? mapcache-explain MFN [--cpu N] [--json]")
    beacon = ready_beacon()
    mfn = address(arguments.rest, "the frame")
    if mfn >> 52 - PAGE_SHIFT:
        raise usage(f"{mfn:#x} is no frame number: it has more than {52 - PAGE_SHIFT} bits")
    cpu = one_cpu(arguments, beacon)
    with TARGET.physical():
        answer = lookup.explain(TARGET.read_phys, beacon, cpu, mfn)
    if as_json:
        return lookup.explain_json(answer)
    return lookup.explain_text(answer, beacon.cpus[cpu].generation % 2 == 1)


def log(arguments: Arguments) -> str:
    """mapcache-log."""
    arguments.no_rest()
    count = arguments.values.get("-n", str(LOG_DEFAULT))
    if not count.isascii() or not count.isdigit():
        raise usage(f"-n {count} is not a number of events")
    with TARGET.physical():
        beacon = TARGET.beacon()
        trace.require_ring(beacon)
        wanted = arguments.cpus(beacon.ncpu, cpus_words(beacon.ncpu)) or range(beacon.ncpu)
        records = [record for cpu in wanted
                   for record in trace.ring_read(TARGET.read_phys, beacon, cpu, int(count))]
    records.sort(key=lambda record: (record.time, record.cpu, record.seq))
    return trace.log_text(records, beacon.fields["cntfrq"], symbol_before, fitted)


def diff_text(arguments: Arguments) -> str:
    """mapcache-diff."""
    arguments.no_rest()
    if "--unmark" in arguments.flags:
        STOPS.mark = None
    with TARGET.physical():
        beacon = ready_beacon()
        base = STOPS.base(beacon.boot_id)
        cpus = list(range(beacon.ncpu)) if base is None or "--mark" in arguments.flags \
            else sorted(base.slots)
        now = take(beacon, cpus)
    if "--mark" in arguments.flags:
        STOPS.mark = now
        return "marked: mapcache-diff compares with now"
    if base is None:
        raise HvError("nothing to compare with yet: this is the first stop; step, or --mark")
    lines = [line for cpu in sorted(now.slots) if cpu in base.slots
             for line in slotinfo.diff_lines(beacon, cpu, base.slots[cpu], now.slots[cpu])]
    since = "the mark" if base is STOPS.mark else "the stop before"
    return "\n".join([*(lines or [f"no slot changed since {since}"]), *others_ran(beacon)])


WARNED: list[str] = []  # what was said already in this session


def others_ran(beacon: Beacon) -> list[str]:
    """Once: a step of one CPU lets the others run on."""
    if WARNED or beacon.ncpu == 1 or TARGET.offline() is not None or \
            gdb.parameter("scheduler-locking") in ("step", "on"):
        return []
    WARNED.append("others")
    return ["note: the other CPUs run on during a step; `set scheduler-locking step`"]
