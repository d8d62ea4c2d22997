/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the work's pages hold. A page's contents say which frame it is: a map
 * that reaches another one, by a wrong entry or a stale translation, does not
 * verify.
 */
#ifndef HV_WORK_PATTERN_H
#define HV_WORK_PATTERN_H

#include <hvscope/addr.h>

#define PATTERN_WORDS (PAGE_SIZE / sizeof(uint64_t))

/* Word i of a page in frame mfn whose contents are `seed`. */
uint64_t pattern_word(mfn_t mfn, uint64_t seed, unsigned int i);

/* Write a page's contents. */
void pattern_fill(uint64_t *page, mfn_t mfn, uint64_t seed);

/* Check all of a page, and count it as verified. Panics at the first wrong word. */
void pattern_verify(const uint64_t *page, mfn_t mfn, uint64_t seed);

/* Check one word: for maps that are to be short. */
void pattern_probe(const uint64_t *page, mfn_t mfn, uint64_t seed, unsigned int i);

/* The contents move; the frame that a page says it is stays. */
void pattern_copy(uint64_t *to, mfn_t to_mfn, const uint64_t *from, mfn_t from_mfn);

#endif /* HV_WORK_PATTERN_H */
