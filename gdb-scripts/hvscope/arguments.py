# SPDX-License-Identifier: GPL-2.0-or-later
"""Options of the commands. (argparse costs more to load than all of hvscope, and exits.)"""

from __future__ import annotations

from collections.abc import Sequence

from hvscope.error import EXIT_USAGE, HvError


def usage(message: str) -> HvError:
    """A mistake of the user's."""
    return HvError(message, EXIT_USAGE)


class Arguments:
    """A parsed command line: flags, options with a value, and the rest as it was written."""

    def __init__(self, text: str, flags: Sequence[str], values: Sequence[str]) -> None:
        self.flags: set[str] = set()
        self.values: dict[str, str] = {}
        rest: list[str] = []
        words = iter(text.split())
        for word in words:
            name, equals, value = word.partition("=")
            if word in flags:
                self.flags.add(word)
            elif name in values:
                self.values[name] = value if equals else next(words, "")
                if not self.values[name]:
                    raise usage(f"{name} needs a value")
            elif word.startswith("--"):
                raise usage(f"unknown option {word}; there are {', '.join([*flags, *values])}")
            else:
                rest.append(word)
        self.rest = " ".join(rest)

    def cpus(self, ncpu: int, words: str) -> list[int] | None:
        """The CPUs of --cpu N[,N...], None without it; words: how many CPUs there are."""
        if "--cpu" not in self.values:
            return None
        cpus = []
        for part in self.values["--cpu"].split(","):
            if not part.isascii() or not part.isdigit():
                raise usage(f"--cpu {self.values['--cpu']} is not a list of CPU numbers")
            if int(part) >= ncpu:
                raise usage(f"no CPU{int(part)}: this machine has {words}")
            cpus.append(int(part))
        return cpus

    def no_rest(self) -> None:
        """For commands that take options only."""
        if self.rest:
            raise usage(f"what is \"{self.rest}\"? This command takes options only")


def completions(options: Sequence[str], text: str, word: str | None) -> list[str]:
    """The options that the last word of text may become.

    gdb breaks words at "-" too: what is offered replaces `word` only.
    """
    last = text.split(" ")[-1]
    skip = len(last) - len(word or "")
    return [option[skip:] for option in options if option.startswith(last)]
