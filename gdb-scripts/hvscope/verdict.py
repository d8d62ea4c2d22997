# SPDX-License-Identifier: GPL-2.0-or-later
"""mapcache-check on gdb's side: the invariants, then `hvscope check` on the same machine."""

from __future__ import annotations

import os
import shutil
import subprocess

import gdb

from hvscope import check
from hvscope.target import TARGET

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SECONDS = 120  # a minute's events of a traced Xen take a quarter of it


def viewer() -> str | None:
    """The hvscope binary: beside the image whose symbols are loaded, in build/, or on PATH."""
    beside = os.path.dirname(gdb.current_progspace().filename or "")
    for directory in (beside, os.path.join(ROOT, "build")):
        path = os.path.abspath(os.path.join(directory, "hvscope"))
        if directory and os.access(path, os.X_OK) and os.path.isfile(path):
            return path
    return shutil.which("hvscope")


def target_options() -> list[str] | None:
    """How hvscope finds the same machine or file; None if it cannot."""
    file = TARGET.offline()
    if file is not None:
        return ["--core" if file.kind == "core" else "--recording",
                os.path.abspath(file.path)]
    directory = os.path.dirname(os.path.abspath(gdb.selected_inferior().connection.details or ""))
    return ["--dir", directory] if os.path.exists(os.path.join(directory, "ram")) else None


def hazards() -> str:
    """The break-before-make verdict in words, or why there is none."""
    binary, options = viewer(), target_options()
    if binary is None:
        return "break-before-make: not checked, there is no hvscope in build/ (make) nor on PATH"
    if options is None:
        return "break-before-make: not checked, gdb is not connected to a run directory's gdb.sock"
    try:
        # It looks for the image's symbols in the build/ of where it runs.
        done = subprocess.run([binary, "check", *options], capture_output=True, text=True,
                              timeout=SECONDS, check=False,
                              cwd=os.path.dirname(os.path.dirname(binary)))
    except subprocess.TimeoutExpired:
        return f"break-before-make: not checked, hvscope check took more than {SECONDS} s"
    except OSError as wrong:
        return f"break-before-make: not checked, {wrong}"
    if done.returncode not in (0, 1, 6):
        reason = " ".join(done.stderr.split()) or f"it ended with {done.returncode}"
        return f"break-before-make: not checked; {reason}"
    return "break-before-make, by hvscope check:\n" + done.stdout.rstrip()


def check_text() -> str:
    """mapcache-check."""
    with TARGET.physical():
        text = check.check_text(TARGET.read_phys, TARGET.beacon())
    return f"{text}\n{hazards()}"
