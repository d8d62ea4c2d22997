/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/series.h"

#include <string.h>

#define NS_PER_SECOND UINT64_C(1000000000)

static struct series_second sum(const struct snapshot *snap)
{
    struct series_second t = {0};

    for (unsigned int i = 0; i < snap->ncpu; i++) {
        const struct cpu_snapshot *c = &snap->cpu[i];

        t.maps += c->info.maps;
        t.unmaps += c->info.unmaps;
        t.hits += c->info.hits;
        t.commandeers += c->info.commandeers;
        t.probes += c->info.probes;
        t.bypasses += c->info.bypasses;
        t.in_use += c->counts[SLOT_IN_USE] + c->counts[SLOT_SATURATED];
        t.cached += c->counts[SLOT_CACHED];
    }
    return t;
}

/* What came in elapsed ns, as if it had been one second. */
static uint64_t rate(uint64_t now, uint64_t then, uint64_t elapsed)
{
    return (uint64_t)((double)(now - then) * (double)NS_PER_SECOND / (double)elapsed + 0.5);
}

void series_sample(struct series *s, const struct snapshot *snap)
{
    uint64_t elapsed = snap->time - s->since;
    struct series_second now;

    if (s->since && elapsed < NS_PER_SECOND)
        return;
    now = sum(snap);
    if (s->since) {
        if (s->nr == SERIES_KEPT)
            memmove(&s->second[0], &s->second[1], --s->nr * sizeof(s->second[0]));
        s->second[s->nr++] = (struct series_second){
            .maps = rate(now.maps, s->totals.maps, elapsed),
            .unmaps = rate(now.unmaps, s->totals.unmaps, elapsed),
            .hits = rate(now.hits, s->totals.hits, elapsed),
            .commandeers = rate(now.commandeers, s->totals.commandeers, elapsed),
            .probes = rate(now.probes, s->totals.probes, elapsed),
            .bypasses = rate(now.bypasses, s->totals.bypasses, elapsed),
            .in_use = now.in_use,
            .cached = now.cached,
        };
    }
    s->totals = now;
    s->since = snap->time;
}
