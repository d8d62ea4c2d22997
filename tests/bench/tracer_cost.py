#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tracer costs: the same boot with and without it, in turns, by QEMU's own CPU time.

hv: our image until it has made half a million maps.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "hv/launch"), str(ROOT / "gdb-scripts")]

from foreign import ARM32, ARM64, READY, Xen  # noqa: E402
from hvscope.beacon import beacon_read  # noqa: E402
from machine import Machine  # noqa: E402
from tracer import DOMHEAP_HV, DOMHEAP_XEN32, Tracer, qemu_for  # noqa: E402


RAM_BASE = 0x40000000
MAPS = 500_000  # of our image, which never ends by itself


def machine_of(what: str, build: Path, directory: Path, el1: bool) -> tuple[Machine, Tracer, str]:
    """The machine, its tracer, and what its console says when the boot is over."""
    if what == "hv":
        m = Machine(directory, build / "hv-xen.bin", 2, append="workload=copy")
        return m, Tracer(build, build / "hv-xen.elf", DOMHEAP_HV, el1=el1), "CPUs up"
    m = Xen(ARM32 if what == "xen32" else ARM64, directory, build)
    return m, Tracer(build, m.symbols, DOMHEAP_XEN32 if what == "xen32" else 0, el1=el1), READY


def cpu_seconds(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def maps(m: Machine) -> int:
    """How many both CPUs of our image have made."""
    with open(m.dir / "ram", "rb") as ram:
        def read(pa: int, size: int) -> bytes:
            ram.seek(pa - RAM_BASE)
            return ram.read(size)
        return sum(cpu.fields["maps"] for cpu in beacon_read(read).cpus)


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
            m.wait_console(ready, 600)
            while what == "hv" and maps(m) < MAPS:
                time.sleep(0.01)
            return cpu_seconds(m.process.pid)
        finally:
            m.cleanup()


def main() -> int:
    """Print a line a pair, and the median ratio."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
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
