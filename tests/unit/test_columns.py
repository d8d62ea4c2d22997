# SPDX-License-Identifier: GPL-2.0-or-later
"""Batches of usual slots look as the same slots do when each is decoded by itself."""
from __future__ import annotations

import pathlib
import random
import struct
import sys
import types

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "gdb-scripts"))

from hvscope import columns, mapcache, pte  # noqa: E402

XEN = pte.PTE_XEN_BLOCK
GIB = 1 << 30
BANKS = {"one": [(GIB, 4 * GIB)], "two": [(GIB, GIB), (8 * GIB, 512 * GIB)],
         "low": [(0, GIB)], "high": [(0x7F0000000000, 1 << 40)], "none": []}


def machine(attr: int = XEN, banks: str = "one", engine: str = "xen",
            entries: int = 1024) -> types.SimpleNamespace:
    """What is asked of a beacon."""
    return types.SimpleNamespace(foreign_pa=False, domheap_va=0x7F8000000000, slot_attr=attr,
                                 domheap_entries=entries, engine_name=engine, banks=BANKS[banks])


def page(noise: random.Random, said: types.SimpleNamespace, empty: float) -> list[int]:
    """512 entries, some of them 0: mostly frames of RAM, any count."""
    def frame() -> int:
        base, size = noise.choice(said.banks or [(0, 1 << 48)])
        return base + noise.randrange(size) & pte.SLOT_ADDR_MASK
    return [0 if noise.random() < empty else
            said.slot_attr | frame() | noise.randrange(16) << pte.PTE_REFS_SHIFT
            for _ in range(512)]


def batch(said: types.SimpleNamespace, first: int, ptes: list[int]) -> columns.Usual | None:
    """The slots as columns; None if they are not usual."""
    return mapcache.sorter_of(said).usual(first, struct.pack(f"<{len(ptes)}Q", *ptes))


def same(said: types.SimpleNamespace, first: int, ptes: list[int]) -> bool:
    """Is there a batch? If so it is held to the same slots, decoded one by one."""
    usual = batch(said, first, ptes)
    if usual is None:
        return False
    mixed = columns.Mixed(mapcache.decoded(said, first, ptes, False, ()))
    # First the rows that differ: of long texts pytest takes minutes to say how.
    for one, other, end in ((usual.text(), mixed.text(), "\n"), (usual.json(), mixed.json(), "},")):
        assert [pair for pair in zip(one.split(end), other.split(end)) if len(set(pair)) > 1][:1] \
            == [] and len(one) == len(other)
    assert usual.counts() == mixed.counts()
    return True


@pytest.mark.parametrize("empty", [0, 0.5, 0.98])
@pytest.mark.parametrize("banks", ["one", "two", "low", "high"])
@pytest.mark.parametrize("engine,entries", [("xen", 1024), ("bbm", 2048), ("xen", 1000),
                                            ("clock", 1024), ("clock", 768)])
def test_usual(engine: str, entries: int, banks: str, empty: float) -> None:
    """Full, half empty and nearly empty pages, of each engine, near and far."""
    noise = random.Random(f"{engine}{entries}{banks}{empty}")
    said = machine(banks=banks, engine=engine, entries=entries)
    first = noise.randrange(entries // 256 - 1) * 256
    assert same(said, first, page(noise, said, empty))


@pytest.mark.parametrize("bit", [bit for bit in range(64) if not 21 <= bit < 48
                                 and not 55 <= bit < 59])
def test_one_wrong_bit(bit: int) -> None:
    """One attribute of one slot that is not as usual: never a batch of usual slots."""
    noise, said = random.Random(bit), machine()
    ptes = page(noise, said, 0.3)
    at = next(n for n in range(256, 512) if ptes[n])
    ptes[at] ^= 1 << bit
    assert not same(said, 0, ptes)


@pytest.mark.parametrize("wrong", [{"banks": "none"}, {"attr": 0xF7D}, {"attr": XEN | 2},
                                   {"attr": XEN & ~1}, {"attr": XEN | 1 << 56},
                                   {"attr": XEN | 1 << 16}])
def test_not_taken(wrong: dict) -> None:
    """What the columns take for granted is not so: each slot is decoded."""
    said = machine(**wrong)
    assert batch(said, 0, page(random.Random(3), said, 0)) is None


def test_outside_ram() -> None:
    """A frame that is not RAM, and an entry of 0 everywhere."""
    said = machine()
    ptes = page(random.Random(4), said, 0)
    assert batch(said, 0, [*ptes[:511], XEN | 6 * GIB]) is None
    assert batch(said, 0, [*ptes[:511], XEN | 0x3FE00000]) is None
    assert batch(said, 0, [0] * 512) is None


def test_one_slot() -> None:
    """A batch of one, behind its home and before it."""
    said = machine()
    for slot, refs in ((0, 0), (36, 2), (511, 15)):
        ptes = [0] * 512
        ptes[slot] = XEN | 0x84800000 | refs << pte.PTE_REFS_SHIFT
        assert same(said, 0, ptes)


def test_many_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of frames do not pile up; batches that are under way stay as they are."""
    monkeypatch.setattr(columns, "FRAMES_KEPT", 600)
    columns.slot_words.cache_clear()
    noise, said = random.Random(5), machine(banks="high")
    kept = [(ptes, batch(said, 0, ptes)) for ptes in [page(noise, said, 0) for _ in range(8)]]
    assert max(len(usual.words.frames) for _, usual in kept) < 600 + 2 * 512
    for ptes, usual in kept:
        assert usual.text() == columns.Mixed(mapcache.decoded(said, 0, ptes, False, ())).text()
