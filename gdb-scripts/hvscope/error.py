# SPDX-License-Identifier: GPL-2.0-or-later
"""What went wrong, as one sentence and an exit status of the command line tools."""

from __future__ import annotations

EXIT_USAGE = 2
EXIT_NO_TARGET = 3
EXIT_NOT_UNDERSTOOD = 4
EXIT_NO_MAPCACHE = 5


class HvError(Exception):
    """One sentence for a person; status is what a command line tool exits with."""

    def __init__(self, message: str, status: int = EXIT_NOT_UNDERSTOOD) -> None:
        super().__init__(message)
        self.status = status


class Unreadable(Exception):
    """Memory that is asked for is no RAM, or the target does not give it: a sentence."""


class WalkStop(Unreadable):
    """The same of a table; reason: what a walk then says of it."""

    def __init__(self, reason: str, message: str | None = None) -> None:
        super().__init__(message or reason)
        self.reason = reason
