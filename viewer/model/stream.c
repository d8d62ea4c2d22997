/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/stream.h"
#include "model/profile.h"

#include <hvscope/trace.h>
#include <stddef.h>

/* Does its own ring have all that is to be judged, or is it judged already? */
static bool knows_all(const struct machine *m)
{
    return m->pa && (m->beacon.trace_mode == TRACE_ALL || m->beacon.check);
}

void stream_adopt(const struct source *src, const struct target_spec *spec, struct machine *m)
{
    const uint64_t pa = TRACE_FILE_PA;
    struct machine file;
    struct failure none;

    if ((knows_all(m) && !stream_is_asked(spec)) || m->pa == pa ||
        machine_read(src, &pa, &file, &none) != MACHINE_OK || file.beacon.trace_mode != TRACE_ALL ||
        file.beacon.ncpu < m->beacon.ncpu)
        return;
    m->events = file.events;
    m->events.size = file.beacon.image_size;
    m->beacon.trace_mode = file.beacon.trace_mode;
    m->beacon.check = 0;
    m->beacon.cntfrq = file.beacon.cntfrq;
    m->beacon.bbm_level = file.beacon.bbm_level;
    if (m->pa)
        return;
    m->pa = pa;
    m->beacon.cpu_offset = file.beacon.cpu_offset;
    m->beacon.cpu_stride = file.beacon.cpu_stride;
}

bool stream_is_asked(const struct target_spec *spec)
{
    return spec->has_beacon && spec->beacon_pa == TRACE_FILE_PA;
}

bool stream_is_alone(const struct machine *m)
{
    return m->pa == TRACE_FILE_PA && m->profile->counted;
}

bool stream_totals(const struct source *src, const struct machine *m, struct trace_totals *totals)
{
    return m->events.pa == TRACE_FILE_PA &&
           source_read_phys(src, TRACE_FILE_PA + offsetof(struct trace_file, totals), totals,
                            sizeof(*totals)) == 0;
}

void stream_read_cpu(const struct source *src, const struct machine *m, unsigned int cpu,
                     struct beacon_cpu *info)
{
    uint64_t pa = m->events.pa + m->events.cpu_offset + cpu * m->events.cpu_stride;
    struct beacon_cpu traced;

    if (m->events.pa != TRACE_FILE_PA || source_read_phys(src, pa, &traced, sizeof(traced)) != 0)
        return;
    info->root = info->root ? info->root : traced.root;
    info->ring = traced.ring;
    info->ring_entries = traced.ring_entries;
    info->ring_head = traced.ring_head;
    info->ring_sides = traced.ring_sides;
    info->ring_barriers = traced.ring_barriers;
    if (m->profile && m->profile->counted)
        return;
    info->maps = traced.maps;
    info->unmaps = traced.unmaps;
    info->hits = traced.hits;
    info->commandeers = traced.commandeers;
    info->probes = traced.probes;
    info->bypasses = traced.bypasses;
}
