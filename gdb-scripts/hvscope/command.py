# SPDX-License-Identifier: GPL-2.0-or-later
"""What all commands share: options, completion, one sentence when something is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import gdb

from hvscope.arguments import Arguments, completions, usage
from hvscope.beacon import Beacon
from hvscope.error import HvError, Unreadable
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
        except (HvError, Unreadable, gdb.error) as wrong:
            raise gdb.GdbError(f"hvscope: {wrong}") from None
        finally:
            TARGET.leave_physical()
        for piece in [answer] if isinstance(answer, str) else answer:
            gdb.write(piece)
        gdb.write("\n")

    def run(self, arguments: Arguments) -> str | Iterable[str]:
        """The command's own work: options in, text out; a long one in pieces.

        Pieces are made as they are printed, after all has been read: memory that was used for one
        serves for the next, where a long string would be new to the kernel, page by page.
        """
        raise NotImplementedError

    def complete(self, text: str, word: str | None) -> object:
        """Options; what else there is to complete is the command's own affair."""
        if text.split(" ")[-1].startswith("-"):
            return completions([*self.flags, *self.values], text, word)
        return self.complete_rest(text, word)

    def complete_rest(self, text: str, word: str | None) -> object:
        """Completions of a word that is no option."""
        return gdb.COMPLETE_NONE


def one_cpu(arguments: Arguments, beacon: Beacon) -> int:
    """The CPU of --cpu N, or the selected thread's; one that the image knows."""
    cpus = arguments.cpus(beacon.ncpu, cpus_words(beacon.ncpu))
    if cpus is None:
        return min(TARGET.cpu(), beacon.ncpu - 1)
    if len(cpus) != 1:
        raise usage("this command takes one CPU")
    return cpus[0]
