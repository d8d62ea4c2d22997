# SPDX-License-Identifier: GPL-2.0-or-later
"""hv-open: a snapshot, a recording or a core in place of a machine."""

from __future__ import annotations

import os

import gdb

from hvscope.arguments import Arguments, usage
from hvscope.error import EXIT_NO_TARGET, HvError, Unreadable
from hvscope.mapcache import image_words
from hvscope.offline import Memory, Recording, open_memory
from hvscope.stops import STOPS
from hvscope.target import TARGET, execute


def hv_open(arguments: Arguments) -> str:
    """Opens a file, goes to a frame, or closes; says what is open."""
    path = os.path.expanduser(arguments.rest)
    if "--close" in arguments.flags:
        return close()
    if path:
        take(path)
    if "--frame" in arguments.values:
        seek(arguments.values["--frame"])
    file = TARGET.offline()
    if file is None:
        raise usage("which file? hv-open FILE [--frame N]")
    if path or "--frame" in arguments.values:
        note()
    return words(file)


def take(path: str) -> None:
    """Another file. A core is opened as gdb's own target, which has its threads and registers."""
    connection = gdb.selected_inferior().connection
    if connection is not None and connection.type != "core":
        raise HvError("gdb is attached to a machine: `disconnect` first", EXIT_NO_TARGET)
    file = open_memory(os.path.abspath(path))
    if file.kind == "core":
        TARGET.opened = None
        execute(f"core-file {file.path}")
        return
    if connection is not None:
        execute("core-file")
    TARGET.opened = file


def close() -> str:
    """No file any more."""
    file = TARGET.offline()
    if file is None:
        raise HvError("no file is open", EXIT_NO_TARGET)
    if file.kind == "core":
        execute("core-file")
    TARGET.opened = None
    STOPS.forget()
    return f"{file.path} is closed"


def seek(text: str) -> None:
    """To a frame of a recording."""
    file = TARGET.offline()
    if not isinstance(file, Recording):
        raise usage("--frame is for a recording: open one first")
    last = len(file.frames) - 1
    if not text.isascii() or not text.isdigit() or int(text) > last:
        raise usage(f"no frame {text}: there are 0-{last}")
    file.seek(int(text))


def note() -> None:
    """What mapcache-diff compares with from now on, as at a stop."""
    try:
        STOPS.note()
    except (HvError, Unreadable):
        STOPS.forget()


def words(file: Memory) -> str:
    """What is open."""
    lines = [f"{file.kind} {file.path}"]
    if isinstance(file, Recording) and len(file.frames) > 1:
        since = (file.time(file.at) - file.time(0)) / 1e9
        lines.append(f"frame {file.at} of 0-{len(file.frames) - 1}, {since:.3f} s after the first")
    try:
        beacon = TARGET.beacon()
    except (HvError, Unreadable) as wrong:
        return "\n".join([*lines, str(wrong)])
    return "\n".join([*lines, image_words(beacon)])
