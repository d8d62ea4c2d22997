# SPDX-License-Identifier: GPL-2.0-or-later
"""All commands are made known to gdb here; hv-symbols, and what happens at each stop."""

from __future__ import annotations

import sys

import gdb

from hvscope import mapcache_commands, table_commands
from hvscope.arguments import Arguments, completions, usage
from hvscope.command import HvCommand
from hvscope.error import HvError, Unreadable
from hvscope.functions import register_functions
from hvscope.stops import STOPS
from hvscope.symbols import MODES, SYMBOLS
from hvscope.target import TARGET
from hvscope.window import register_layout


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


class HvProfile(HvCommand):
    """Say or show what kind of hypervisor the target is.

Usage: hv-profile [auto | hv | xen | el2]

  auto  what is found (default): our image by its beacon, a Xen by its symbols
  hv    our image
  xen   a Xen, by the symbols that are loaded (`file xen-syms`)
  el2   any other: by its registers, tables only
Without an argument: what is looked at now.

Example: hv-profile xen"""

    name = "hv-profile"

    def run(self, arguments: Arguments) -> str:
        """Sets it if there is one; says what is looked at."""
        from hvscope import profile
        if arguments.rest and arguments.rest not in profile.NAMES:
            raise usage(f"{arguments.rest}: not one of {', '.join(profile.NAMES)}")
        if arguments.rest:
            profile.CHOSEN[0] = arguments.rest
        try:
            now = TARGET.beacon().kind
        except (HvError, Unreadable) as wrong:
            now = f"el2 ({wrong})"
        return f"profile: {profile.CHOSEN[0]}, now {now}"

    def complete_rest(self, text: str, word: str | None) -> object:
        """The names."""
        from hvscope import profile
        return completions(profile.NAMES, text, word)


def on_stop(_event: object) -> None:
    """At each stop, and when gdb attaches: symbols to where the CPU runs, never a word."""
    breaks = sys.modules.get("hvscope.breaks")  # loaded when there is one
    for work in (SYMBOLS.sync, STOPS.note, *([breaks.BREAKS.note] if breaks else [])):
        try:
            TARGET.reachable()
            work()
        except (HvError, Unreadable, gdb.error, KeyboardInterrupt):
            pass  # a Ctrl-C was meant for what the user typed


def before_prompt() -> None:
    """The last line of defence for the stub's mode; and a symbol file loaded by hand."""
    try:
        TARGET.leave_physical()
    except KeyboardInterrupt:
        pass
    thread = gdb.selected_thread()
    if thread is not None and thread.is_stopped() and SYMBOLS.stale():
        on_stop(None)


def register_all() -> None:
    """Makes the commands known to gdb."""
    for command in (*mapcache_commands.COMMANDS, *table_commands.COMMANDS, HvSymbols,
                    HvProfile):
        command()
    table_commands.PtWalk("hv-walk")
    table_commands.PtDump("hv-map")
    register_functions()
    register_layout()
    gdb.events.stop.connect(on_stop)
    gdb.events.before_prompt.connect(before_prompt)
    if gdb.selected_thread() is not None and gdb.selected_thread().is_stopped():
        on_stop(None)
