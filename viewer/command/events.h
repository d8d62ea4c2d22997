/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One event as a line of text or JSON; and the command.
 */
#ifndef VIEWER_COMMAND_EVENTS_H
#define VIEWER_COMMAND_EVENTS_H

#include "command/options.h"
#include "model/events.h"
#include "source/symbols.h"

void event_json(FILE *out, const struct machine *m, const struct symbols *symbols,
                const struct event *e);
void event_text(FILE *out, const struct machine *m, const struct symbols *symbols,
                const struct event *e);

/* What there is, or with --follow until interrupted, or the target goes away. The exit status. */
int command_events(const struct options *o);

/* Reading the rings of the wanted CPUs, merged by time. */
struct context;

struct event_stream {
    const struct options *o;
    const struct source *src;
    const struct symbols *symbols;
    struct ring_cursor cursor[BEACON_CPUS_MAX];
    struct trace_record *records; /* room for one CPU's batch */
    struct event_list events;     /* of the last step, all CPUs */
    unsigned int batch;           /* records a CPU and step */
    uint64_t seen, lost;
};

int event_stream_open(struct event_stream *s, const struct options *o, const struct source *src,
                      const struct symbols *symbols, struct failure *f);
void event_stream_close(struct event_stream *s);

/* The next batch of every CPU, into s->events; returns whether there may be more right now. */
bool event_stream_read(struct event_stream *s, const struct snapshot *snap);

/*
 * All that there is: of a recording, of all frames, and ctx->snap is the last
 * one's then.
 */
void event_stream_read_all(struct event_stream *s, const struct context *ctx);

/* The same, printed; returns whether there may be more right now. */
bool event_stream_step(struct event_stream *s, const struct snapshot *snap, FILE *out);

#endif /* VIEWER_COMMAND_EVENTS_H */
