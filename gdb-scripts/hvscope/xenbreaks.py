# SPDX-License-Identifier: GPL-2.0-or-later
"""mapcache-break on a Xen: breakpoints on its own functions, with a condition.

At the call of map_domain_page() its lookup is replayed on the slots as they are, so it
is known what the call will do. Each call stops the machine for some milliseconds.
"""

from __future__ import annotations

import gdb

from hvscope.beacon import Beacon
from hvscope.error import HvError, Unreadable
from hvscope.lookup import lookup
from hvscope.mapcache import mapcache_chain, read_slots
from hvscope.pte import PAGE_SHIFT, PTE_ADDR_MASK, SLOT_SHIFT, SLOT_SIZE
from hvscope.target import TARGET, exception_level, register

COST = "each call stops the machine for some milliseconds: at most 50-220 calls a second"
WORDS = {"slot": "a call maps or unmaps slot {0}", "mfn": "a call maps or unmaps frame {0:#x}",
         "refs": "a call makes a count {0} or more", "full": "a call will find no slot",
         "commandeer": "a call takes a slot from another frame",
         "saturate": "a call makes a count 15"}


def function_address(name: str) -> int:
    """Where a function begins; symbols without debug information are enough."""
    try:
        return int(gdb.parse_and_eval(f"(unsigned long)&{name}"))
    except gdb.error:
        raise HvError(f"no symbol {name}: load the hypervisor's symbols first") from None


class XenBreak(gdb.Breakpoint):
    """At the first instruction of a function, where its argument is still in a register."""

    def __init__(self, function: str, kind: str, value: int, beacon: Beacon) -> None:
        super().__init__(f"*{function_address(function):#x}")
        self.maps = function == "map_domain_page"
        self.kind, self.value, self.beacon = kind, value, beacon

    def stop(self) -> bool:
        """Will this call do it? (A guest may run at the same address: then it is not Xen's.)

        Where that cannot be told it stops and says why.
        """
        TARGET.in_handler = True
        try:
            return exception_level() == 2 and self.matches(register("x0") or 0)
        except (HvError, Unreadable, gdb.error) as wrong:
            gdb.write(f"hvscope: breakpoint {self.number}: {wrong}\n")
            return True
        finally:
            TARGET.in_handler = False

    def entries(self) -> list[int]:
        """The slots of this CPU."""
        cpu = self.beacon.cpus[TARGET.cpu()]
        with TARGET.physical():
            rows = mapcache_chain(TARGET.read_phys, self.beacon, cpu.root)
            return [pte for _, ptes in read_slots(TARGET.read_phys, self.beacon, rows)
                    for pte in ptes]

    def matches(self, argument: int) -> bool:
        """The condition, of the function's argument."""
        if self.maps:
            return self.map_matches(argument)
        offset = argument - self.beacon.domheap_va
        if not 0 <= offset < self.beacon.domheap_size:
            return False
        slot = offset >> SLOT_SHIFT
        if self.kind == "slot":
            return slot == self.value
        mfn = (self.entries()[slot] & PTE_ADDR_MASK) + offset % SLOT_SIZE >> PAGE_SHIFT
        return mfn == self.value

    def map_matches(self, mfn: int) -> bool:
        """What map_domain_page(mfn) will do."""
        if self.kind == "mfn":
            return mfn == self.value
        ptes = self.entries()
        answer = lookup(ptes, mfn)
        if self.kind == "slot":
            return answer["slot"] == self.value
        if self.kind == "refs":
            return (answer["refs"] or 0) >= self.value
        if self.kind == "saturate":
            return answer["refs"] == 15
        return answer["verdict"] == self.kind


def set_break(kind: str, value: int, beacon: Beacon) -> str:
    """mapcache-break."""
    beacon.require_mapcache()
    functions = ["map_domain_page"] + ["unmap_domain_page"] * (kind in ("slot", "mfn"))
    points = [XenBreak(function, kind, value, beacon) for function in functions]
    return "\n".join([*(f"breakpoint {point.number} at {function}(): stops when "
                        f"{WORDS[kind].format(value)}"
                        for point, function in zip(points, functions)), COST])
