/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command works on: a target that is attached to, one snapshot of it,
 * and its symbols. The viewer's ":" makes one of what it has.
 */
#ifndef VIEWER_COMMAND_CONTEXT_H
#define VIEWER_COMMAND_CONTEXT_H

#include "command/options.h"
#include "model/mapcache.h"
#include "source/recording.h"
#include "source/symbols.h"

struct context {
    const struct options *o;
    struct target target; /* closed if somebody else's */
    const struct source *src;
    const struct snapshot *snap;
    const struct symbols *symbols; /* NULL: none */
    const struct places *places;   /* where CPUs stand, if that is known already; NULL: ask */
    struct symbols *own_symbols;
    struct snapshot *own; /* to be freed */
};

/*
 * machine_find(), in a target whose gdb stub may be asked, once, for the
 * registers that a profile needs. Only if a person named the profile: it halts
 * the machine for a moment, which target->note then says.
 */
enum machine_status context_find_machine(struct target *target, const struct target_spec *spec,
                                         struct machine *m, struct failure *f);

/* 0, or -1 with f: the command needs slots, and this machine has none. */
int context_require_slots(enum command command, const struct machine *m, struct failure *f);

/*
 * Attach and take a snapshot of a machine that has a mapcache. 0, or -1 with f;
 * then nothing is left open.
 */
int context_open(struct context *ctx, const struct options *o, struct failure *f);
void context_close(struct context *ctx);

/*
 * Symbols of the image that runs: --elf, else an ELF file of that build beside
 * the run directory, or in build/. NULL if there are none; f->text says why if
 * somebody asked for them, else it is "".
 */
struct symbols *context_find_symbols(const struct options *o, const struct machine *m,
                                     struct failure *f);

/* A command that prints what it finds; 0, or -1 with f and nothing worth showing in out. */
typedef int (*command_printer)(const struct context *ctx, FILE *out, struct failure *f);

/* NULL: the command is not one of these. */
command_printer command_find_printer(enum command command);

/* Run such a command on a context of its own; returns the exit status. */
int command_print(const struct options *o);

int print_dump(const struct context *ctx, FILE *out, struct failure *f);
int print_walk(const struct context *ctx, FILE *out, struct failure *f);
int print_map(const struct context *ctx, FILE *out, struct failure *f);
int print_cpus(const struct context *ctx, FILE *out, struct failure *f);
int print_stats(const struct context *ctx, FILE *out, struct failure *f);
int print_events(const struct context *ctx, FILE *out, struct failure *f);
int print_find(const struct context *ctx, FILE *out, struct failure *f);
int print_explain(const struct context *ctx, FILE *out, struct failure *f);

/* Go to frame n of a recording, snapshot included. False: it is none, or has no more. */
bool context_frame(const struct context *ctx, unsigned int n);

/* Is this CPU to be listed? */
bool context_wants_cpu(const struct context *ctx, unsigned int cpu);

/* The CPU of --cpu, or the first that is on. 0, or -1 with f: several, or it is off. */
int context_one_cpu(const struct context *ctx, const struct cpu_snapshot **c, struct failure *f);

/* "target":{…} of the schemas; "hvscope image, engine xen, …" of the texts. */
void context_json_target(FILE *out, const struct machine *m);
void context_text_head(FILE *out, const struct machine *m);

#endif /* VIEWER_COMMAND_CONTEXT_H */
