# SPDX-License-Identifier: GPL-2.0-or-later
"""The synthetic traces: seeded, the same on every machine.

Only random.Random.random() is used, whose sequence Python promises to keep. A
trace has `pairs` maps and as many unmaps; frames are 2 MiB blocks of 64 GiB.
"""

import bisect
import random
from collections.abc import Callable

from xmct import BASE, RAM_SIZE, map_word, unmap_word

SLOTS = 1024
BLOCKS = RAM_SIZE >> 21
PAGES = 512  # of a block
SCRUB_PAGES = (8 << 30) >> 12
ZIPF_EXPONENT = 0.99
NESTED = 40  # maps of one frame, saturate
HOT = 8      # frames, stride-2GB
DOMAINS = 8
WALK_LEVELS = 4


class Source:
    """Random numbers from random() alone."""

    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed).random

    def below(self, n: int) -> int:
        """A number from 0 to n - 1."""
        return int(self.random() * n)

    def page(self, block: int) -> int:
        """The frame number of a page of a block."""
        return BASE + block * PAGES + self.below(PAGES)

    def distinct(self, n: int, of: int) -> list[int]:
        """n different numbers below `of`, in random order."""
        pool = list(range(of))
        for i in range(n):
            j = i + self.below(of - i)
            pool[i], pool[j] = pool[j], pool[i]
        return pool[:n]


def pair(mfn: int) -> list[int]:
    """Map and unmap at once."""
    return [map_word(mfn), unmap_word()]


def pairs_of(block: Callable[[], int], source: Source, pairs: int) -> list[int]:
    """Pairs on the blocks that the function names."""
    words = []
    for _ in range(pairs):
        words += pair(source.page(block()))
    return words


def zipf_blocks(source: Source, n: int) -> Callable[[], int]:
    """Blocks from n random ones; the k-th is taken in proportion to k ** -0.99."""
    blocks = source.distinct(n, BLOCKS)
    total, sums = 0.0, []
    for k in range(1, n + 1):
        total += k ** -ZIPF_EXPONENT
        sums.append(total)
    return lambda: blocks[bisect.bisect_left(sums, source.random() * total)]


def zipf(n: int) -> Callable[[Source, int], list[int]]:
    """Zipf over n random frames of 64 GiB."""
    return lambda source, pairs: pairs_of(zipf_blocks(source, n), source, pairs)


def uniform(n: int) -> Callable[[Source, int], list[int]]:
    """Uniform over n contiguous frames."""
    return lambda source, pairs: pairs_of(lambda: source.below(n), source, pairs)


def scrub(_source: Source, pairs: int) -> list[int]:
    """8 GiB, 4 KiB by 4 KiB."""
    words = []
    for page in range(pairs):
        words += pair(BASE + page % SCRUB_PAGES)
    return words


def walk_once(source: Source, domain: int) -> list[int]:
    """A guest address: its tables, all held while the page behind them is copied."""
    tables = [source.page(domain * 16 + level) for level in range(WALK_LEVELS)]
    page = source.page(256 + domain * 2048 + source.below(2048))
    to = source.page(128 + domain)
    return [map_word(mfn) for mfn in (*tables, page, to)] + [unmap_word()] * (WALK_LEVELS + 2)


def p2m_walk(source: Source, pairs: int) -> list[int]:
    """4 nested levels and a page copy, 8 domains."""
    words: list[int] = []
    while len(words) < 2 * pairs:
        words += walk_once(source, source.below(DOMAINS))
    return words


def copy_streams(_source: Source, pairs: int) -> list[int]:
    """Page by page from one end of memory to the middle's; the older map is released first."""
    words = []
    for page in range(pairs // 2):
        words += [map_word(BASE + page), map_word(BASE + (BLOCKS // 2) * PAGES + page),
                  unmap_word(1), unmap_word(0)]
    return words


def stride(source: Source, pairs: int) -> list[int]:
    """8 hot frames 2 GiB apart, in random order: they share a home slot."""
    return pairs_of(lambda: 256 + source.below(HOT) * SLOTS, source, pairs)


def saturate(source: Source, pairs: int) -> list[int]:
    """40 maps of one frame, then 40 unmaps."""
    words: list[int] = []
    while len(words) < 2 * pairs:
        block = source.below(BLOCKS)
        words += [map_word(source.page(block)) for _ in range(NESTED)] + [unmap_word()] * NESTED
    return words


def pinned(percent: int, rest: Callable[[Source, int], list[int]]
           ) -> Callable[[Source, int], list[int]]:
    """So much of the table held from the start by contiguous frames."""
    def make(source: Source, pairs: int) -> list[int]:
        pins = round(SLOTS * percent / 100)
        first = [map_word(BASE + (BLOCKS - SLOTS + i) * PAGES) for i in range(pins)]
        return first + rest(source, pairs - pins) + [unmap_word()] * pins
    return make


TRACES: dict[str, Callable[[Source, int], list[int]]] = {
    **{f"zipf-{n}": zipf(n) for n in (256, 768, 1024, 1536, 4096, 32768)},
    "contig-1024": uniform(1024),
    "contig-1100": uniform(1100),
    "unif-64GB": uniform(BLOCKS),
    "scrub-8GB": scrub,
    "p2m-walk": p2m_walk,
    "copy-2str": copy_streams,
    "stride-2GB": stride,
    "saturate": saturate,
    **{f"pin{percent}": pinned(percent, zipf(4096)) for percent in (50, 75, 90, 99)},
    "pin99-scrub": pinned(99, scrub),
}


def generate(name: str, pairs: int) -> list[int]:
    """The words of a synthetic trace."""
    return TRACES[name](Source(name), pairs)
