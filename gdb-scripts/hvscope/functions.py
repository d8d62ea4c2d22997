# SPDX-License-Identifier: GPL-2.0-or-later
"""Convenience functions, and the pretty printers of lpae_t and of typed addresses."""

from __future__ import annotations

from collections.abc import Callable

import gdb

from hvscope.error import HvError, Unreadable
from hvscope.pte import SLOT_SHIFT
from hvscope.target import MASK64, TARGET

TYPED = ("mfn_t", "paddr_t", "vaddr_t")


class HvFunction(gdb.Function):
    """What all functions share: one sentence when something is wrong."""

    name = ""

    def __init__(self) -> None:
        super().__init__(self.name)

    def invoke(self, *arguments: gdb.Value) -> object:
        """Called by gdb."""
        try:
            return self.run(*[int(argument) & MASK64 for argument in arguments])
        except TypeError:
            raise gdb.GdbError(f"hvscope: ${self.name}: see `help function {self.name}`") from None
        except (HvError, Unreadable, gdb.error) as wrong:
            raise gdb.GdbError(f"hvscope: {wrong}") from None
        finally:
            TARGET.leave_physical()

    run: Callable[..., object]  # the function's own work


class McSlot(HvFunction):
    """$mc_slot(VA): the slot that an address in the domheap belongs to.

Example: print $mc_slot(ptr)"""

    name = "mc_slot"

    def run(self, va: int) -> int:
        """The slot's number."""
        beacon = TARGET.beacon()
        if not beacon.domheap_va <= va < beacon.domheap_va + beacon.domheap_size:
            raise HvError(f"{va:#x} is not in the domheap")
        return va - beacon.domheap_va >> SLOT_SHIFT


class McRefs(HvFunction):
    """$mc_refs(CPU, SLOT): the reference count of a slot.

Example: print $mc_refs(0, 36)"""

    name = "mc_refs"

    def run(self, cpu: int, slot: int) -> int:
        """The count."""
        from hvscope import lookup
        with TARGET.physical():
            beacon = TARGET.beacon()
            beacon.require_mapcache()
            if cpu >= beacon.ncpu or slot >= beacon.domheap_entries:
                raise HvError(f"there is no slot {slot} on CPU{cpu}")
            return lookup.whole_slots(TARGET.read_phys, beacon, cpu)[slot][4]


class McCaller(HvFunction):
    """$mc_caller(SLOT): who mapped a slot last on the selected CPU.

A code address, from the event ring: the youngest map that is still open, or
the youngest of all. 0 if the ring has no map of it.

Example: info line *$mc_caller(36)"""

    name = "mc_caller"

    def run(self, slot: int) -> gdb.Value:
        """The return address of the call."""
        from hvscope import trace
        with TARGET.physical():
            beacon = TARGET.beacon()
            trace.require_ring(beacon)
            records = trace.ring_read(TARGET.read_phys, beacon, TARGET.cpu())
        maps = [record for record in records if record.slot == slot and record.kind == trace.MAP]
        held = trace.slot_holders(records, slot)
        caller = held[-1].record.caller if held else maps[-1].caller if maps else 0
        return gdb.Value(caller).cast(gdb.lookup_type("void").pointer())


class Pte(HvFunction):
    """$pte(LEVEL, VALUE): a translation table entry in words.

Example: print $pte(2, 0x00c0000084800f7d)"""

    name = "pte"

    def run(self, level: int, value: int) -> str:
        """Kind, address, and the bits that are set by name."""
        from hvscope import slotinfo
        return slotinfo.pte_words(value, level)


class LpaePrinter:
    """An lpae_t: the number, then what it says."""

    def __init__(self, value: gdb.Value) -> None:
        self.value = int(value) & MASK64

    def to_string(self) -> str:
        """The words."""
        from hvscope import slotinfo
        return f"{self.value:#x} {{{slotinfo.pte_words(self.value)}}}"


class WrappedPrinter:
    """An mfn_t, paddr_t or vaddr_t: its number, also where gdb prints no structures, as in frames.
    """

    def __init__(self, value: gdb.Value, kind: gdb.Type) -> None:
        self.value = value[kind.fields()[0]]

    def to_string(self) -> str:
        """The number."""
        return f"{int(self.value):#x}"


def printer(value: gdb.Value) -> LpaePrinter | WrappedPrinter | None:
    """For values of these typedefs only: lpae_t is one of uint64_t."""
    if value.type.code != gdb.TYPE_CODE_TYPEDEF:
        return None
    if value.type.name == "lpae_t":
        return LpaePrinter(value)
    if value.type.name in TYPED:
        from hvscope.walking import is_wrapped
        kind = value.type.strip_typedefs()
        return WrappedPrinter(value, kind) if is_wrapped(kind) else None
    return None


def register_functions() -> None:
    """Makes them known to gdb."""
    for function in (McSlot, McRefs, McCaller, Pte):
        function()
    gdb.pretty_printers.append(printer)
