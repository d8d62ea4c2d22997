# SPDX-License-Identifier: GPL-2.0-or-later
"""The parts of the GDB scripts that need no gdb: ring, lookup, ranges, grid; on made-up memory."""
from __future__ import annotations

import pathlib
import random
import struct
import sys
import types

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "gdb-scripts"))

from hvscope import cpus, grid, layout, lookup, ranges, regime, trace  # noqa: E402
from hvscope.error import HvError, Unreadable  # noqa: E402

ATTR = 0x40000000000F7D
REGISTERS = {"TCR_EL2": 0x80843510, "MAIR_EL2": 0xFF000004EEAA4400, "ID_AA64MMFR0_EL1": 5}


def machine(ring: int, entries: int, head: int) -> types.SimpleNamespace:
    """A beacon with one CPU and its ring."""
    fields = {"ring": ring, "ring_entries": entries, "ring_head": head, "ring_sides": 0,
              "ring_barriers": 0}
    return types.SimpleNamespace(
        fields={"trace_mode": 1}, cpus=[types.SimpleNamespace(fields=fields)],
        readable=lambda pa, size: 0x1000 <= pa and pa + size <= 0x2000)


def record(seq: int, kind: int, mfn: int, slot: int, refs: int, hit: int = 0) -> bytes:
    """A record of struct trace_record."""
    return struct.pack("<QQQQ", seq * 10 | kind << 48,
                       mfn | slot << 36 | refs << 46 | hit << 50, 0x1000 + seq, 0)


def test_words_of_stores_and_tlbis() -> None:
    """As the viewer has them: tests/unit/viewer_verdict.c."""
    says = trace.tlbi_says
    assert says(1, 0x7f8004800) == "vae2 0x7f8004800000 +0x1000"
    assert says(11 | 1 << 4, 0x2a00 << 48 | 0x12345) == "vale1is asid 10752 0x12345000 +0x1000"
    assert says(12 | 1 << 4, 0x2a00 << 48 | 0x12345) == "vaae1is 0x12345000 +0x1000"
    assert says(14 | 1 << 4, 0x2a00 << 48 | 0x12345) == "aside1is asid 10752"
    for number, name in enumerate(("el2", "s2", "el1", "unknown")):
        more = 1 | 1 << 2 | number << 4
        words = (more << 52 | 4 << 48, 0x1008, 0, 0)
        assert trace.store_says(None, words) == f"{name} L1[1] at 0x1008: 0x0 -> 0x0"


@pytest.mark.parametrize("head, newest, expect", [
    (0, None, []), (3, None, [0, 1, 2]), (8, None, list(range(8))),
    (11, None, list(range(3, 11))), (11, 2, [9, 10]),
    (1 << 40, 3, [(1 << 40) - 3, (1 << 40) - 2, (1 << 40) - 1])])
def test_ring(head: int, newest: int | None, expect: list[int]) -> None:
    """Records come oldest first, wherever the ring wraps."""
    memory = b"".join(record(n, 1, 5, n, 1) for n in range(8))
    found = trace.ring_read(lambda pa, size: memory[pa - 0x1000:pa - 0x1000 + size],
                            machine(0x1000, 8, head), 0, newest)
    assert [one.seq for one in found] == expect
    assert [one.slot for one in found] == [seq % 8 for seq in expect]


@pytest.mark.parametrize("ring, entries", [(0x1000, 7), (0x1000, 1 << 40), (0x1004, 8),
                                           (0x1000, 256), (1 << 63, 8)])
def test_hostile_ring(ring: int, entries: int) -> None:
    """A ring that cannot be is a sentence."""
    with pytest.raises(HvError, match="event ring"):
        trace.ring_read(lambda *_: b"", machine(ring, entries, 5), 0)


def test_holders_and_owners() -> None:
    """An unmap ends the youngest map of its page; a map that takes the slot begins an owner."""
    events = [(1, 512, 3, 1, 0), (1, 513, 3, 2, 1), (1, 512, 3, 3, 1), (2, 512, 3, 2, 0),
              (2, 513, 3, 1, 0), (1, 9, 4, 1, 0), (2, 512, 3, 0, 0), (1, 1024, 3, 1, 0)]
    records = [trace.record_decode(0, n, *struct.unpack("<QQQQ", record(n, *event))[:3])
               for n, event in enumerate(events)]
    assert [one.record.seq for one in trace.slot_holders(records[:5], 3)] == [0]
    assert [one.record.seq for one in trace.slot_holders(records, 3)] == [7]
    owners = trace.slot_owners(records, 3)
    assert [(one.mfn, one.maps, one.most, one.whole) for one in owners] == \
        [(512, 3, 3, True), (1024, 1, 1, True)]
    text = trace.history_text(owners, 0, 3, 1000, records[-1].time,
                              lambda caller: "a_function_with_a_long_name" * 2 + f"+{caller:#x}",
                              cpus.fitted)
    assert {len(line) for line in text.splitlines()[2:]} == {79} and text.endswith("_~+0x1007")


def naive(ptes: list[int], mfn: int) -> tuple:
    """map_domain_page(), as the patch has it."""
    frame = mfn // 512 * 512
    for probe in range(len(ptes)):
        slot = (mfn // 512 + probe) % len(ptes)
        refs, valid = ptes[slot] >> 55 & 15, ptes[slot] & 1
        if refs < 15 and valid and (ptes[slot] >> 12) & (1 << 36) - 1 == frame:
            return "hit", slot, refs + 1, probe
        if refs == 0:
            return ("commandeer" if valid else "take"), slot, 1, probe
    return "full", None, None, len(ptes)


def test_lookup() -> None:
    """Random slots, from empty to full: verdict, slot, count and probe."""
    noise, verdicts = random.Random(1), set()
    for n in range(1500):
        busy = noise.choice((0, 20, 80, 100))
        ptes = [0 if noise.random() < 0.1 and busy < 100 else
                ATTR | noise.randrange(40) << 21 |
                (noise.choice((1, 2, 15)) if noise.randrange(100) < busy else 0) << 55
                for _ in range(32)]
        mfn = noise.randrange(40 * 512)
        said = lookup.lookup(ptes, mfn)
        assert (said["verdict"], said["slot"], said["refs"], said["probe"]) == naive(ptes, mfn)
        verdicts.add(said["verdict"])
    assert verdicts == {"hit", "take", "commandeer", "full"}


@pytest.mark.parametrize("tcr", [0x80843510, 0x80844510, 0x80848510, 0x180843510, 0x80843519])
def test_noise_in_tables(tcr: int) -> None:
    """Any tables: a scan ends, or is refused, and reads nothing but whole tables."""
    noise = random.Random(tcr)
    rules = regime.regime_el2({**REGISTERS, "TCR_EL2": tcr}.get)
    size = 8 << rules.granule.stride
    base, pages = 1 << 24, 6
    for _ in range(12):
        memory = {}
        for page in range(pages):
            entries = [0] * (size // 8)
            for _ in range(noise.randrange(8)):
                entries[noise.randrange(len(entries))] = noise.choice(
                    (base + noise.randrange(pages + 1) * size | 3, noise.getrandbits(64)))
            memory[base + page * size] = struct.pack(f"<{len(entries)}Q", *entries)

        def read(pa: int, length: int) -> bytes:
            if pa not in memory:
                raise Unreadable
            return memory[pa][:length]
        scan = ranges.Scan(read, rules)
        try:
            scan.run(base)
        except HvError as refused:
            assert "more than" in str(refused)
        assert scan.tables <= ranges.TABLES_MAX + 1
        text = ranges.ranges_text(scan.ranges[:200], "head", scan.faults)
        assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("va, name", [
    (0, "identity"), (0xA0000200000, "image"), (0xA0000A00000, "fixmap"), (0xA0000C00000, "fdt"),
    (0xA0000000000, None), (0xA0001000000, None), (0xA0040000000, "vmap"),
    (0xA0800000000, "frametable"), (0x7F8000000000, "domheap"), (0x7F8080000000, None),
    (0x800000000000, "directmap"), (0x850000000000, None), (0xFFFFFFFFFFFF, None)])
def test_regions(va: int, name: str | None) -> None:
    """Regions, and the holes between them."""
    low, high, said = layout.region_finder(types.SimpleNamespace(counted=True))(va)
    assert said == name and low <= va < high


@pytest.mark.parametrize("width", [1, 2, 7, 8, 20, 69, 70, 78, 134, 300])
@pytest.mark.parametrize("height", [0, 1, 2, 9, 17, 60])
def test_grid_fits(width: int, height: int) -> None:
    """Any window: no line too many, the slot to look at is visible, a click finds its cell."""
    one = grid.Grid(1024)
    cells = ["."] * 1024
    for focus in (None, 0, 700, 1023):
        one.fit(width, height, focus)
        lines = one.lines(cells, set(), None)
        assert len(lines) <= max(height - 1, 0)
        assert all(len(line) <= max(width, 7) for line in lines)
        if focus is not None and lines:
            row, column = divmod(focus, one.columns)
            assert one.slot_at(column + grid.LABEL, row - one.top + 1) == focus
    assert one.slot_at(0, 0) is None
