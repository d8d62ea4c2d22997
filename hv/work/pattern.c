/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "work/pattern.h"
#include "core/beacon.h"
#include "core/panic.h"

#define SPREAD UINT64_C(0x9e3779b97f4a7c15) /* 2^64 / golden ratio, odd */

uint64_t pattern_word(mfn_t mfn, uint64_t seed, unsigned int i)
{
    return (mfn_x(mfn) + 1) * SPREAD ^ (seed + i * SPREAD);
}

void pattern_fill(uint64_t *page, mfn_t mfn, uint64_t seed)
{
    for (unsigned int i = 0; i < PATTERN_WORDS; i++)
        page[i] = pattern_word(mfn, seed, i);
}

void pattern_probe(const uint64_t *page, mfn_t mfn, uint64_t seed, unsigned int i)
{
    CHECK(page[i] == pattern_word(mfn, seed, i),
          "pattern of mfn 0x%lx at %p: word %u is 0x%lx, not 0x%lx", mfn_x(mfn), (const void *)page,
          i, page[i], pattern_word(mfn, seed, i));
}

void pattern_verify(const uint64_t *page, mfn_t mfn, uint64_t seed)
{
    for (unsigned int i = 0; i < PATTERN_WORDS; i++)
        pattern_probe(page, mfn, seed, i);
    this_cpu(beacon_cpu)->verified++;
}

void pattern_copy(uint64_t *to, mfn_t to_mfn, const uint64_t *from, mfn_t from_mfn)
{
    uint64_t rekey = pattern_word(to_mfn, 0, 0) ^ pattern_word(from_mfn, 0, 0);

    for (unsigned int i = 0; i < PATTERN_WORDS; i++)
        to[i] = from[i] ^ rekey;
}
