#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tracer costs: the same boot with and without it, in turns, by QEMU's own CPU time."""

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "hv/launch"), str(ROOT / "gdb-scripts")]

from foreign import ARM32, ARM64, READY, Xen  # noqa: E402
from machine import Machine  # noqa: E402
from tracer import DOMHEAP_HV, DOMHEAP_XEN32, Tracer, qemu_for  # noqa: E402


def machine_of(what: str, build: Path, directory: Path, el1: bool) -> tuple[Machine, Tracer, str]:
    """The machine, its tracer, and what its console says when the boot is over."""
    if what == "hv":
        m = Machine(directory, build / "hv-xen.bin", 2, append="workload=selftest")
        return m, Tracer(build, build / "hv-xen.elf", DOMHEAP_HV, el1=el1), ""
    m = Xen(ARM32 if what == "xen32" else ARM64, directory, build)
    return m, Tracer(build, m.symbols, DOMHEAP_XEN32 if what == "xen32" else 0, el1=el1), READY


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def boot(what: str, build: Path, traced: bool, el1: bool) -> float:
    """CPU seconds of one boot, by the same QEMU."""
    with tempfile.TemporaryDirectory() as directory:
        m, tracer, ready = machine_of(what, build, Path(directory) / "run", el1)
        if traced:
            tracer.attach(m)
        else:
            m.QEMU, options = qemu_for(build, m.QEMU)
            m.extra += options
        try:
            m.start()
            if ready:
                m.wait_console(ready, 600)
                return cpu_seconds(m.process.pid)
            before = os.times()
            m.process.wait(600)
            after = os.times()
            return (after.children_user + after.children_system
                    - before.children_user - before.children_system)
        finally:
            m.cleanup()


def main() -> int:
    """Print a line a pair, and the median ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=Path, default=Path("build"))
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--el1", action="store_true", help="EL1's tables too")
    parser.add_argument("what", nargs="*", default=["hv", "xen32", "xen64"])
    args = parser.parse_args()
    for what in args.what:
        ratios = []
        for n in range(args.pairs):
            plain, traced = (boot(what, args.build, on, args.el1) for on in (False, True))
            ratios.append(traced / plain)
            print(f"{what} {n}: {plain:.1f} s of CPU, traced {traced:.1f} s: "
                  f"{ratios[-1]:.2f} times", flush=True)
        print(f"{what}: median {statistics.median(ratios):.2f} times", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
