# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine under the tracer (viewer/tracer): a QEMU that can, and its options."""

import os
import re
import subprocess
import tempfile
import time
from pathlib import Path

from machine import RAM_FILES, SHM, LaunchError, Machine
from packages import Archive

QEMU_LEAST = (9, 2)
SUITE = "bookworm-backports"
PACKAGES = ("qemu-system-arm", "qemu-system-common", "qemu-system-data")
ENTRIES = 1 << 20  # records a CPU; QEMU takes fewer if the disk has no room
RECORD_BYTES = 32

# Where the mapcache's slots are: engines of our image, and an arm32 Xen.
DOMHEAP_HV, DOMHEAP_XEN32 = 0x7f8000000000, 0x80000000
SLOTS = 1024


def version_of(binary: str | Path) -> tuple[int, int]:
    """Version of a QEMU, (0, 0) if it cannot be run."""
    try:
        out = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return (0, 0)
    found = re.search(r"version (\d+)\.(\d+)", out.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _archive(build: Path) -> Archive:
    return Archive(build, "amd64", SUITE)


def can_trace(build: Path, name: str) -> bool:
    """Is there a QEMU of this name that can, without fetching one?"""
    fetched = _archive(build)
    return version_of(name) >= QEMU_LEAST or (
        fetched.has(*PACKAGES) and version_of(fetched.root / "usr/bin" / name) >= QEMU_LEAST)


def qemu_for(build: Path, name: str) -> tuple[str, list[str]]:
    """The QEMU called name that can trace, and the options it needs: installed, or fetched."""
    if version_of(name) >= QEMU_LEAST:
        return name, []
    try:
        root = _archive(build).fetch(*PACKAGES)
    except LaunchError as error:
        raise LaunchError(f"tracing needs QEMU 9.2 or later, and this machine's package sources "
                          f"have none ({error})") from None
    binary = root / "usr/bin" / name
    if version_of(binary) < QEMU_LEAST:
        raise LaunchError(f"tracing needs QEMU 9.2 or later; {binary} does not run here")
    return str(binary), ["-L", str(root / "usr/share/qemu")]


def _trace_file(machine: Machine, entries: int) -> str:
    """Where the rings go: on tmpfs if that has room, as the RAM does."""
    try:
        status = os.statvfs(SHM)
        room = status.f_bavail * status.f_frsize > 2 * machine.smp * entries * RECORD_BYTES
    except OSError:
        room = False
    if not room:
        return "trace"
    fd, name = tempfile.mkstemp(prefix="hvscope-", dir=SHM)
    os.close(fd)
    (machine.dir / "trace").symlink_to(name)
    return name


class Tracer:
    """The plugin for one machine; attach() it before the machine starts.

    elf has the symbols of map_domain_page() and unmap_domain_page(), domheap is the VA of the
    slots; without both, the tables' stores alone are recorded. out: a file, instead of one that
    the run directory names. el1: EL1's stores and TLBIs too.
    """

    def __init__(self, build: Path, elf: Path | None = None, domheap: int = 0,
                 entries: int = ENTRIES, out: Path | None = None, el1: bool = False):
        self.build, self.elf, self.domheap = build, elf, domheap
        self.entries, self.out, self.el1 = entries, out, el1
        self._qemu_options: list[str] = []

    def attach(self, machine: Machine) -> Machine:
        """Have the machine run under it, by a QEMU that can."""
        machine.QEMU, self._qemu_options = qemu_for(self.build, machine.QEMU)
        machine.tracer = self
        return machine

    def options(self, machine: Machine) -> list[str]:
        """QEMU's options; the machine's files are there."""
        words = [str(self.build.resolve() / "tracer/trace.so"), f"entries={self.entries}",
                 f"out={self.out or _trace_file(machine, self.entries)}"]
        words += [f"ram={name}" for name, _ in zip(RAM_FILES, machine.sizes)]
        if self.elf:
            words.append(f"elf={self.elf.resolve()}")
        if self.domheap:
            words += [f"domheap={self.domheap:#x}", f"slots={SLOTS}"]
        words += ["el1=on"] if self.el1 else []
        return [*self._qemu_options, "-plugin", ",".join(words)]

    def wait(self, machine: Machine, timeout: float = 20) -> None:
        """Wait until the plugin has made its file: QEMU loads it after its sockets are there."""
        deadline = time.monotonic() + timeout
        path = self.out or machine.dir / "trace"
        while not path.exists() or not any(path.open("rb").read(8)):
            if machine.ended() is not None or time.monotonic() > deadline:
                machine.stop()
                raise LaunchError("QEMU did not start: " + machine.qemu_log())
            time.sleep(0.01)
