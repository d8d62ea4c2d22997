# SPDX-License-Identifier: GPL-2.0-or-later
"""The Python readers, without gdb: held to tests/vectors, to beacon.h, and to noise.

The viewer's C is held to the same vectors.
"""
from __future__ import annotations

import json
import pathlib
import random
import re
import struct
import subprocess
import sys
import types

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "gdb-scripts"))

from hvscope import beacon, columns, guestwalk, mapcache, pte, regime, walk  # noqa: E402
from hvscope.error import HvError, Unreadable  # noqa: E402

VECTORS = ROOT / "tests" / "vectors"


def cases(name: str) -> list:
    """The vectors of one file, as pytest parameters with their names."""
    rows = json.loads((VECTORS / name).read_text())
    return [pytest.param(row, id=row["name"]) for row in rows]


@pytest.mark.parametrize("case", cases("slots.json"))
def test_slot(case: dict) -> None:
    """State, frame and place of one slot, and the order of its keys."""
    target = types.SimpleNamespace(
        foreign_pa=False,
        domheap_va=int(case["domheap_va"], 0), domheap_entries=case["entries"],
        slot_attr=int(case["slot_attr"], 0), engine_name="xen",
        banks=[(int(base, 0), int(size, 0)) for base, size in case["ram"]])
    decode, pte = mapcache.Decoder(target), int(case["pte"], 0)
    slot = decode(case["slot"], pte)
    assert decode.many([(case["slot"], pte)]) == [slot]
    assert columns.slot_json(slot) == json.dumps(case["expect"], separators=(",", ":"))


def el2(tcr: int, mair: int = 0, hcr: int = 0, sctlr: int = 0, tcr2: int = 0,
        pa_bits: int = 52) -> regime.Regime:
    """The EL2 regime of these registers."""
    parange = {32: 0, 36: 1, 40: 2, 42: 3, 44: 4, 48: 5, 52: 6}[pa_bits]
    registers = {"TCR_EL2": tcr, "MAIR_EL2": mair, "HCR_EL2": hcr, "SCTLR_EL2": sctlr,
                 "TCR2_EL2": tcr2, "ID_AA64MMFR0_EL1": parange}
    return regime.regime_el2(registers.get)


def el2_of(case: dict) -> regime.Regime:
    """The EL2 regime of a case."""
    return el2(*(int(case[key], 0) for key in ("tcr", "mair", "hcr", "sctlr", "tcr2")),
               pa_bits=case["pa_bits"])


@pytest.mark.parametrize("case", cases("walks.json"))
def test_walk(case: dict) -> None:
    """Steps, result and fault of one walk, or a refusal."""
    entries = {int(pa, 0): int(pte, 0) for pa, pte in case["memory"].items()}

    def read(pa: int, _: int) -> bytes:
        if pa not in entries:
            raise Unreadable
        return entries[pa].to_bytes(8, "little")

    def answer() -> dict:
        return walk.walk(read, el2_of(case), int(case["root"], 0), int(case["va"], 0))

    if case.get("error"):
        with pytest.raises(HvError):
            answer()
    else:
        assert json.dumps(answer()) == json.dumps(case["expect"])


@pytest.mark.parametrize("case", cases("regimes.json"))
def test_regime(case: dict) -> None:
    """EL1, EL2 with E2H, stage 2, and a guest's two stages, from control registers only."""
    entries = {int(pa, 0): int(pte, 0) for pa, pte in case["memory"].items()}
    registers = {name: int(value, 0) for name, value in case["registers"].items()}
    va = int(case["va"], 0)

    def read(pa: int, _: int) -> bytes:
        return entries[pa].to_bytes(8, "little")

    def stage(name: str) -> tuple | None:
        if regime.off_words(name, registers.get):
            return None
        return regime.regime_of(name, regime.is_high(name, va), registers.get)

    def answer() -> dict:
        if case["regime"] == "guest":
            return guestwalk.guest_walk(read, stage("el1"), stage("s2"), va)
        name = case["regime"]
        rules, root = regime.regime_of(name, regime.is_high(name, va), registers.get)
        return {"root": hex(root), **walk.walk(read, rules, root, va)}

    if case.get("error"):
        with pytest.raises(HvError):
            answer()
    else:
        assert json.dumps(answer()) == json.dumps(case["expect"])


@pytest.mark.parametrize("name", ["slots", "walks", "regimes"])
def test_vectors_are_what_their_generator_writes(name: str, tmp_path: pathlib.Path) -> None:
    """The committed file is the generator's."""
    script = tmp_path / f"make_{name}.py"
    script.write_text((VECTORS / script.name).read_text())
    subprocess.run([sys.executable, script], check=True, capture_output=True)
    assert (tmp_path / f"{name}.json").read_text() == (VECTORS / f"{name}.json").read_text()


@pytest.mark.parametrize("case", cases("walks.json")[:40])
def test_walk_text_fits(case: dict) -> None:
    """The text of a walk is at most 80 columns wide."""
    if case.get("error"):
        return
    text = walk.walk_text(el2_of(case), case["expect"], 0, int(case["root"], 0), int(case["va"], 0))
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("ps, ttbr, root", [
    (44, 0x4032B000, 0x4032B000), (44, 0x4032B001, 0x4032B000), (52, 0x4032B014, 0x500004032B000),
    (52, 0x4032B040, 0x4032B040), (44, 0xFFFF00004032B000, 0x4032B000)])
def test_ttbr_root(ps: int, ttbr: int, root: int) -> None:
    """The root in a TTBR0_EL2 value: without CnP and ASID, with bits [51:48] if it has them."""
    tcr = 0x80803510 | {44: 4, 52: 6}[ps] << 16 | (1 << 32 if ps == 52 else 0)
    assert el2(tcr).root(ttbr) == root


LAYOUT_C = """
#include <hvscope/beacon.h>
#include <hvscope/mapcache.h>
#include <stdio.h>
int main(void)
{
    struct image_header h = {.beacon_offset = 1, .beacon_magic = 2, .image_size = 3, .magic = 4};
    struct beacon b = {0};
    struct beacon_cpu c = {0};
    uint64_t n[] = {IMAGE_MAGIC, BEACON_IMAGE_MAGIC, BEACON_MAGIC, BEACON_VERSION,
                    BEACON_LOAD_OFFSET, BEACON_EXIT_NONE, BEACON_BANKS_MAX, BEACON_CPUS_MAX,
                    BEACON_MMU_ON, BEACON_MAPCACHE_READY, BEACON_PANICKED, BEACON_OFF,
                    MAIR_VALUE, SLOT_ATTR_MASK, PTE_REFS_MASK};
    %s
    b.build_id[0] = 7;
    for (int i = 0; i < BEACON_BANKS_MAX; i++)
        b.bank[i] = (struct beacon_bank){1000 + i, 2000 + i};
    b.message[0] = '!';
    b.filter = 31;
    b.filter_slot = 32;
    b.filter_mfn = 33;
    b.filter_refs = 34;
    b.mmfr0 = 35;
    b.mmfr1 = 36;
    fwrite(&h, sizeof(h), 1, stdout);
    fwrite(&b, sizeof(b), 1, stdout);
    fwrite(&c, sizeof(c), 1, stdout);
    fwrite(n, sizeof(n), 1, stdout);
    return 0;
}
"""


def test_layout_is_that_of_the_headers(tmp_path: pathlib.Path) -> None:
    """A C program fills each field with its own number; the reader finds each again."""
    fields = [f"b.{name} = {n + 100};" for n, name in enumerate(beacon.HEAD_FIELDS[:-1])]
    names = [re.sub(r"_([01])$", r"[\1]", name).replace("guest_", "guest.")
             for name in beacon.CPU_FIELDS]
    fields += [f"c.{name} = {n + 200};" for n, name in enumerate(names)]
    (tmp_path / "layout.c").write_text(LAYOUT_C % "\n    ".join(fields))
    subprocess.run(["gcc", "-I", ROOT / "include", "-o", tmp_path / "layout",
                    tmp_path / "layout.c"], check=True)
    data = subprocess.run([tmp_path / "layout"], check=True, capture_output=True).stdout
    header = beacon.HEADER.unpack_from(data)
    assert (header[3], header[4], header[1], header[6]) == (1, 2, 3, 4)
    said = beacon.Beacon(0, data[64:64 + 504])
    assert list(said.fields.values())[:-1] == list(range(100, 100 + len(said.fields) - 1))
    assert (said.build_id[0], said.message) == (7, "!")
    assert said.banks == [(1000 + n, 2000 + n) for n in range(8)]
    assert beacon.FILTER.unpack_from(data, 64 + beacon.FILTER_OFFSET) == (31, 32, 33, 34, 0)
    assert said.features == (35, 36)
    cpu = beacon.BeaconCpu(data[568:568 + beacon.CPU.size])
    assert list(cpu.fields.values()) == list(range(200, 200 + len(cpu.fields)))
    assert struct.unpack_from("<15Q", data, 568 + beacon.CPU.size) == (
        beacon.IMAGE_MAGIC, beacon.BEACON_IMAGE_MAGIC, beacon.BEACON_MAGIC, beacon.BEACON_VERSION,
        beacon.BEACON_LOAD_OFFSET, beacon.BEACON_EXIT_NONE, beacon.BEACON_BANKS_MAX,
        beacon.BEACON_CPUS_MAX, beacon.MMU_ON, beacon.MAPCACHE_READY, beacon.PANICKED, beacon.OFF,
        pte.MAIR_VALUE, pte.SLOT_ATTR_MASK, pte.PTE_REFS_MASK)


class FakeRam:
    """64 KiB of RAM with an image in it, all of one CPU's tables included."""

    BASE, ROOT, L1, L2 = 0x40200000, 0x40202000, 0x40203000, 0x40204000

    def __init__(self) -> None:
        self.data = bytearray(0x10000)
        struct.pack_into("<8xQQQQQQII", self.data, 0, 0, 0x10000, 0, 0x1000,
                         0x31474D4943535648, 0, 0x644D5241, 0)
        struct.pack_into("<QIIQIIIIQQQQQQQIIIIQQIIQQIIII", self.data, 0x1000,
                         0x3145504F43535648, 2, 504, 9, 2, 0, 0, 1, self.BASE, 0, 0x10000, 0, 0,
                         0x7F8000000000, 1 << 31, 1024, 0, 255, 0, 0x40000000000F7D, 0, 0, 0, 0,
                         0, 504, 320, 1, 0)
        struct.pack_into("<QQ", self.data, 0x1000 + 192, 0x40000000, 0x10000000)
        struct.pack_into("<I12xQ24xQ", self.data, 0x1000 + 504, 2, self.ROOT, 4)
        for at, entry in ((self.ROOT + 255 * 8, self.L1 | 0xF7F), (self.L1, self.L2 | 0xF7F),
                          (self.L1 + 8, self.L2 + 0x1000 | 0xF7F),
                          (self.L2 + 36 * 8, 0x00C0000044800F7D)):
            struct.pack_into("<Q", self.data, at - self.BASE, entry)

    def read(self, pa: int, size: int) -> bytes:
        """As a target reads: nothing outside its RAM."""
        if not self.BASE <= pa <= pa + size <= self.BASE + len(self.data):
            raise Unreadable(f"memory at {pa:#x} is outside RAM")
        return bytes(self.data[pa - self.BASE:pa - self.BASE + size])

    def dump(self) -> str:
        """What a tool does with it."""
        said = beacon.beacon_read(self.read)
        answer = mapcache.mapcache_read(self.read, said, None, True)
        return "".join([*mapcache.mapcache_json(answer), *mapcache.mapcache_text(said, answer)])


def test_dump_of_a_fake_machine() -> None:
    """One slot in use, as JSON and text."""
    text = FakeRam().dump()
    assert '"counts":{"free":1023,"cached":0,"in-use":1,"saturated":0,"broken":0,"refs":1}' in text
    assert "    36  0x7f8004800000  0x44800    0x44800000         1  in-use      548    512" in text
    assert "  L1[1]    0x40205f7f          -> L2 at 0x40205000, slots 512-1023\n" in text


@pytest.mark.parametrize("offset, value, said", [
    (0x1000, 0, "has published no beacon"), (0x1000, 1, "its magic is wrong"),
    (0x1008, 1, "its version is 1"), (0x100C, 503, "its size is 503"),
    (0x1018, 0, "its state is 0"), (0x1018, 5, "its state is 5"),
    (0x1018, 1, "the mapcache is not set up yet"), (0x1020, 3, "its engine is 3"),
    (0x1024, 0, "it counts 0 CPUs"), (0x1024, 65, "it counts 65 CPUs"),
    (0x1060, 0, "it counts 0 slots"), (0x1060, 1025, "it counts 1025 slots"),
    (0x1064, 1, "place in the root"), (0x1068, 512, "place in the root"),
    (0x1098, 4, "CPU blocks"), (0x1098, 0xFFFFFFF8, "CPU blocks"), (0x109C, 143, "CPU blocks"),
    (0x109C, 1 << 31, "CPU blocks"), (0x10A0, 0, "0 banks"), (0x10A0, 9, "9 banks"),
    (0x11F8, 3, "the state of CPU0 is 3"), (0x20, 0, "outside the image"),
    (0x20, 0xFFF0, "outside the image"), (0x20, 0x1004, "outside the image"),
    (0x38, 0, "holds no hvscope image"), (0x28, 0, "holds no hvscope image")])
def test_hostile_beacon(offset: int, value: int, said: str) -> None:
    """Each number that cannot be right is named in a sentence."""
    ram = FakeRam()
    struct.pack_into("<Q" if offset == 0x1000 else "<I", ram.data, offset, value)
    with pytest.raises(HvError, match=said):
        ram.dump()


def test_noise_in_tables_and_beacon() -> None:
    """Whatever a guest writes: an answer, a sentence, or an address outside RAM."""
    noise = random.Random(3)
    for _ in range(400):
        ram = FakeRam()
        for _ in range(noise.randrange(1, 6)):
            place = noise.choice((0, 0x1000, 0x11C0, 0x27F8, 0x3000, 0x3008, 0x4000))
            struct.pack_into("<Q", ram.data, place + 8 * noise.randrange(8),
                             noise.getrandbits(64) >> noise.choice((0, 16, 40, 60)))
        try:
            ram.dump()
        except (HvError, Unreadable):
            pass


def test_noise_in_walks() -> None:
    """Any registers, any entries: a walk ends, or is refused."""
    noise = random.Random(4)
    for _ in range(3000):
        try:
            rules = el2(noise.getrandbits(33), noise.getrandbits(64),
                        pa_bits=noise.choice((40, 48, 52)))
            answer = walk.walk(lambda *_: (noise.getrandbits(64) | 3).to_bytes(8, "little"),
                               rules, noise.getrandbits(34) << 16, noise.getrandbits(48))
        except HvError:
            continue
        assert len(answer["steps"]) <= 5
        assert (answer["result"] is None) != (answer["fault"] is None)
