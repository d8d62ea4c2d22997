# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tour tells and shows, in order.

A command is a line for GDB, or a function that finds out which line it is; such a
function runs inside GDB, with the machine halted.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Callable
from dataclasses import dataclass

STOCK = "Debian's"  # in place of an engine of ours: its Xen for arm32
TRIES = 2000  # calls of map_domain_page() to look at for one of a kind


class Needs(enum.Enum):
    """What has to be fetched for a step, by `make xen32` with TRACE=1 or without."""

    NOTHING, XEN, TRACER = range(3)


@dataclass(frozen=True)
class Setting:
    """The machine that a step needs."""

    engine: str
    cmdline: str
    replay: bool = False  # a second of it is recorded first, and GDB attaches to the replay


@dataclass(frozen=True)
class Step:
    """One stop of the tour."""

    title: str
    text: str
    setting: Setting
    commands: tuple[str | Callable[[], str], ...] = ()
    after: str = ""
    keys: tuple[str, ...] = ()  # for the viewer
    needs: Needs = Needs.NOTHING
    otherwise: str = ""  # what is told alone, where that was not fetched


def _json(command: str) -> dict:
    """What a command of ours prints as JSON."""
    import gdb
    return json.loads(gdb.execute(command, to_string=True))


def _cpu() -> int:
    """The CPU of the selected thread."""
    import gdb
    return gdb.selected_thread().num - 1


def _slots() -> list[dict]:
    """That CPU's slots that are not free."""
    return _json(f"mapcache-dump --json --cpu {_cpu()}")["cpus"][0]["slots"]


def walk_a_slot() -> str:
    """A walk to the first slot that is mapped."""
    return f"pt-walk {_slots()[0]['va']}"


def _call_that_would(*verdicts: str) -> int:
    """Run on to a call of map_domain_page() with one of these verdicts; its frame."""
    import gdb
    for _ in range(TRIES):
        with gdb.with_parameter("suppress-cli-notifications", True):
            gdb.execute("tbreak *map_domain_page", to_string=True)
            gdb.execute("continue", to_string=True)
        frame = int(gdb.parse_and_eval("$x0"))
        answer = _json(f"mapcache-explain {frame:#x} --cpu {_cpu()} --json")
        if answer["verdict"] in verdicts:
            return frame
    raise gdb.GdbError("tour: no such call came")


def explain_a_miss() -> str:
    """Why the call that CPU is about to make takes a slot."""
    return f"mapcache-explain {_call_that_would('take'):#x}"


def explain_a_hit() -> str:
    """Why the next one does not."""
    return f"mapcache-explain {_call_that_would('hit'):#x}"


def explain_a_commandeer() -> str:
    """And this one drives another frame out."""
    return f"mapcache-explain {_call_that_would('commandeer'):#x}"


def _saturated() -> str:
    """The frame of a slot with a count of 15."""
    import gdb
    frames = [slot["mfn"] for slot in _slots() if slot["state"] == "saturated"]
    if not frames:
        raise gdb.GdbError("tour: no slot is saturated")
    return frames[0]


def break_on_its_next_map() -> str:
    """Where the CPU that is selected maps of that 2 MiB next; interrupts map others."""
    block = int(_saturated(), 0) >> 9
    return f"tbreak *map_domain_page thread {_cpu() + 1} if ($x0 >> 9) == {block:#x}"


def find_the_saturated() -> str:
    """Where that frame is."""
    return f"mapcache-find mfn:{_saturated()}"


def slot_held_longest() -> str:
    """A slot that is in use while nothing runs that would need it."""
    held = [slot for slot in _slots() if slot["refs"]]
    return f"mapcache-slot {held[0]['slot']} --cpu {_cpu()}" if held else "mapcache-stats"


def blame_a_cached_slot() -> str:
    """Back to the store that changed a slot last."""
    cached = [slot["slot"] for slot in _slots() if slot["state"] == "cached"]
    return f"mapcache-blame {cached[len(cached) // 2]}"


COPY = Setting("xen", "pace=20 workload=copy")
STRIDE = "workload=stride pace=200 trace=all check=on"
XEN = Setting(STOCK, "")

STEPS = (
    Step("The window", """
        A hypervisor that maps all RAM gives every bug in it all of its guests' secrets. This one
        does not: its tables hold the image, a heap of its own, and one window, the mapcache.
        map_domain_page(mfn) puts a frame of 2 MiB into one of 1024 slots, unmap_domain_page()
        lets go of it.

        Above is the viewer: a cell a slot, live. GDB is attached, which halts the CPUs.""",
         COPY, ("hv-layout",), """
        Slot 255 of level 0 is the window ("domheap"). There is no directmap of the RAM.""",
         keys=("F2",)),
    Step("Three tables down", """
        Each CPU has a root of its own, and behind entry 255 its own level 1 table with two level 2
        tables. Their 1024 entries are the slots. The count of open maps is in four bits that the
        architecture leaves to software, [58:55].""",
         COPY, (walk_a_slot, "hv-cpus"), """
        The last line of the walk is a slot: valid, a block of 2 MiB. Count 0 is "cached": nobody
        holds it, but the translation is still there."""),
    Step("A miss", """
        GDB runs on to a call for a frame that has no slot yet. mapcache-explain replays the lookup
        of the engine on what is in memory now: the frame's home slot is (mfn >> 9) % 1024, and
        from there it goes on to the first one with count 0.""",
         COPY, (explain_a_miss, "mapcache-diff --mark", "finish", "mapcache-diff"), """
        The verdict came before the call, the change after it: they agree. The viewer has marked
        the slot."""),
    Step("A hit", """
        The next frame has a slot already: its count goes up by one. The patch flushes the TLB
        here too (dsb nshst; tlbi vae2; dsb nsh; isb), on every map. Remember that.""",
         COPY, (explain_a_hit, "mapcache-diff --mark", "finish", "mapcache-diff")),
    Step("Maps inside maps", """
        A hypercall that walks a guest's tables holds one table while it maps the next, and
        interrupts map as well. The workload `nest` holds up to 40 maps and gives them back in any
        order. mapcache-break has the image itself call a function when the condition is true: no
        false stops, no cost while it is not.""",
         Setting("xen", "pace=200 workload=nest"),
         ("mapcache-break refs>=3", "continue", "finish", "mapcache-stats")),
    Step("Fifteen is full", """
        A count has four bits. At 15 a slot is saturated, and the next map of the same frame takes
        a second slot.""",
         Setting("xen", "pace=200 workload=saturate"),
         ("mapcache-break saturate", "continue", "delete", break_on_its_next_map, "continue",
          "finish", find_the_saturated), """
        Two slots, one frame: legal, and a trap for tools that think a frame has one place."""),
    Step("A slot changes its owner", """
        Eight frames, 2 GiB apart, share a home slot. A slot with count 0 still holds its old
        translation, and this engine, the patch's, overwrites it: it commandeers the slot.""",
         Setting("xen", STRIDE),
         (explain_a_commandeer, "mapcache-diff --mark", "finish", "mapcache-diff")),
    Step("What the architecture says of that", """
        Between that store and the completed TLBI this CPU may hold both translations (Arm ARM,
        RFVQCK: a conflict abort, either, or an amalgamation of both). The manual's own
        uniprocessor example (K11.5.3.1) does the same, so on private tables it is a hazard, not a
        violation. The image records every store, TLBI and barrier (trace=all), and the checker
        reads them. The viewer above shows the same (F6).""",
         Setting("xen", STRIDE), ("mapcache-check",), keys=("F6",)),
    Step("The same work, compliant", """
        The engine bbm is the patch with two edits: a slot is broken first (invalid entry, DSB,
        TLBI, DSB), and a hit is not flushed any more, because it need not be. On a real Xen's boot
        99.9 % of the maps are hits: compliance takes a TLBI, two DSBs and an ISB away from
        each.""",
         Setting("bbm", STRIDE), (explain_a_commandeer, "finish", "mapcache-check"), keys=("F6",)),
    Step("And fast", """
        The engine clock finds slots by frame instead of by place: eight frames 2 GiB apart have
        eight slots. Idle slots are broken many at a time, with one invalidation.""",
         Setting("clock", STRIDE), (explain_a_hit, "mapcache-stats", "mapcache-check"),
         keys=("F2",)),
    Step("A leak", """
        The workload forgets an unmap now and then. A slot that nobody gives back is never free
        again: the viewer's Check view lists who holds what for how long, GDB asks one slot.""",
         Setting("xen", "pace=500 workload=leak"),
         ("tbreak leak_one", "continue", "finish", slot_held_longest), """
        The caller is the function that forgot.""",
         keys=("F6",)),
    Step("Back in time", """
        A run with one CPU can be recorded and replayed, instruction by instruction, and GDB can
        run it backwards: from a slot's state to the store that made it. The last second was
        recorded just now; this is its replay.""",
         Setting("xen", "workload=copy pace=1000", replay=True),
         ("tbreak copy_step", "ignore $bpnum 12", "continue", blame_a_cached_slot, "backtrace 4"),
         keys=("F2",)),
    Step("A real Xen", """
        The same commands, and the same viewer, on Debian's Xen for 32-bit Arm with a Linux dom0:
        upstream Xen has this mapcache there. Nothing in it was changed: its build ID says where
        it is, its symbols where its CPUs keep their tables. It counts nothing for us, so rates
        and callers are unknown.""",
         XEN, ("hv-cpus", "mapcache-stats", walk_a_slot), """
        Its window is at 2 GiB and has 1024 slots too. On 64-bit Arm a stock Xen maps all RAM and
        has none; `make xen64` shows its tables.""",
         keys=("F2", "g", *"640", "Enter"), needs=Needs.XEN, otherwise="""
        Debian's Xen was not fetched here: `make xen32` does that, with a Linux dom0 (230 MB
        unpacked), and shows it; after that this step has it too."""),
    Step("And its hazards", """
        That Xen runs under a plugin of QEMU, which has seen each store to its tables, each TLBI
        and each barrier from its first instruction on. What the checker said of the image it can
        say of Xen: here of its last million records a CPU and more, in a quarter of a minute.""",
         XEN, ("mapcache-check",), """
        It is the overwritten live entry again, at map_domain_page() and nowhere else. What you
        have seen of the patch is what every arm32 Xen does.""",
         keys=("F6",), needs=Needs.TRACER, otherwise="""
        For this that Xen and a QEMU that can trace (9.2) are needed: `make xen32 TRACE=1` fetches
        what is missing; after that this step has it too."""),
)
