# SPDX-License-Identifier: GPL-2.0-or-later
"""QEMU's record and replay of one run: which files, which options.

A recording is a log of what came from outside (time, keys), and a snapshot of the
start in an empty disk image, which running backwards needs. Only one CPU can be recorded.
"""

import json
import subprocess
from pathlib import Path

from machine import LaunchError

SHIFT = 7  # 2^7 ns of the machine's time an instruction


def make(directory: Path, settings: dict[str, str]) -> None:
    """Room for a new recording; settings: what the same machine is made of again."""
    directory.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2",
                        str(directory / "recording.qcow2"), "1M"], check=True)
    except FileNotFoundError:
        raise LaunchError("qemu-img is not installed: run make deps") from None
    (directory / "recording.json").write_text(json.dumps(settings))


def load(directory: Path) -> dict[str, str]:
    """The settings of a recording."""
    try:
        return json.loads((directory / "recording.json").read_text())
    except FileNotFoundError:
        raise LaunchError(f"there is no recording in {directory}: run make record") from None


def options(directory: Path, mode: str) -> str:
    """QEMU's options; mode: record or replay."""
    base = str(directory.resolve() / "recording").replace(",", ",,")
    return (f"-icount 'shift={SHIFT},rr={mode},rrfile={base}.bin,rrsnapshot=init' "
            f"-drive 'file={base}.qcow2,if=none,id=rr'")
