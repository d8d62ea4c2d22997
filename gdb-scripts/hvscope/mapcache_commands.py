# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that ask about slots, frames and events.

Modules that only an answer needs are imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable

import gdb

from hvscope.arguments import Arguments, completions, usage
from hvscope.command import OPTION_JSON, HvCommand
from hvscope.target import TARGET, cpus_words


class MapcacheDump(HvCommand):
    """Show the mapcache of each CPU.

Usage: mapcache-dump [--cpu N[,N...]] [--all] [--json]

  --cpu N[,N...]  only these CPUs
  --all           free slots too
  --json          one line of JSON, schema hvscope.mapcache/1

For each CPU: the entries that lead from its root to its slots, then a line a
slot that is not free (slot, virtual address, frame, physical address, count,
state, the slot where the lookup of this frame begins, how far behind that it
is), and totals. States: free, cached (mapped, count 0), in-use, saturated
(count 15), broken. Memory is read physically: the answer does not depend on
which CPU is selected or what it runs. The same bytes as `hvscope dump`.

Example: mapcache-dump --cpu 0,1"""

    name = "mapcache-dump"
    flags = ("--all", OPTION_JSON)
    values = ("--cpu",)

    def run(self, arguments: Arguments) -> Iterable[str]:
        """The dump as text or JSON."""
        from hvscope import mapcache
        arguments.no_rest()
        with TARGET.physical():
            beacon = TARGET.beacon()
            cpus = arguments.cpus(beacon.ncpu, cpus_words(beacon.ncpu))
            dump = mapcache.mapcache_read(TARGET.read_phys, beacon, cpus,
                                          "--all" in arguments.flags)
        if OPTION_JSON in arguments.flags:
            return mapcache.mapcache_json(dump)
        return mapcache.mapcache_text(beacon, dump)


class MapcacheSlot(HvCommand):
    """Show one slot in full.

Usage: mapcache-slot SLOT [--cpu N]

  SLOT     a slot's number, or an address in the domheap; an expression
  --cpu N  whose slot; default: the selected thread's CPU

State, frame, every bit of the entry by name, the other slots of this CPU that
map the same 2 MiB, and who holds its references, from the event ring: a map
that is still open, its page and its caller.

Example: mapcache-slot 36 --cpu 1"""

    name = "mapcache-slot"
    values = ("--cpu",)

    def run(self, arguments: Arguments) -> str:
        """The slot as text."""
        from hvscope import slots
        return slots.slot_text(arguments)

    def complete_rest(self, text: str, word: str | None) -> object:
        """Symbols and the like."""
        return gdb.COMPLETE_EXPRESSION


class MapcacheHistory(MapcacheSlot):
    """Show the last owners of a slot.

Usage: mapcache-history SLOT [--cpu N]

From the event ring: each 2 MiB frame that the slot had, the event and the time
(seconds before the CPU's last event) when it took the slot, how often it was
mapped, its highest count, and who mapped it first. Youngest last; the ring
keeps some thousand events a CPU, so older owners are not known.

Example: mapcache-history 36"""

    name = "mapcache-history"

    def run(self, arguments: Arguments) -> str:
        """The owners as text."""
        from hvscope import slots
        return slots.history(arguments)


class MapcacheFind(HvCommand):
    """Find the CPUs and slots that map a frame.

Usage: mapcache-find [mfn: | pa: | va:]WHAT [--cpu N] [--json]

  WHAT     a number or an expression. With mfn:, pa: or va: in front it is read
           as that. Without: a pointer, or a number not below the domheap, is a
           VA; a number inside RAM is a PA; any other is an MFN. The answer
           says how it was read
  --cpu N  whose tables translate a VA; default: the selected thread's CPU

JSON, schema hvscope.find/1, one line: {"schema","what","read_as","mfn","pa",
"slots":[{"cpu","slot","va","state","refs","home","probe"}]}; read_as is mfn, pa
or va; mfn and pa are null if a VA is not mapped; va is where that CPU sees it.

Example: mapcache-find mfn:0x84800"""

    name = "mapcache-find"
    flags = (OPTION_JSON,)
    values = ("--cpu",)

    def run(self, arguments: Arguments) -> str:
        """The slots as text or JSON."""
        from hvscope import slots
        return slots.find_text(arguments, OPTION_JSON in arguments.flags)

    def complete_rest(self, text: str, word: str | None) -> object:
        """Symbols and the like."""
        return gdb.COMPLETE_EXPRESSION


class MapcacheExplain(HvCommand):
    """Say what map_domain_page() would do with a frame now.

Usage: mapcache-explain MFN [--cpu N] [--json]

Replays the lookup of the image's engine: the home slot, each slot that is
passed and why, and the verdict: hit, take (a free slot), commandeer (which
frame loses its slot), full, or bypass (the directmap has the frame). With
engine clock: the slot of the map before, the frame's chain, and the verdict:
also remake (its own slot, whose TLBI is owed), flush (a slot is free once the
owed TLBIs are done) or reclaim (once these idle slots were broken).
JSON, schema hvscope.explain/1, one line: {"schema","cpu","engine","mfn","home",
"verdict","slot","refs","probe","steps":[{"slot","pte","refs","reason"}],
"duplicates":[],"chain","flushed":[],"victims":[]}; refs is the count
afterwards, probe the slots passed, duplicates the other slots with this frame.
With bypass, home, slot, refs and probe are null; with full, slot and refs; with
engine clock, home and probe; with the others, chain.

Example: mapcache-explain 0x84800 --cpu 1"""

    name = "mapcache-explain"
    flags = (OPTION_JSON,)
    values = ("--cpu",)

    def run(self, arguments: Arguments) -> str:
        """The lookup as text or JSON."""
        from hvscope import slots
        return slots.explain_text(arguments, OPTION_JSON in arguments.flags)

    def complete_rest(self, text: str, word: str | None) -> object:
        """Symbols and the like."""
        return gdb.COMPLETE_EXPRESSION


class MapcacheStats(HvCommand):
    """Show totals and histograms of each CPU's mapcache.

Usage: mapcache-stats [--cpu N[,N...]] [--json]

Slots by state; the image's counters since boot; how many slots have which
count, and how far slots lie behind their frame's home slot.
JSON, schema hvscope.stats/1, one line: {"schema","cpus":[{"cpu","state",
"counts":{"free","cached","in-use","saturated","broken","refs"},"maps","unmaps",
"hits","commandeers","probes","bypasses","work","verified","refs":[16 numbers],
"probe":[11 numbers: 0, 1, 2-3, 4-7, ... 512-1023]}]}; a CPU that is not on has
only the first two keys.

Example: mapcache-stats --cpu 0"""

    name = "mapcache-stats"
    flags = (OPTION_JSON,)
    values = ("--cpu",)

    def run(self, arguments: Arguments) -> str:
        """The totals as text or JSON."""
        from hvscope import stats
        arguments.no_rest()
        with TARGET.physical():
            beacon = TARGET.beacon()
            cpus = arguments.cpus(beacon.ncpu, cpus_words(beacon.ncpu))
            answer = stats.stats(TARGET.read_phys, beacon, cpus)
        if OPTION_JSON in arguments.flags:
            return stats.stats_json(answer)
        return stats.stats_text(answer)


class MapcacheDiff(HvCommand):
    """Show which slots changed since the stop before this one.

Usage: mapcache-diff [--mark | --unmark]

A line a slot: states before and now, and how it changed: its count, or the
frame that lost it and the one that got it. After `next` that is what the step
did, on all CPUs (with scheduler-locking off the others ran too).
  --mark    remember the slots as they are now, and compare with that
  --unmark  compare with the stop before again

Example: mapcache-diff"""

    name = "mapcache-diff"
    flags = ("--mark", "--unmark")

    def run(self, arguments: Arguments) -> str:
        """The changes as text."""
        from hvscope import slots
        return slots.diff_text(arguments)


class MapcacheLog(HvCommand):
    """Show the last events of the ring.

Usage: mapcache-log [-n N] [--cpu N[,N...]]

  -n N  so many events of each CPU (default 20)

In the order of their times: CPU, the event's number on it, seconds before the
last one, map, hit (a map that found its frame in a slot), unmap or bypass (the
directmap answered), frame, slot, the count afterwards, slots passed, and who
called. Works after a panic too.

Example: mapcache-log -n 50 --cpu 0"""

    name = "mapcache-log"
    values = ("-n", "--cpu")

    def run(self, arguments: Arguments) -> str:
        """The events as text."""
        from hvscope import slots
        return slots.log(arguments)


class MapcacheCheck(HvCommand):
    """Check the mapcache's invariants, and break-before-make.

Usage: mapcache-check

The invariants, from memory: each CPU has tables of its own, the way from root
to slots is the one that the image built, no slot is broken, the counts add up
to maps less unmaps. Then the verdict of `hvscope check` on the same machine, or
why there is none.

Example: mapcache-check"""

    name = "mapcache-check"

    def run(self, arguments: Arguments) -> str:
        """Both verdicts."""
        from hvscope import verdict
        arguments.no_rest()
        return verdict.check_text()


class MapcacheBreak(HvCommand):
    """Stop when something happens to a slot.

Usage: mapcache-break slot N | mfn M | full | commandeer | saturate | refs>=N

  slot N      a map or an unmap changes slot N, on any CPU
  mfn M       frame M is mapped or unmapped
  commandeer  a slot loses its frame to another one
  saturate    a count becomes 15
  refs>=N     a map makes a count N or more
  full        map_domain_page() finds no slot; the image panics next

The image calls an empty function (mapcache_hit, mapcache_commandeer,
mapcache_saturate, mapcache_full) when it happens, right after the change: no
false stops. `finish` leads back to map_domain_page(). One slot, frame and count
at a time: a new one takes the place of the earlier. `delete`, `disable` as for
any breakpoint.

On a Xen: a breakpoint at the call of map_domain_page() or unmap_domain_page(),
with a condition; it stops before the change. Each call costs milliseconds.

Example: mapcache-break slot 36"""

    name = "mapcache-break"

    def run(self, arguments: Arguments) -> str:
        """Sets it and says where."""
        from hvscope import breaks
        return breaks.set_break(arguments.rest)

    def complete_rest(self, text: str, word: str | None) -> object:
        """The kinds."""
        kinds = ("slot", "mfn", "full", "commandeer", "saturate", "refs>=")
        return completions(kinds, text, word) if " " not in text else gdb.COMPLETE_EXPRESSION


class MapcacheTrace(HvCommand):
    """Log each call of map_domain_page() and unmap_domain_page() by breakpoints.

Usage: mapcache-trace on | off

For images without an event ring. Each call stops the machine for some
milliseconds: 50 to 220 calls a second are possible, where the image makes
thousands. With a ring, mapcache-log shows more and costs nothing.

Example: mapcache-trace on"""

    name = "mapcache-trace"

    def run(self, arguments: Arguments) -> str:
        """Sets the mode."""
        from hvscope import calls
        if arguments.rest not in ("on", "off"):
            raise usage("mapcache-trace on, or mapcache-trace off")
        TARGET.connection()
        return calls.set_trace(arguments.rest)

    def complete_rest(self, text: str, word: str | None) -> object:
        """on, off."""
        return completions(("on", "off"), text, word)


class MapcacheBlame(HvCommand):
    """Go back to the store that last changed a slot.

Usage: mapcache-blame SLOT [--cpu N]

Needs a machine that is replayed (`make record`, then `make replay`): QEMU can
run such a one backwards. The machine is left at the store, `stepi` makes it,
and the backtrace is shown; `continue` goes on with the replay.

Example: mapcache-blame 36"""

    name = "mapcache-blame"
    values = ("--cpu",)

    def run(self, arguments: Arguments) -> str:
        """Runs backwards; says where it landed."""
        from hvscope import blame
        return blame.blame(arguments)


COMMANDS = (MapcacheDump, MapcacheSlot, MapcacheHistory, MapcacheFind, MapcacheExplain,
            MapcacheStats, MapcacheDiff, MapcacheLog, MapcacheCheck, MapcacheBreak, MapcacheTrace,
            MapcacheBlame)
