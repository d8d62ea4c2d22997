/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine that is not there: memory made by hand, for tests.
 */
#ifndef VIEWER_SOURCE_FAKE_H
#define VIEWER_SOURCE_FAKE_H

#include "source/source.h"

struct fake_register {
    const char *name;
    uint64_t value;
};

struct fake_source {
    struct source src;
    uint64_t base;
    uint64_t size;
    char *mem;
    enum source_health health;
    /* Called before each read, so that a test can change memory in between. */
    void (*on_read)(struct fake_source *fake, uint64_t pa, size_t len);
    unsigned int reads;
    unsigned int ncpu;                     /* whose registers can be read */
    const struct fake_register *registers; /* of each of them, up to one without a name */
};

/* size bytes of zeroed memory at base; NULL if out of memory. */
struct fake_source *fake_open(uint64_t base, uint64_t size);

/* Write to the fake memory; the range must be inside it. */
void fake_put(struct fake_source *fake, uint64_t pa, const void *data, size_t len);
void fake_put_u64(struct fake_source *fake, uint64_t pa, uint64_t value);

#endif /* VIEWER_SOURCE_FAKE_H */
