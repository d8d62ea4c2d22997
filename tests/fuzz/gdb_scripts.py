#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the GDB scripts do with memory and files that make no sense, without a gdb.

Each round makes a machine of a few pages, tables, a beacon or a file, spoils it, and asks every
question. All that may come out is an answer, HvError or Unreadable; all reads go to the reader
that was given; an answer comes soon. A failure prints the seed of its round.
"""
from __future__ import annotations

import argparse
import random
import struct
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "gdb-scripts"))

from hvscope import (beacon, check, clock, cpus, find, guestwalk, layout, lookup,  # noqa: E402
                     mapcache, offline, ranges, regime, slotinfo, stats, trace, walk)
from hvscope.error import HvError, Unreadable  # noqa: E402

BASE, PAGES = 0x40200000, 40
ATTR = 0x40000000000F7D
SECONDS_MAX = 20  # for one question
RING_AT, RING = 0x20, 16
INDEX_AT = 0x18000


class Memory:
    """Pages from BASE on; nothing else is there."""

    def __init__(self) -> None:
        self.data = bytearray(PAGES * 4096)

    def read(self, pa: int, size: int) -> bytes:
        """As a target reads."""
        assert size >= 0, size
        if not BASE <= pa <= pa + size <= BASE + len(self.data):
            raise Unreadable(f"memory at {pa:#x} is outside RAM")
        return bytes(self.data[pa - BASE:pa - BASE + size])

    def put(self, pa: int, *words: int) -> None:
        """Words into memory."""
        struct.pack_into(f"<{len(words)}Q", self.data, pa - BASE, *words)


def word(noise: random.Random) -> int:
    """A word that may look like something."""
    page = BASE + 4096 * noise.randrange(PAGES + 2)
    return noise.choice((
        0, noise.getrandbits(64), noise.getrandbits(noise.randrange(1, 65)), page | 3, page | 0x703,
        page | 0xF7F, page & -1 << 21 | ATTR | noise.randrange(16) << 55, 1 << noise.randrange(64),
        page, (1 << 64) - 1))


def image(noise: random.Random) -> Memory:
    """An image with one to four CPUs, their tables and rings, as it should be."""
    memory, count = Memory(), noise.randrange(1, 5)
    struct.pack_into("<8xQQQQQQII", memory.data, 0, 0, PAGES * 4096, 0, 0x1000,
                     0x31474D4943535648, 0, 0x644D5241, 0)
    beacon.HEAD.pack_into(memory.data, 0x1000, 0x3145504F43535648, 2, 504, 9, noise.choice((2, 3)),
                          0, noise.randrange(3), count, BASE, 0xA0000200000, PAGES * 4096,
                          62500000, 0x80853510, 0x7F8000000000, 1 << 31, 1024, 0, 255, 0, ATTR,
                          1 << 47, 1, 0, 0x48000000, 1 << 24, 504, 320, 1, 0, b"")
    struct.pack_into("<QQ", memory.data, 0x1000 + 192, 0x40000000, 0x10000000)
    for n in range(count):
        root = BASE + 0x3000 + n * 0x5000
        words = [2, n, root, root + 4096, root + 8192, root + 12288, 4, BASE + 0x1F000 + n * 0x1000,
                 16, noise.randrange(40), *[noise.randrange(1000) for _ in range(10)]]
        struct.pack_into("<20Q", memory.data, 0x1000 + 504 + 320 * n, *words)
        memory.put(root + 255 * 8, root + 4096 | 0xF7F)
        memory.put(root + 4096, root + 8192 | 0xF7F, root + 12288 | 0xF7F)
        for slot in range(0, 1024, noise.randrange(1, 60)):
            memory.put(root + 8192 + 8 * slot, ATTR | noise.randrange(512, 640) << 21
                       | noise.randrange(16) << 55)
        for event in range(RING):
            memory.put(BASE + 0x1F000 + n * 0x1000 + 32 * event, event << 4 | 1 << 48,
                       noise.getrandbits(63), BASE, 0)
    if memory.data[0x1000 + 40] == 2:  # the engine: clock
        struct.pack_into("<Q", memory.data, 0x1000 + 448 + 232, BASE + INDEX_AT)
        memory.data[INDEX_AT:INDEX_AT + clock.INDEX.size] = index(memory, noise)
    return memory


def index(memory: Memory, noise: random.Random) -> bytes:
    """CPU0's index of its slots, as engine clock would have it."""
    entries = struct.unpack_from("<1024Q", memory.data, 0x5000)
    head, following, block = [1024] * clock.HEADS, [0] * 1024, [0] * 1024
    for slot, pte in enumerate(entries):
        if pte & 1:
            block[slot] = (pte & (1 << 48) - 1) >> 21
            chain = clock.clock_hash(block[slot])
            following[slot], head[chain] = head[chain], slot
    free = [slot for slot, pte in enumerate(entries) if not pte & 1]
    return clock.INDEX.pack(0, noise.randrange(1024), 1, noise.randrange(0, 1024, 8), len(free), 0,
                            0, 64, 16, 1, 0, 0, 0, 0,
                            *[noise.choice((1, 2)) if pte & 1 else 0 for pte in entries],
                            *following, *head, *free, *[0] * (1024 - len(free)), *block)


def spoil(memory: Memory, noise: random.Random) -> None:
    """Some words become others, more in the pages that matter."""
    for _ in range(noise.choice((1, 1, 2, 4, 30))):
        page = noise.choice((0, 0x1000, 0x1000, 0x2000, INDEX_AT + 4096 * noise.randrange(3),
                             4096 * noise.randrange(PAGES)))
        at = page + 8 * noise.randrange(64 if page < 0x2000 else 512)
        if noise.random() < 0.3:
            memory.data[at] ^= 1 << noise.randrange(8)
        else:
            memory.put(BASE + at, word(noise))


def questions(memory: Memory, noise: random.Random) -> list[Callable[[], object]]:
    """Everything that is asked of an image, each on its own."""
    read = memory.read
    said = beacon.beacon_read(read, 0x40000000)
    n, mfn = noise.randrange(said.ncpu), noise.randrange(1 << noise.randrange(1, 40))
    pa = mfn << 12

    def dump() -> None:
        answer = mapcache.mapcache_read(read, said, None, noise.random() < 0.5)
        "".join(mapcache.mapcache_json(answer))
        "".join(mapcache.mapcache_text(said, answer))

    def log() -> None:
        records = trace.ring_read(read, said, n)
        trace.log_text(records, said.fields["cntfrq"], hex, cpus.fitted)
        trace.slot_holders(records, 5)
        trace.history_text(trace.slot_owners(records, 5), n, 5, 1, 0, hex, cpus.fitted)

    def explain() -> None:
        answer = lookup.explain(read, said, n, mfn)
        lookup.explain_json(answer)
        lookup.explain_text(answer, True)

    def slot() -> None:
        slots = lookup.whole_slots(read, said, n)
        slotinfo.slot_full_text(n, slots, noise.randrange(len(slots)), [], hex)

    def found() -> None:
        answer = find.find_answer("pa", pa, pa, find.find(read, said, pa))
        find.find_json(answer)
        find.find_text(answer, "", said.domheap_entries, True)

    def totals() -> None:
        answer = stats.stats(read, said, None)
        stats.stats_json(answer)
        stats.stats_text(answer)

    def space() -> None:
        rules, _ = regime.regime_of("el2", False, {
            "TCR_EL2": said.tcr, "MAIR_EL2": 0xFF, "TTBR0_EL2": 0}.get)
        ask_tables(read, rules, said.cpus[n].root, noise, layout.region_finder(said))

    rows = {0: {"thread": 1, "el": 2, "mmu": True, "pc": "0x0", "symbol": None}}
    return [dump, log, explain, slot, found, totals, space,
            lambda: check.check_text(read, said),
            lambda: cpus.cpus_text(cpus.cpus_read(said, rows, said.ncpu), said, "", 0)]


def ask_tables(read: beacon.ReadPhys, rules: regime.Regime, root: int, noise: random.Random,
               region: Callable[[int], layout.Region] = lambda va: layout.NOWHERE) -> None:
    """A dump and some walks."""
    scan = ranges.Scan(read, rules, region=region)
    scan.run(root)
    ranges.ranges_json(scan.ranges, rules.name, 0, root)
    text = ranges.ranges_text(scan.ranges, "head", scan.faults)
    long = [line for line in text.splitlines() if len(line) > 80]
    assert not long, long[0]
    for _ in range(8):
        va = noise.getrandbits(noise.randrange(1, 65)) ^ noise.choice((0, rules.base()))
        answer = walk.walk(read, rules, root, va)
        assert (answer["result"] is None) != (answer["fault"] is None)
        assert len(answer["steps"]) <= 5
        walk.walk_json(answer, rules.name, 0, root, va)
        walk.walk_text(rules, answer, 0, root, va)


def image_round(noise: random.Random) -> None:
    """A spoilt image."""
    memory = image(noise)
    spoil(memory, noise)
    try:
        asked = questions(memory, noise)
    except (HvError, Unreadable):
        return
    for question in asked:
        try:
            question()
        except (HvError, Unreadable):
            pass


def tables_round(noise: random.Random) -> None:
    """Tables of noise under registers of noise."""
    memory = Memory()
    for page in range(noise.randrange(1, PAGES)):
        for _ in range(noise.choice((0, 3, 40))):
            memory.put(BASE + 4096 * page + 8 * noise.randrange(512), word(noise))
    registers = {name: noise.getrandbits(64) & noise.getrandbits(64)
                 for name in ("SCTLR_EL1", "SCTLR_EL2", "MAIR_EL1", "MAIR_EL2", "HCR_EL2")}
    for name in ("TCR_EL1", "TCR_EL2", "VTCR_EL2"):
        registers[name] = noise.choice((noise.getrandbits(64), 0x80843510, 0x500003510, 0x80023559,
                                        noise.getrandbits(34)))
    for name in ("TTBR0_EL1", "TTBR1_EL1", "TTBR0_EL2", "TTBR1_EL2", "VTTBR_EL2"):
        registers[name] = BASE + 4096 * noise.randrange(PAGES) | noise.choice((0, 1, 3 << 48))
    registers["ID_AA64MMFR0_EL1"] = noise.randrange(16)
    registers["HCR_EL2"] &= ~(1 << 34) if noise.random() < 0.5 else (1 << 64) - 1
    stages = {}
    for name in regime.REGIMES:
        for high in regime.halves(name):
            try:
                stages[name, high] = regime.regime_of(name, high, registers.get)
                ask_tables(memory.read, *stages[name, high], noise)
            except (HvError, Unreadable):
                pass
    for high in (False, True):
        ask_guest(memory.read, stages.get(("el1", high)), stages.get(("s2", False)), noise)


def ask_guest(read: beacon.ReadPhys, first: guestwalk.Stage | None,
              second: guestwalk.Stage | None, noise: random.Random) -> None:
    """Both stages."""
    va = noise.getrandbits(noise.randrange(1, 65))
    try:
        answer = guestwalk.guest_walk(read, first, second, va)
        guestwalk.guest_text(answer, first, second, va, [])
    except (HvError, Unreadable):
        pass


def file_of(noise: random.Random) -> bytes:
    """A recording or a core, whole."""
    if noise.random() < 0.5:
        head = offline.ELF_HEADER.pack(b"\x7fELF", 2, 1, 1, 4, 183, 1, 0, 64, 0, 0, 64, 56, 2, 0, 0,
                                       0)
        loads = offline.PROGRAM_HEADER.pack(4, 0, 176, 0, 0, 0, 0, 0) + \
            offline.PROGRAM_HEADER.pack(1, 0, 176, BASE, BASE, 4096, 4096, 0)
        return head + loads + noise.randbytes(4096)
    data = offline.RECORDING_HEADER.pack(offline.RECORDING_MAGIC, 1, 64, 0x40000000, 1, b"", 0)
    for n in range(noise.randrange(1, 4)):
        pieces = b"".join(
            offline.PIECE_HEAD.pack(BASE + 8 * noise.randrange(2000), length, 0)
            + noise.randbytes(length) for length in (8 * noise.randrange(1, 20),) * 3)
        bare = offline.FRAME_HEAD.pack(offline.FRAME_MAGIC, 0, len(pieces), n == 0, 0, 0, n, b"")
        crc = zlib.crc32(pieces, zlib.crc32(bare))
        data += bare[:4] + struct.pack("<I", crc) + bare[8:] + pieces
    return data


def file_round(noise: random.Random) -> None:
    """A spoilt file."""
    data = bytearray(file_of(noise))
    for _ in range(noise.choice((0, 1, 1, 3))):
        at = noise.randrange(min(len(data) - 8, 400))
        data[at:at + 8] = (word(noise) if noise.random() < 0.5 else 1 << noise.randrange(64)
                           ).to_bytes(8, "little")
    if noise.random() < 0.3:
        del data[noise.randrange(len(data)):]
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        try:
            memory = offline.open_memory(file.name)
            if isinstance(memory, offline.Recording):
                memory.seek(len(memory.frames) - 1)
            memory.read(BASE, noise.randrange(9000))
        except (HvError, Unreadable):
            pass


ROUNDS = (image_round, tables_round, file_round)


def play(seed: int) -> None:
    """One round of each kind."""
    for kind in ROUNDS:
        start = time.process_time()
        try:
            kind(random.Random(f"{kind.__name__} {seed}"))
        except Exception:
            print(f"seed {seed}, {kind.__name__}:", file=sys.stderr)
            raise
        assert time.process_time() - start < SECONDS_MAX, f"seed {seed}: too slow"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="of the first round")
    args = parser.parse_args()
    end, seed = time.monotonic() + args.seconds, args.seed
    while time.monotonic() < end:
        play(seed)
        seed += 1
    print(f"{seed - args.seed} rounds, seeds {args.seed} to {seed - 1}: nothing found")
    return 0


if __name__ == "__main__":
    sys.exit(main())
