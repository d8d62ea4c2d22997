/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/stats.h"

unsigned int spread_class(unsigned int probe)
{
    unsigned int i = 0;

    while (probe && i + 1 < SPREAD_PROBES) {
        probe >>= 1;
        i++;
    }
    return i;
}

const char *spread_probe_name(unsigned int i)
{
    static const char *const names[SPREAD_PROBES] = {"0",       "1",       "2-3",     "4-7",
                                                     "8-15",    "16-31",   "32-63",   "64-127",
                                                     "128-255", "256-511", "512-1023"};

    return names[i];
}

void spread_slots(const struct machine *m, const struct cpu_snapshot *c, struct slot_spread *s)
{
    *s = (struct slot_spread){0};
    for (unsigned int i = 0; c->on && i < m->beacon.domheap_entries; i++) {
        struct slot_info info;

        if (c->state[i] == SLOT_UNREAD || !pte_valid(c->pte[i]))
            continue;
        info = cpu_slot(m, c, i);
        if (info.state != SLOT_BROKEN)
            s->refs[info.refs]++;
        if (info.block && info.has_home)
            s->probe[spread_class(info.probe)]++;
    }
}
