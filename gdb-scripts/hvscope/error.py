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


class WalkStop(LookupError):
    """Memory that cannot be read; reason: what a walk then says of a table there."""

    def __init__(self, reason: str, message: str | None = None) -> None:
        super().__init__(message or reason)
        self.reason = reason
