/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/kept.h"

#include <errno.h>
#include <string.h>

static int read_live(struct kept *k, uint64_t pa, void *buf, size_t len)
{
    int ret = k->below ? k->below->ops->read(k->below, pa, buf, len) : -EFAULT;

    k->live |= ret == 0;
    return ret;
}

static int kept_read(const struct source *src, uint64_t pa, void *buf, size_t len)
{
    struct kept *k = (struct kept *)(uintptr_t)src;
    char *to = buf;
    int ret = 0;

    for (size_t at = 0, part; at < len && ret == 0; at += part) {
        uint64_t inside = (pa + at) % PAGE_BYTES;
        const struct page *page = page_find(k->set, pa + at - inside);

        part = len - at < PAGE_BYTES - inside ? len - at : PAGE_BYTES - inside;
        if (page)
            memcpy(to + at, (const char *)page->word + inside, part);
        else
            ret = read_live(k, pa + at, to + at, part);
    }
    return ret;
}

static int kept_piece(const struct source *src, unsigned int n, struct source_piece *piece)
{
    const struct kept *k = (const struct kept *)src;

    return k->below ? source_piece(k->below, n, piece) : -ENOENT;
}

static unsigned int kept_cpus(const struct source *src)
{
    const struct kept *k = (const struct kept *)src;

    return k->below ? source_cpus(k->below) : 0;
}

static int kept_register(const struct source *src, unsigned int cpu, const char *name,
                         uint64_t *value)
{
    const struct kept *k = (const struct kept *)src;

    return k->below ? source_register(k->below, cpu, name, value) : -ENOENT;
}

struct kept source_kept(const struct source *below, const struct page_set *set)
{
    static const struct source_ops ops = {.name = "kept",
                                          .read = kept_read,
                                          .piece = kept_piece,
                                          .cpus = kept_cpus,
                                          .reg = kept_register};

    return (struct kept){{&ops}, below, set, false};
}
