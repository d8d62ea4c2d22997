/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/moment.h"

#include "model/capture.h"
#include "model/profile.h"
#include "source/gdb.h"

#include <string.h>

void moment_freeze(struct moment *m, const struct source *src, const struct snapshot *snap)
{
    struct failure ignored;

    m->frozen = true;
    m->pages.nr = 0;
    m->still = src && (source_is_gdb(src) || source_is_recording(src));
    m->whole = src && !m->still && !source_is_shared(src) &&
               capture_pages(src, snap, &m->pages, &ignored) == 0;
}

void moment_leave(struct moment *m)
{
    page_set_free(&m->pages);
    *m = (struct moment){0};
}

/* Between the pause and this snapshot slots may have changed. */
static void put_slots(struct page_set *set, const struct snapshot *snap)
{
    const struct machine *machine = &snap->machine;

    for (unsigned int cpu = 0; machine->profile->mapcache && cpu < snap->ncpu; cpu++) {
        const struct cpu_snapshot *c = &snap->cpu[cpu];

        for (unsigned int n = 0; c->on && n < machine_l2_pages(machine); n++) {
            size_t first = (size_t)n * PT_ENTRIES;
            uint64_t pa = chain_l2(&c->chain, n);
            struct page *page = pa && c->state[first] != SLOT_UNREAD ? page_add(set, pa) : NULL;

            if (page)
                memcpy(page->word, &c->pte[first], sizeof(page->word));
        }
    }
}

const struct source *moment_memory(struct moment *m, const struct source *src,
                                   const struct snapshot *snap)
{
    if (!m->frozen)
        return src;
    put_slots(&m->pages, snap);
    m->kept = source_kept(src, &m->pages);
    return src || m->whole ? &m->kept.src : NULL;
}

bool moment_is_live(const struct moment *m)
{
    return m->frozen && !m->still && m->kept.live;
}
