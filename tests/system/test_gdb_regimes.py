# SPDX-License-Identifier: GPL-2.0-or-later
"""Every granule and size, 52-bit addresses, E2H: tables that a CPU uses, read by the commands.

A program without an image loads the registers and has the CPU translate (AT, PAR_EL1). So
pt-dump and pt-walk are held against a naive oracle, and both against the CPU's own answers.
"""
from __future__ import annotations

import json
import random
import re
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest
from shapes import Builder, Shape, leaves, walk
from debugger import Gdb
from test_gdb_tables import WALKS

PROGRAM, PARAMETERS, ADDRESSES, RESULTS = 0x40080000, 0x40081000, 0x40082000, 0x40088000
AREA = 0x44000000
NAMES = ("SCTLR_EL1", "TCR_EL1", "MAIR_EL1", "TTBR0_EL1", "TTBR1_EL1", "VTCR_EL2", "VTTBR_EL2",
         "HCR_EL2", "TCR_EL2", "MAIR_EL2", "TTBR0_EL2", "TTBR1_EL2", "SCTLR_EL2")
S1E1R, S12E1R, S1E2R = 0, 1, 2
TG0, TG1 = {"4K": 0, "64K": 1, "16K": 2}, {"16K": 1, "4K": 2, "64K": 3}
SIZES = {36: 1, 40: 2, 48: 5, 52: 6}  # PS, IPS
RW, E2H, VM = 1 << 31, 1 << 34, 1
ASKED = 200
LEAVES = {"4K": 60, "16K": 30, "64K": 15}  # a table of 64 KiB is dear


def shape(granule: str, in_bits: int, **more) -> Shape:
    """Stage 1: begins where the size needs it to."""
    page = {"4K": 12, "16K": 14, "64K": 16}[granule]
    levels = -(-(in_bits - page) // (page - 3))
    return Shape(granule, in_bits, 4 - levels, **more)


def wide(granule: str, in_bits: int, **more) -> Shape:
    """The same with 52-bit addresses."""
    return shape(granule, in_bits, wide="lpa" if granule == "64K" else "lpa2", out_bits=52, **more)


def stage2(granule: str, in_bits: int, start: int, **more) -> Shape:
    """Stage 2."""
    return Shape(granule, in_bits, start, stage2=True, **more)


def two_ranges(low: Shape, high: Shape) -> int:
    """TCR_EL1, or TCR_EL2 with E2H."""
    return (64 - low.in_bits | TG0[low.granule] << 14 | 64 - high.in_bits << 16
            | TG1[high.granule] << 30 | SIZES[low.out_bits] << 32
            | int(low.wide == "lpa2") << 59)


def one_range(low: Shape) -> int:
    """TCR_EL2."""
    return (64 - low.in_bits | TG0[low.granule] << 14 | SIZES[low.out_bits] << 16
            | int(low.wide == "lpa2") << 32 | 1 << 31 | 1 << 23)


def vtcr(low: Shape) -> int:
    """VTCR_EL2."""
    four = {3: 3, 2: 0, 1: 1, 0: 2, -1: 0}
    sl0 = four[low.start] if low.granule == "4K" else 3 - low.start
    return one_range(low) & ~(1 << 23) | sl0 << 6 | int(low.start == -1) << 33


def ttbr(root: int, out_bits: int) -> int:
    """A root as a register holds it."""
    return root | (root >> 48 << 2 if out_bits == 52 else 0)


class Bench:
    """The machine with the program, and a gdb."""

    def __init__(self, directory: Path) -> None:
        from machine import Machine
        elf, image = directory / "program.elf", directory / "program.bin"
        source = Path(__file__).with_name("tables") / "program.S"
        subprocess.run(["aarch64-linux-gnu-gcc", "-nostdlib", "-static", "-Wl,--build-id=none",
                        f"-Wl,-Ttext={PROGRAM:#x}", "-Wl,-e,start", "-o", elf, source], check=True)
        subprocess.run(["aarch64-linux-gnu-objcopy", "-O", "binary", elf, image], check=True)
        self.m = Machine(directory / "run", image, 1, "512M", "max", "", "-S")
        self.m.start()
        self.session = Gdb("-ex", f"target remote {self.m.dir}/gdb.sock", elf=elf)
        self.session("hbreak *done")
        self.session(WALKS)
        self.session(REASONS)
        self.build = Builder(self.m.dir / "ram", AREA)

    def run(self, registers: dict[str, int], instruction: int, addresses: list[int]) -> list:
        """Loads registers (0 where none is given); the CPU's translations."""
        values = [{"HCR_EL2": RW, "MAIR_EL1": 0xFF, "MAIR_EL2": 0xFF, **registers}.get(name, 0)
                  for name in NAMES]
        self.build.put(PARAMETERS, *values, instruction, len(addresses))
        self.build.put(ADDRESSES, *addresses)
        self.session("set $pc = start")
        assert "done" in self.session("continue")
        found = [self.build.word(RESULTS + 8 * n) for n in range(len(addresses))]
        self.faults = [(par >> 1 & 63) if par & 1 else None for par in found]
        return [None if par & 1 else par & 0xFFFFFFFFFF000 for par in found]

    def flat(self, low: Shape, root: int) -> None:
        """The program's page where it runs."""
        page = {"4K": 4096, "16K": 16384, "64K": 65536}[low.granule]
        for at in range(PROGRAM, PROGRAM + 65536, page):
            self.build.insert(low, root, at, 3, at, 1 << 10 | (0xFC if low.stage2 else 0))

    def clear(self) -> None:
        """The next case's tables begin at the same place."""
        self.build.at = AREA

    def close(self) -> None:
        """Ends both."""
        self.session.close()
        self.m.cleanup()


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    """One for all cases."""
    one = Bench(tmp_path_factory.mktemp("tables"))
    yield one
    one.close()


class Half(NamedTuple):
    """A range of addresses, its root, and where leaves were put, good ones and bad ones."""

    shape: Shape
    root: int
    known: list[int]


REASONS = """python
def reasons(name, high, root, addresses):
    rules, _ = regime.regime_of(name, high, register)
    with TARGET.physical():
        answers = [walk.walk(TARGET.read_phys, rules, root, va)["fault"] for va in addresses]
    print(json.dumps(answers))
end"""
KINDS = {"address size": 0, "invalid entry": 4, "reserved entry": 4, "access flag": 8}


def check_faults(bench: Bench, regime: str, half: Half, addresses: list[int], codes: list) -> None:
    """Why and at which level a walk faults is what the CPU says (PAR_EL1.FST)."""
    faulty = [(va, code) for va, code in zip(addresses, codes) if code is not None][:60]
    bench.session(f"python addresses = {[va for va, _ in faulty]}")
    said = json.loads(bench.session(
        f"python reasons('{regime}', {half.shape.high}, {half.root}, addresses)"))
    for (va, code), fault in zip(faulty, said):
        if fault["reason"] != "address out of range":
            level, kind = fault["level"], KINDS[fault["reason"]]
            assert code == (kind + level if level >= 0 else 0x29 + kind // 2), hex(va)


def made(bench: Bench, low: Shape, noise: random.Random, flat: bool = False) -> Half:
    """Tables of this shape, with leaves all over."""
    root = bench.build.root(low)
    if flat:
        bench.flat(low, root)
    return Half(low, root, bench.build.fill(low, root, noise, LEAVES[low.granule]))


def some(half: Half, noise: random.Random, count: int) -> list[int]:
    """Addresses: mapped ones, neighbours of these, anywhere in the range, and outside of it."""
    known = half.known
    size = 1 << half.shape.in_bits
    return [noise.choice(known) + noise.randrange(4096) if n % 3 == 0
            else half.shape.base() + noise.getrandbits(half.shape.in_bits) if n % 3 == 1
            else noise.choice(known) ^ 1 << noise.randrange(12, half.shape.in_bits) if n % 9 != 2
            else noise.getrandbits(64) % (size * 2) for n in range(count)]


def check(bench: Bench, regime: str, half: Half, asked: list[tuple[int, object, object]]) -> None:
    """pt-dump has every leaf of the oracle; pt-walk agrees for all addresses, and the CPU too."""
    word, (low, root, _) = bench.build.word, half
    addresses, truth, codes = (list(column) for column in zip(*asked))
    dump = json.loads(bench.session(f"pt-dump --regime {regime} --json"))
    said = []
    for one in dump["ranges"]:
        va, size, pa = (int(one[key], 0) for key in ("va", "size", "pa"))
        step = size // one["leaves"]
        said += [(va + n * step, pa + n * step, one["level"]) for n in range(one["leaves"])]
    said = [leaf for leaf in said if (leaf[0] >> 63 == 1) == low.high]
    assert said == [leaf[:3] for leaf in leaves(bench.build.words, low, root)]
    expect = [walk(word, low, root, va) for va in addresses]
    bench.session(f"python addresses = {addresses}")
    found = json.loads(bench.session(
        f"python walks('{regime}', {low.high}, {root}, addresses)"))
    assert found == expect
    assert any(expect) and not all(expect)
    assert truth == [pa if pa is None else pa & -4096 for pa in expect]
    check_faults(bench, regime, half, addresses, codes)


def check_halves(bench: Bench, regime: str, halves: list[Half], asked: list[tuple]) -> None:
    """Each half by the addresses that its register translates."""
    for half in halves:
        check(bench, regime, half, [one for one in asked if one[0] >> 55 & 1 == half.shape.high])


EL1 = [(shape("4K", 48), shape("4K", 48, high=True)), (shape("16K", 47), shape("64K", 48)),
       (shape("64K", 42), shape("16K", 36)), (shape("4K", 25), shape("4K", 39)),
       (shape("16K", 48), shape("4K", 31)), (shape("64K", 30), shape("64K", 47)),
       (wide("4K", 52), wide("4K", 49)), (wide("16K", 52), wide("16K", 47)),
       (wide("64K", 52), wide("64K", 48)), (wide("4K", 48), wide("16K", 50)),
       (shape("4K", 40, out_bits=40), shape("16K", 38, out_bits=40))]


def name_of(value: object) -> str | None:
    """A case's name."""
    return f"{value.granule}-{value.in_bits}-{value.out_bits}" if isinstance(value, Shape) else None


@pytest.mark.parametrize("low, high", EL1, ids=name_of)
def test_el1(bench: Bench, low: Shape, high: Shape) -> None:
    """Both halves, each with its own granule and size."""
    noise = random.Random(str((low, high)))
    bench.clear()
    high = high._replace(high=True)
    halves = [made(bench, low, noise), made(bench, high, noise)]
    addresses = [some(half, noise, ASKED) for half in halves]
    truth = bench.run({"SCTLR_EL1": 1, "TCR_EL1": two_ranges(low, high),
                       "TTBR0_EL1": halves[0].root, "TTBR1_EL1": halves[1].root}, S1E1R,
                      addresses[0] + addresses[1])
    check_halves(bench, "el1", halves,
                 list(zip(addresses[0] + addresses[1], truth, bench.faults)))


@pytest.mark.parametrize("low", [
    stage2("4K", 39, 1), stage2("4K", 43, 1), stage2("4K", 44, 0), stage2("4K", 34, 2),
    stage2("16K", 40, 2), stage2("16K", 47, 1), stage2("4K", 36, 1, out_bits=36),
    stage2("64K", 42, 2), stage2("64K", 46, 2),
    stage2("4K", 52, -1, wide="lpa2", out_bits=52), stage2("16K", 51, 1, wide="lpa2", out_bits=52),
    stage2("64K", 48, 1, wide="lpa", out_bits=52)], ids=name_of)
def test_stage2(bench: Bench, low: Shape) -> None:
    """First levels of one table and of up to 16."""
    noise = random.Random(str(low))
    bench.clear()
    half = made(bench, low, noise)
    addresses = [va for va in some(half, noise, ASKED) if va >> low.in_bits == 0]
    truth = bench.run({"HCR_EL2": RW | VM, "VTCR_EL2": vtcr(low), "VTTBR_EL2": half.root}, S12E1R,
                      addresses)
    check(bench, "s2", half, list(zip(addresses, truth, bench.faults)))


@pytest.mark.parametrize("low", [shape("4K", 48), shape("16K", 47), shape("64K", 48),
                                 shape("4K", 39), wide("4K", 52), wide("16K", 52),
                                 wide("64K", 52)], ids=name_of)
def test_el2(bench: Bench, low: Shape) -> None:
    """EL2's own tables, in use by the program."""
    noise = random.Random(str(low))
    bench.clear()
    half = made(bench, low, noise, flat=True)
    addresses = [va for va in some(half, noise, ASKED)]
    truth = bench.run({"TCR_EL2": one_range(low), "TTBR0_EL2": half.root, "SCTLR_EL2": 1}, S1E2R,
                      addresses)
    check(bench, "el2", half, list(zip(addresses, truth, bench.faults)))
    said = re.search(r"gpa: (\S+)", bench.session(f"monitor gva2gpa {PROGRAM:#x}"))
    assert int(said[1], 0) == PROGRAM
    assert f"-> page at {PROGRAM:#x}, {low.granule[:-1]} KiB" in bench.session("pt-walk start")


@pytest.mark.parametrize("low, high", [(shape("4K", 48), shape("16K", 47)),
                                       (shape("64K", 42), shape("4K", 39)),
                                       (wide("4K", 52), wide("4K", 50))], ids=name_of)
def test_e2h(bench: Bench, low: Shape, high: Shape) -> None:
    """EL2 as a host: both halves, by TCR_EL2 in its other layout."""
    noise = random.Random(str((low, high)))
    bench.clear()
    high = high._replace(high=True)
    halves = [made(bench, low, noise, flat=True), made(bench, high, noise)]
    addresses = [some(half, noise, ASKED) for half in halves]
    truth = bench.run({"HCR_EL2": RW | E2H, "TCR_EL2": two_ranges(low, high), "SCTLR_EL2": 1,
                       "TTBR0_EL2": halves[0].root, "TTBR1_EL2": halves[1].root}, S1E2R,
                      addresses[0] + addresses[1])
    check_halves(bench, "el2-e2h", halves,
                 list(zip(addresses[0] + addresses[1], truth, bench.faults)))
    assert bench.session("pt-walk start").splitlines()[-1].startswith(f"  = {PROGRAM:#x}  rwx")
    roots = [f"root {half.root:#x}" for half in halves]
    assert all(root in bench.session("pt-dump") for root in roots)
    assert roots[1] in bench.session(f"pt-walk {high.base():#x}").splitlines()[0]


@pytest.mark.parametrize("low, second", [(shape("16K", 47), stage2("4K", 40, 1)),
                                         (shape("4K", 39), stage2("64K", 42, 2)),
                                         (shape("64K", 42), stage2("16K", 40, 2))], ids=name_of)
def test_both_stages(bench: Bench, low: Shape, second: Shape) -> None:
    """A guest whose pages are not the hypervisor's: stage 1 tables are read through stage 2."""
    noise = random.Random(str((low, second)))
    bench.clear()
    build = bench.build
    root = made(bench, low, noise).root
    outer = made(bench, second, noise)
    level, size = {"4K": (2, 21), "16K": (2, 25), "64K": (2, 29)}[second.granule]
    for at in range(AREA >> size, (build.at >> size) + 1):
        build.insert(second, outer.root, at << size, level, at << size, 1 << 10 | 0xFC)
    known = [leaf.va for leaf in leaves(build.words, second, outer.root)]
    inner = []
    for _ in range(20):
        va = noise.getrandbits(low.in_bits) & -65536
        inner.append(va)
        build.insert(low, root, va, 3, noise.choice(known) & -65536, 1 << 10)

    def ipa_word(ipa: int) -> int | None:
        pa = walk(build.word, second, outer.root, ipa)
        return None if pa is None else build.word(pa)

    asked = [va for va in some(Half(low, root, inner), noise, ASKED) if va >> low.in_bits == 0]
    truth = bench.run({"SCTLR_EL1": 1, "TCR_EL1": two_ranges(low, shape("4K", 48)) | 1 << 23,
                       "TTBR0_EL1": root, "HCR_EL2": RW | VM, "VTCR_EL2": vtcr(second),
                       "VTTBR_EL2": outer.root}, S12E1R, asked)
    ipas = [walk(ipa_word, low, root, va) for va in asked]
    expect = [ipa if ipa is None else walk(build.word, second, outer.root, ipa) for ipa in ipas]
    assert truth == [pa if pa is None else pa & -4096 for pa in expect]
    for va, ipa, pa in list(zip(asked, ipas, expect))[:60]:
        said = json.loads(bench.session(f"pt-walk --regime guest {va:#x} --json"))
        assert said["ipa"] == (None if ipa is None else hex(ipa))
        assert (said["result"] or {"pa": None})["pa"] == (None if pa is None else hex(pa))
    assert any(pa is not None for pa in expect[:60]) and None in expect
