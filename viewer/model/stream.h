/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events of a hypervisor that records none itself, or less: the tracer's file of the
 * run directory, which the source has at TRACE_FILE_PA (hvscope/trace_file.h).
 */
#ifndef VIEWER_MODEL_STREAM_H
#define VIEWER_MODEL_STREAM_H

#include "model/machine.h"

#include <hvscope/trace_file.h>

/*
 * If the source has such a file, let m's events be its: events, beacon.trace_mode and cntfrq;
 * pa and the place of the CPUs' blocks too if it has no beacon of its own. An image that
 * records all itself, or judges itself, keeps its own, unless the file is asked for.
 */
void stream_adopt(const struct source *src, const struct target_spec *spec, struct machine *m);

/* Is it asked for, by --beacon? */
bool stream_is_asked(const struct target_spec *spec);

/* Has the source nothing else of an image, so that nothing is known of its tables? */
bool stream_is_alone(const struct machine *m);

/* The ring and the calls counted, of a CPU of such a machine; another's info stays. */
void stream_read_cpu(const struct source *src, const struct machine *m, unsigned int cpu,
                     struct beacon_cpu *info);

/* What the tracer saw and what it could not; false: none is at work. */
bool stream_totals(const struct source *src, const struct machine *m, struct trace_totals *totals);

#endif /* VIEWER_MODEL_STREAM_H */
