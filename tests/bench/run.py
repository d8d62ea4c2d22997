# SPDX-License-Identifier: GPL-2.0-or-later
"""One boot: a stream of a trace, replayed by an engine in the image; what was counted.

The machine has 66 GiB of sparse RAM. The traces' frames lie in the first 64;
the image's heap is above them (mem=), so no map is answered from the directmap.
"""

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "hv/launch"), str(ROOT / "gdb-scripts")]

from machine import LaunchError, Machine, end_cleanly  # noqa: E402, F401

RAM = "66G"
HEAP = "mem=2G@0x1040000000"
PLUGIN = "bench/count.so"
SECONDS_FIRST, SECONDS_A_PAIR = 120, 2e-4  # how long a boot may take: a deadline, no measure

Counts = dict[str, dict[str, int]]


@dataclass(frozen=True)
class Row:
    """An engine, and how it is booted."""
    name: str
    engine: str
    options: str = ""
    cpu: str = "max"


ROWS = (
    Row("xen", "xen"),
    Row("bbm", "bbm"),
    Row("bbm-write-pte", "bbm-write-pte"),
    Row("bbm-flush", "bbm-flush"),
    Row("clock", "clock"),
    Row("clock-va", "clock", cpu="cortex-a57"),
    Row("clock-zap", "clock", "mapcache=zap"),
    Row("clock-strict", "clock", "mapcache=strict"),
)
ROW_NOTES = {
    "xen": "the patch",
    "bbm": "break before make, no flush on a hit",
    "bbm-write-pte": "the same with Xen's write_pte()",
    "bbm-flush": "the same, and the flush on every map kept",
    "clock": "mapcache=lazy, on -cpu max (range TLBI)",
    "clock-va": "mapcache=lazy, on cortex-a57 (no range TLBI)",
    "clock-zap": "mapcache=zap: nothing idle in the tables",
    "clock-strict": "mapcache=strict: nor in the TLB",
}


class BenchError(Exception):
    """What went wrong, in a sentence."""


def parse(text: str) -> Counts:
    """Lines of a name and name=number words."""
    counts: Counts = {}
    for line in text.splitlines():
        words = line.removeprefix("bench: ").split()
        if len(words) > 1 and all(re.fullmatch(r"\w+=(0x)?[0-9a-f]+", word) for word in words[1:]):
            pairs = (word.split("=") for word in words[1:])
            counts[words[0]] = {name: int(value, 0) for name, value in pairs}
    return counts


def slots_va(elf: Path, cross: str) -> str:
    """Where the boot CPU's slots are."""
    if not elf.exists():
        raise BenchError(f"there is no {elf.name}: run make bench-build")
    symbols = subprocess.run([cross.replace("gcc", "nm"), elf], check=True, text=True,
                             capture_output=True).stdout
    return "0x" + re.search(r"^(\w+) . cpu0_dommap$", symbols, re.M)[1]


@dataclass
class Part:
    """A stream of a trace file, and what the model on the host says must come of it."""
    file: Path
    stream: int
    model: Counts

    @property
    def pairs(self) -> int:
        """How often it maps."""
        return self.model["engine"]["maps"]


class Lab:
    """Where things were built, and the way to boot them."""

    def __init__(self, build: Path, cc: str) -> None:
        self.build, self.cc = build.resolve(), cc

    def model(self, file: Path, stream: int) -> Part:
        """A part, with the model's verdict."""
        result = subprocess.run([self.build / "bench/model", file, str(stream)],
                                capture_output=True, text=True, check=False)
        if result.returncode:
            raise BenchError(f"{file.name}: {result.stderr.strip()}")
        return Part(file, stream, parse(result.stdout))

    def _boot(self, image: Path, row: Row, part: Part, options: str, extra: str, into: Path
              ) -> Counts:
        machine = Machine(into / "run", image, 1, RAM, row.cpu,
                          f"workload=bench:{part.stream} {HEAP} {row.options} {options}",
                          f"-initrd {part.file} -icount shift=0 {extra}")
        try:
            machine.start()
            status = machine.wait(SECONDS_FIRST + part.pairs * SECONDS_A_PAIR)
            text = machine.console()
            if status:
                raise BenchError(f"{image.name} ended with {status}: "
                                 f"{text.strip().splitlines()[-1:]} {machine.qemu_log()}")
            return parse(text)
        except (LaunchError, subprocess.TimeoutExpired) as error:
            raise BenchError(f"{image.name}: {error}") from None
        finally:
            machine.cleanup()

    def measured(self, row: Row, part: Part) -> tuple[Counts, Counts]:
        """The engine alone: what the image's PMU counted, and what the plugin did."""
        image = self.build / f"bench/bare-{row.engine}.bin"
        with tempfile.TemporaryDirectory() as name:
            out = Path(name) / "count"
            slots = slots_va(image.with_suffix(".elf"), self.cc)
            counts = self._boot(image, row, part, "trace=off",
                                f"-plugin {self.build / PLUGIN},out={out},slots={slots}",
                                Path(name))
            return counts, parse(out.read_text())

    def recorded(self, row: Row, part: Part) -> Counts:
        """The image as it is, with all its events counted from its ring and checked."""
        with tempfile.TemporaryDirectory() as name:
            return self._boot(self.build / f"hv-{row.engine}.bin", row, part,
                              "trace=all check=on", "", Path(name))
