# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands: options in, an answer from the other modules, text or JSON out.

Modules that only an answer needs are imported when it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence

import gdb

from hvscope.arguments import Arguments, completions, usage
from hvscope.error import HvError
from hvscope.symbols import MODES, SYMBOLS
from hvscope.target import TARGET, cpus_words

OPTION_JSON = "--json"


class HvCommand(gdb.Command):
    """What all commands share: options, completion, one sentence when something is wrong."""

    name = ""
    flags: Sequence[str] = ()
    values: Sequence[str] = ()

    def __init__(self, name: str | None = None) -> None:
        super().__init__(name or self.name, gdb.COMMAND_DATA)

    def invoke(self, text: str, from_tty: bool) -> None:
        """Called by gdb: runs the command and prints what it gives."""
        self.dont_repeat()
        try:
            answer = self.run(Arguments(text, self.flags, self.values))
        except (HvError, LookupError, gdb.error) as wrong:
            raise gdb.GdbError(f"hvscope: {wrong}") from None
        finally:
            TARGET.leave_physical()
        gdb.write(answer + "\n")

    def run(self, arguments: Arguments) -> str:
        """The command's own work: options in, text out."""
        raise NotImplementedError

    def complete(self, text: str, word: str | None) -> object:
        """Options; what else there is to complete is the command's own affair."""
        if text.split(" ")[-1].startswith("-"):
            return completions([*self.flags, *self.values], text, word)
        return self.complete_rest(text, word)

    def complete_rest(self, text: str, word: str | None) -> object:
        """Completions of a word that is no option."""
        return gdb.COMPLETE_NONE


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

    def run(self, arguments: Arguments) -> str:
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


class PtWalk(HvCommand):
    """Walk the EL2 page tables for one virtual address, table by table.

Usage: pt-walk VA [--cpu N] [--root PA] [--json]

  VA         a number or an expression; a function or array means its address
  --cpu N    the CPU whose tables are walked; default: the selected thread's
  --root PA  begin at this table instead of the CPU's root
  --json     one line of JSON, schema hvscope.walk/1

Each entry is shown with its bits by name; then the physical address, the
rights at EL2 (tables above and WXN counted in), the memory type, the
shareability and the software bits, or at which level and why it faults. The
root is the beacon's, or TTBR0_EL2 before the image has published one.
hv-walk is the same command.

Example: pt-walk &per_cpu__xen_dommap --cpu 1"""

    name = "pt-walk"
    flags = (OPTION_JSON,)
    values = ("--cpu", "--root")

    def run(self, arguments: Arguments) -> str:
        """The walk as text or JSON."""
        from hvscope import walking
        return walking.pt_walk(arguments, OPTION_JSON in arguments.flags)

    def complete_rest(self, text: str, word: str | None) -> object:
        """Symbols and the like."""
        return gdb.COMPLETE_EXPRESSION


class HvCpus(HvCommand):
    """Show what each CPU does.

Usage: hv-cpus [--json]

For each CPU, by the image's own account: state (off, mmu-off, on), root table,
and whether its slots are at rest or busy, that is, being changed by
map_domain_page() or unmap_domain_page(). For its gdb thread: number, exception
level, whether its EL2 MMU is on, and where it is. * marks the selected thread.
Before the image has published anything, gdb's part is shown alone.
JSON, schema hvscope.cpus/1, one line: {"schema","target":{"kind","engine",
"arch","ncpu"},"state","cpus":[{"cpu","state","root","generation","inside",
"thread","el","mmu","pc","symbol"}]}; null where it is not known.

Example: hv-cpus"""

    name = "hv-cpus"
    flags = (OPTION_JSON,)

    def run(self, arguments: Arguments) -> str:
        """The table as text or JSON."""
        from hvscope import walking
        arguments.no_rest()
        return walking.hv_cpus(OPTION_JSON in arguments.flags)


class HvSymbols(HvCommand):
    """Say or show where the image's symbols are.

Usage: hv-symbols [auto | phys | virt]

The image is linked at a high virtual address, and runs at the physical address
it was loaded to until its MMU is on.
  auto  symbols follow the selected CPU at each stop (default). While its MMU
        is off, breakpoints are set at both places, so that `break _start` and
        `break hv_main` both work from -S
  phys  symbols are at the load address
  virt  symbols are at the link address
Without an argument: where they are now. For a stop in the first instructions
of a CPU that starts later: `hv-symbols phys`, or `break *ADDRESS`.

Example: hv-symbols auto"""

    name = "hv-symbols"

    def run(self, arguments: Arguments) -> str:
        """Sets the mode if there is one; says where symbols are."""
        if arguments.rest and arguments.rest not in MODES:
            raise usage(f"{arguments.rest}: not one of {', '.join(MODES)}")
        if arguments.rest:
            SYMBOLS.set_mode(arguments.rest)
        return SYMBOLS.words()

    def complete_rest(self, text: str, word: str | None) -> object:
        """The modes."""
        return completions(MODES, text, word)


def on_stop(_event: object) -> None:
    """At each stop, and when gdb attaches: symbols to where the CPU runs, never a word."""
    try:
        TARGET.connection()
        SYMBOLS.sync()
    except (HvError, LookupError, gdb.error):
        pass


def before_prompt() -> None:
    """The last line of defence for the stub's mode; and a symbol file loaded by hand."""
    TARGET.leave_physical()
    thread = gdb.selected_thread()
    if thread is not None and thread.is_stopped() and SYMBOLS.stale():
        on_stop(None)


def register_all() -> None:
    """Makes the commands known to gdb."""
    for command in (MapcacheDump, PtWalk, HvCpus, HvSymbols):
        command()
    PtWalk("hv-walk")
    gdb.events.stop.connect(on_stop)
    gdb.events.before_prompt.connect(before_prompt)
    if gdb.selected_thread() is not None and gdb.selected_thread().is_stopped():
        on_stop(None)
