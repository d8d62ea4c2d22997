/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/dump.h"

#include "command/output.h"

#include <stdlib.h>

bool dump_wants_cpu(const struct options *o, unsigned int cpu)
{
    return !o->some_cpus || (o->cpu_mask >> cpu & 1);
}

bool dump_wants_slot(const struct options *o, const struct cpu_snapshot *c, unsigned int slot)
{
    return c->state[slot] != SLOT_UNREAD && (o->all || c->state[slot] != SLOT_FREE);
}

static struct snapshot *take_snapshot(const struct options *o, const struct source *src,
                                      struct failure *f)
{
    const uint64_t *beacon_pa = o->target.has_beacon ? &o->target.beacon_pa : NULL;
    struct machine machine;
    struct snapshot *snap;

    if (machine_read(src, beacon_pa, &machine, f) != MACHINE_OK ||
        options_check_cpus(o, machine.beacon.ncpu, f) || machine_require_mapcache(&machine, f))
        return NULL;
    snap = snapshot_new(machine.beacon.ncpu);
    if (!snap) {
        failure_set(f, EXIT_NO_TARGET, "out of memory");
        return NULL;
    }
    if (snapshot_read(src, &machine, snap, f)) {
        free(snap);
        return NULL;
    }
    return snap;
}

static int print_snapshot(const struct options *o, const struct snapshot *snap, struct failure *f)
{
    struct output out;

    if (output_begin(&out, f))
        return -1;
    if (o->json)
        dump_json(out.file, snap, o);
    else
        dump_text(out.file, snap, o);
    return output_end(&out, f);
}

int command_dump(const struct options *o)
{
    struct target target;
    struct failure failure;
    struct snapshot *snap;
    int ret;

    if (target_open(&target, &o->target, &failure))
        return failure_report(&failure);
    snap = take_snapshot(o, target.src, &failure);
    target_close(&target);
    ret = snap ? print_snapshot(o, snap, &failure) : -1;
    free(snap);
    return ret ? failure_report(&failure) : EXIT_DONE;
}
