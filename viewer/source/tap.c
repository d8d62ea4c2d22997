/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/tap.h"

#include <errno.h>
#include <string.h>

static void keep(const struct tap *t, uint64_t pa)
{
    uint64_t words[PAGE_BYTES / 8];
    struct page *page;

    if (page_find(t->set, pa) || t->below->ops->read(t->below, pa, words, sizeof(words)) != 0)
        return;
    page = page_add(t->set, pa);
    if (page)
        memcpy(page->word, words, sizeof(words));
}

static int tap_read(const struct source *src, uint64_t pa, void *buf, size_t len)
{
    const struct tap *t = (const struct tap *)src;

    for (uint64_t at = pa & ~(uint64_t)(PAGE_BYTES - 1); at < pa + len; at += PAGE_BYTES)
        keep(t, at);
    return t->below->ops->read(t->below, pa, buf, len);
}

static int tap_piece(const struct source *src, unsigned int n, struct source_piece *piece)
{
    return source_piece(((const struct tap *)src)->below, n, piece);
}

static unsigned int tap_cpus(const struct source *src)
{
    return source_cpus(((const struct tap *)src)->below);
}

static int tap_register(const struct source *src, unsigned int cpu, const char *name,
                        uint64_t *value)
{
    return source_register(((const struct tap *)src)->below, cpu, name, value);
}

struct tap source_tap(const struct source *below, struct page_set *set)
{
    static const struct source_ops ops = {
        .name = "tap", .read = tap_read, .piece = tap_piece, .cpus = tap_cpus, .reg = tap_register};

    return (struct tap){{&ops}, below, set};
}
