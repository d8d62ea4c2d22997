/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope dump: one snapshot, as text or as JSON.
 */
#ifndef VIEWER_COMMAND_DUMP_H
#define VIEWER_COMMAND_DUMP_H

#include "command/options.h"
#include "model/mapcache.h"

/* The two forms; o: json is not looked at, cpu_mask and all are. */
void dump_text(FILE *out, const struct snapshot *snap, const struct options *o);
void dump_json(FILE *out, const struct snapshot *snap, const struct options *o);

/* Is this CPU, is this slot to be listed? */
bool dump_wants_cpu(const struct options *o, unsigned int cpu);
bool dump_wants_slot(const struct options *o, const struct cpu_snapshot *c, unsigned int slot);

/* ,"counts":{…}: slots of each state, and the sum of references. */
void dump_json_counts(FILE *out, const struct cpu_snapshot *c);

#endif /* VIEWER_COMMAND_DUMP_H */
