/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/stream.h"

#include <hvscope/trace.h>
#include <stddef.h>

void stream_adopt(const struct source *src, struct machine *m)
{
    const uint64_t pa = TRACE_FILE_PA;
    struct machine file;
    struct failure none;

    if (m->pa || machine_read(src, &pa, &file, &none) != MACHINE_OK ||
        file.beacon.trace_mode != TRACE_ALL || file.beacon.ncpu < m->beacon.ncpu)
        return;
    m->pa = pa;
    m->beacon.trace_mode = file.beacon.trace_mode;
    m->beacon.cntfrq = file.beacon.cntfrq;
    m->beacon.cpu_offset = file.beacon.cpu_offset;
    m->beacon.cpu_stride = file.beacon.cpu_stride;
    m->beacon.bbm_level = file.beacon.bbm_level;
}

bool stream_totals(const struct source *src, const struct machine *m, struct trace_totals *totals)
{
    return m->pa == TRACE_FILE_PA &&
           source_read_phys(src, TRACE_FILE_PA + offsetof(struct trace_file, totals), totals,
                            sizeof(*totals)) == 0;
}

void stream_read_cpu(const struct source *src, const struct machine *m, unsigned int cpu,
                     struct beacon_cpu *info)
{
    uint64_t pa = m->pa + m->beacon.cpu_offset + (uint64_t)cpu * m->beacon.cpu_stride;
    struct beacon_cpu traced;

    if (m->pa != TRACE_FILE_PA || source_read_phys(src, pa, &traced, sizeof(traced)) != 0)
        return;
    info->root = info->root ? info->root : traced.root;
    info->ring = traced.ring;
    info->ring_entries = traced.ring_entries;
    info->ring_head = traced.ring_head;
    info->ring_sides = traced.ring_sides;
    info->ring_barriers = traced.ring_barriers;
    info->maps = traced.maps;
    info->unmaps = traced.unmaps;
    info->hits = traced.hits;
    info->commandeers = traced.commandeers;
    info->probes = traced.probes;
    info->bypasses = traced.bypasses;
}
