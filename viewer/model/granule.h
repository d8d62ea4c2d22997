/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the page size decides.
 */
#ifndef VIEWER_MODEL_GRANULE_H
#define VIEWER_MODEL_GRANULE_H

struct granule {
    const char *name;
    unsigned int shift, tsz_max;
    int first_block, first_block_big; /* the lowest level that has blocks; big: 52-bit */
};

extern const struct granule granule_4k, granule_16k, granule_64k;

#endif /* VIEWER_MODEL_GRANULE_H */
