/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/fake.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int fake_read(const struct source *src, uint64_t pa, void *buf, size_t len)
{
    struct fake_source *fake = (struct fake_source *)(uintptr_t)src;

    fake->reads++;
    if (fake->on_read)
        fake->on_read(fake, pa, len);
    if (pa < fake->base || pa - fake->base > fake->size || len > fake->size - (pa - fake->base))
        return -EFAULT;
    source_copy(buf, fake->mem + (pa - fake->base), len);
    return 0;
}

static enum source_health fake_health(struct source *src)
{
    return ((struct fake_source *)src)->health;
}

static int fake_piece(const struct source *src, unsigned int n, struct source_piece *piece)
{
    const struct fake_source *fake = (const struct fake_source *)src;

    if (n > 0)
        return -ENOENT;
    *piece = (struct source_piece){fake->base, fake->size};
    return 0;
}

static unsigned int fake_cpus(const struct source *src)
{
    return ((const struct fake_source *)src)->ncpu;
}

static int fake_register(const struct source *src, unsigned int cpu, const char *name,
                         uint64_t *value)
{
    const struct fake_source *fake = (const struct fake_source *)src;

    for (const struct fake_register *r = fake->registers; r && r->name; r++) {
        if (cpu < fake->ncpu && strcmp(r->name, name) == 0) {
            *value = r->value;
            return 0;
        }
    }
    return -ENOENT;
}

static void fake_close(struct source *src)
{
    struct fake_source *fake = (struct fake_source *)src;

    free(fake->mem);
    free(fake);
}

static const struct source_ops fake_ops = {
    .name = "fake",
    .read = fake_read,
    .health = fake_health,
    .piece = fake_piece,
    .close = fake_close,
    .cpus = fake_cpus,
    .reg = fake_register,
};

struct fake_source *fake_open(uint64_t base, uint64_t size)
{
    struct fake_source *fake = calloc(1, sizeof(*fake));

    if (!fake)
        return NULL;
    *fake = (struct fake_source){.src.ops = &fake_ops, .base = base, .size = size};
    fake->mem = calloc(1, size);
    if (!fake->mem) {
        free(fake);
        return NULL;
    }
    return fake;
}

void fake_put(struct fake_source *fake, uint64_t pa, const void *data, size_t len)
{
    assert(pa >= fake->base && pa - fake->base + len <= fake->size);
    memcpy(fake->mem + (pa - fake->base), data, len);
}

void fake_put_u64(struct fake_source *fake, uint64_t pa, uint64_t value)
{
    fake_put(fake, pa, &value, sizeof(value));
}
