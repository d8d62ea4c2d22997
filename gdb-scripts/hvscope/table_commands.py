# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that ask about address spaces and CPUs.

Modules that only an answer needs are imported when it is asked for.
"""

from __future__ import annotations

import gdb

from hvscope.arguments import Arguments, completions
from hvscope.command import OPTION_JSON, HvCommand

REGIMES = ("el2", "el2-e2h", "el1", "s2")


class PtWalk(HvCommand):
    """Walk the page tables for one virtual address, table by table.

Usage: pt-walk VA [--regime R] [--cpu N] [--root PA] [--json]

  VA          a number or an expression; a function or array means its address
  --regime R  el2 (default), el2-e2h (default if HCR_EL2.E2H is 1); el1: stage 1
              of the guest that the CPU runs, its tables read through stage 2
              (with --root: as physical); s2: VA is an IPA; guest: a guest's VA
              through both stages, and which slots map the frame
  --cpu N     the CPU whose registers and tables are used; default: the selected
              thread's
  --root PA   begin at this table instead of the CPU's root
  --json      one line of JSON, schema hvscope.walk/1; guest adds the keys
              "ipa", "s2" (root, steps, result, fault), "slots" (cpu, slot, va)

Each entry is shown with its bits by name; then the physical address, the
rights (tables above and WXN counted in), the memory type, the shareability and
the software bits, or at which level and why it faults. Geometry (granule, size,
first level, LPA2) comes from the control registers only. The EL2 root is the
beacon's, or TTBR0_EL2 before the image has published one. hv-walk is the same.

Example: pt-walk &per_cpu__xen_dommap --cpu 1
Example: pt-walk --regime guest 0x40001000"""

    name = "pt-walk"
    flags = (OPTION_JSON,)
    values = ("--regime", "--cpu", "--root")

    def run(self, arguments: Arguments) -> str:
        """The walk as text or JSON."""
        from hvscope import walking
        return walking.pt_walk(arguments, OPTION_JSON in arguments.flags)

    def complete_rest(self, text: str, word: str | None) -> object:
        """Regimes, symbols and the like."""
        if text.split(" ")[-2:-1] == ["--regime"]:
            return completions((*REGIMES, "guest"), text, word)
        return gdb.COMPLETE_EXPRESSION


class PtDump(HvCommand):
    """Show an address space as ranges.

Usage: pt-dump [--regime R] [--cpu N] [--root PA] [--range A-B] [--json]

  --regime R   el2, el2-e2h, el1 or s2, as for pt-walk
  --cpu N      whose tables; default: the selected thread's CPU
  --root PA    begin at this table instead of the CPU's root
  --range A-B  only leaves between these addresses
  --json       one line of JSON, schema hvscope.ranges/1

A line a range: VA, size, PA, level of its leaves, rights (and EL0's), share-
ability (is, os, ns), software bits, memory type. Neighbours are one range if
all of that is the same and the PA goes on; slots are never merged.
Entries that translate nothing are counted. hv-map is the same command.

Example: pt-dump --range 0x7f8000000000-0x7f807fffffff"""

    name = "pt-dump"
    flags = (OPTION_JSON,)
    values = ("--regime", "--cpu", "--root", "--range")

    def run(self, arguments: Arguments) -> str:
        """The ranges as text or JSON."""
        from hvscope import walking
        return walking.pt_dump(arguments, OPTION_JSON in arguments.flags)

    def complete_rest(self, text: str, word: str | None) -> object:
        """Regimes."""
        if text.split(" ")[-2:-1] == ["--regime"]:
            return completions(REGIMES, text, word)
        return gdb.COMPLETE_NONE


class HvLayout(HvCommand):
    """Show the regions of the EL2 address space, and what is mapped in each.

Usage: hv-layout [--cpu N]

For each region: its L0 slots, where it begins, its size, how much of it is
mapped and by how many leaves on this CPU.

Example: hv-layout --cpu 0"""

    name = "hv-layout"
    values = ("--cpu",)

    def run(self, arguments: Arguments) -> str:
        """The regions as text."""
        from hvscope import walking
        return walking.hv_layout(arguments)


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


class HvGuests(HvCommand):
    """Show the guests.

Usage: hv-guests

For each domain, by the image's debug information: number and life, state, root
of its stage 2 tables, frames in them, hypercalls; for each vCPU its state and
the CPU that has it, or its saved PC. Works wherever the CPUs are halted.

Example: hv-guests"""

    name = "hv-guests"

    def run(self, arguments: Arguments) -> str:
        """The guests as text."""
        from hvscope import guests
        arguments.no_rest()
        return guests.guests_text()


class HvOpen(HvCommand):
    """Read a core, a snapshot or a recording in place of a machine.

Usage: hv-open FILE [--frame N]
       hv-open [--frame N | --close]

  FILE       an ELF core of QEMU's dump-guest-memory, or what `hvscope snapshot`
             or `hvscope record` wrote
  --frame N  of a recording: the N-th frame, from 0; mapcache-diff then compares
             with the frame that was shown before
  --close    give it up

All commands that only look work there: --cpu picks a CPU. For a core this is
the same as gdb's own `core-file FILE`: it has a thread a CPU, with its general
registers. System registers are in neither, so the tables of EL2 are found and
read by the beacon; el1, s2 and guest are not. Without arguments: what is open.

Example: hv-open run.rec --frame 12"""

    name = "hv-open"
    flags = ("--close",)
    values = ("--frame",)

    def run(self, arguments: Arguments) -> str:
        """Opens, goes there, or closes; says what is open."""
        from hvscope import files
        return files.hv_open(arguments)

    def complete_rest(self, text: str, word: str | None) -> object:
        """Files."""
        return gdb.COMPLETE_FILENAME


COMMANDS = (PtWalk, PtDump, HvLayout, HvCpus, HvGuests, HvOpen)
