/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/context.h"

#include "command/json.h"
#include "command/output.h"
#include "model/profile.h"
#include "model/stream.h"
#include "source/asked.h"

#include <hvscope/trace.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Does the command do without slots? */
static bool is_for_tables(enum command command, const struct machine *m)
{
    return command == COMMAND_WALK || command == COMMAND_MAP || command == COMMAND_CPUS ||
           ((command == COMMAND_EVENTS || command == COMMAND_CHECK) &&
            m->beacon.trace_mode != TRACE_OFF);
}

int context_require_slots(enum command command, const struct machine *m, struct failure *f)
{
    if (is_for_tables(command, m) && !m->profile->mapcache)
        return 0;
    if (command == COMMAND_EVENTS && stream_is_alone(m))
        return 0;
    return machine_require_mapcache(m, f);
}

enum machine_status context_find_machine(struct target *target, const struct target_spec *spec,
                                         struct machine *m, struct failure *f)
{
    enum machine_status status = machine_find(target->src, spec, m, f);

    if (status != MACHINE_FOREIGN || !m->wants_registers || !spec->profile)
        return status;
    if (!target->asked && asked_learn(target, spec, &target->refusal) == 0)
        return machine_find(target->src, spec, m, f);
    if (target->refusal.text[0])
        *f = target->refusal;
    return MACHINE_FOREIGN;
}

static int take_snapshot(struct context *ctx, struct failure *f)
{
    struct machine machine;

    enum machine_status status = context_find_machine(&ctx->target, &ctx->o->target, &machine, f);

    ctx->src = ctx->target.src;
    if (ctx->target.note[0])
        fprintf(stderr, "hvscope: %s\n", ctx->target.note);
    if (status != MACHINE_OK || options_check_cpus(ctx->o, machine.beacon.ncpu, f) ||
        context_require_slots(ctx->o->command, &machine, f))
        return -1;
    if (machine.note)
        fprintf(stderr, "hvscope: %s\n", machine.note);
    ctx->own = snapshot_new(machine.beacon.ncpu);
    ctx->snap = ctx->own;
    if (!ctx->own)
        return failure_set(f, EXIT_NO_TARGET, "out of memory");
    return snapshot_read(ctx->src, &machine, ctx->own, f);
}

static struct symbols *try_symbols(const struct machine *m, const char *path, struct failure *f)
{
    const struct beacon *b = &m->beacon;
    size_t size = b->build_id_size <= BEACON_BUILD_ID_MAX ? b->build_id_size : 0;

    return symbols_open(path, b->build_id, size, f);
}

/* Where make install puts the images, seen from the program; false: nobody knows. */
static bool installed_images(char *dir, size_t size)
{
    ssize_t n = readlink("/proc/self/exe", dir, size - 1);

    if (n <= 0)
        return false;
    dir[n] = '\0';
    for (int levels = 0; levels < 2; levels++) {
        if (!strrchr(dir, '/'))
            return false;
        *strrchr(dir, '/') = '\0';
    }
    return snprintf(dir + strlen(dir), size - strlen(dir), "/share/hvscope/images") > 0;
}

/* %s: the folder, and the engine that runs, of which a machine that is not ours has none. */
static struct symbols *symbols_among(const struct machine *m, const char *const *places, size_t n,
                                     const char *dir)
{
    const char *engine = machine_engine_name(m);
    struct symbols *found = NULL;
    struct failure ignored;
    char path[PATH_MAX];

    for (size_t i = 0; i < n && !found; i++) {
        snprintf(path, sizeof(path), places[i], dir, engine ? engine : "");
        if (access(path, R_OK) == 0)
            found = try_symbols(m, path, &ignored);
    }
    return found;
}

struct symbols *context_find_symbols(const struct options *o, const struct machine *m,
                                     struct failure *f)
{
    static const char *const places[] = {"%s/symbols", "%s/../hv.elf", "%s/../hv-%s.elf"};
    static const char *const image = "%s/hv-%s.elf";
    struct symbols *found;
    char installed[PATH_MAX];

    f->text[0] = '\0';
    if (o->elf)
        return try_symbols(m, o->elf, f);
    found = symbols_among(m, places, sizeof(places) / sizeof(places[0]),
                          o->target.dir ? o->target.dir : ".");
    if (!found)
        found = symbols_among(m, &image, 1, "build");
    if (!found && installed_images(installed, sizeof(installed)))
        found = symbols_among(m, &image, 1, installed);
    return found;
}

/* Symbols are no condition: without them addresses are shown. */
static void find_symbols(struct context *ctx)
{
    struct failure f;

    ctx->own_symbols = context_find_symbols(ctx->o, &ctx->snap->machine, &f);
    ctx->symbols = ctx->own_symbols;
    if (!ctx->symbols && f.text[0])
        failure_report(&f);
}

int context_open(struct context *ctx, const struct options *o, struct failure *f)
{
    *ctx = (struct context){.o = o, .target = TARGET_NONE};
    if (target_open(&ctx->target, &o->target, f))
        return -1;
    if (take_snapshot(ctx, f)) {
        context_close(ctx);
        return -1;
    }
    if (o->command == COMMAND_EVENTS || o->command == COMMAND_CPUS || o->command == COMMAND_CHECK ||
        (o->elf && ctx->snap->machine.profile->counted)) /* not to be wrong in silence */
        find_symbols(ctx);
    return 0;
}

bool context_frame(const struct context *ctx, unsigned int n)
{
    struct failure ignored;

    return ctx->own && source_is_recording(ctx->src) && n < recording_frames(ctx->src) &&
           recording_seek(ctx->target.src, n) == 0 &&
           snapshot_read(ctx->src, &ctx->own->machine, ctx->own, &ignored) == 0;
}

void context_close(struct context *ctx)
{
    free(ctx->own);
    symbols_close(ctx->own_symbols);
    target_close(&ctx->target);
    *ctx = (struct context){.target = TARGET_NONE};
}

command_printer command_find_printer(enum command command)
{
    static const command_printer printers[COMMANDS] = {
        [COMMAND_DUMP] = print_dump,       [COMMAND_WALK] = print_walk,
        [COMMAND_MAP] = print_map,         [COMMAND_CPUS] = print_cpus,
        [COMMAND_STATS] = print_stats,     [COMMAND_FIND] = print_find,
        [COMMAND_EXPLAIN] = print_explain, [COMMAND_EVENTS] = print_events,
    };

    return printers[command];
}

int command_print(const struct options *o)
{
    struct failure f;
    struct context ctx;
    struct output out;
    int ret;

    if (context_open(&ctx, o, &f))
        return failure_report(&f);
    ret = output_begin(&out, &f);
    if (ret == 0) {
        ret = command_find_printer(o->command)(&ctx, out.file, &f);
        if (ret)
            output_drop(&out);
        else
            ret = output_end(&out, &f);
    }
    context_close(&ctx);
    return ret ? failure_report(&f) : EXIT_DONE;
}

bool context_wants_cpu(const struct context *ctx, unsigned int cpu)
{
    return !ctx->o->some_cpus || (ctx->o->cpu_mask >> cpu & 1);
}

int context_one_cpu(const struct context *ctx, const struct cpu_snapshot **c, struct failure *f)
{
    uint64_t mask = ctx->o->cpu_mask;
    unsigned int cpu = 0;

    if (ctx->o->some_cpus && (mask & (mask - 1)))
        return failure_set(f, EXIT_USAGE, "this command takes one CPU: give --cpu N");
    if (ctx->o->some_cpus)
        cpu = __builtin_ctzll(mask);
    else
        while (cpu + 1 < ctx->snap->ncpu && !ctx->snap->cpu[cpu].on)
            cpu++;
    *c = &ctx->snap->cpu[cpu];
    if ((*c)->on)
        return 0;
    return failure_set(f, EXIT_NO_MAPCACHE, "CPU%u is %s: it has no tables to look at", cpu,
                       machine_cpu_state_name((*c)->info.state));
}

void context_json_target(FILE *out, const struct machine *m)
{
    fprintf(out, "\"target\":{\"kind\":\"%s\"", m->profile->name);
    put_string(out, "engine", machine_engine_name(m));
    put_string(out, "arch", m->arch);
    put_number(out, "ncpu", true, m->beacon.ncpu);
    fputc('}', out);
}

void context_text_head(FILE *out, const struct machine *m)
{
    const struct beacon *b = &m->beacon;

    if (!m->profile->counted) {
        fprintf(out, "%s %u %s", m->profile->tells_cpus ? "Xen," : "EL2 of", b->ncpu,
                b->ncpu == 1 ? "CPU" : "CPUs");
        if (m->profile->mapcache)
            fprintf(out, ", %s; %u slots at 0x%" PRIx64 "\n", m->arch, b->domheap_entries,
                    b->domheap_va);
        else
            fputs(", no mapcache that is known\n", out);
        return;
    }
    fprintf(out, "hvscope image, engine %s, %u %s, %s%s; %u slots at 0x%" PRIx64 "\n",
            machine_engine_name(m), b->ncpu, b->ncpu == 1 ? "CPU" : "CPUs", machine_state_text(m),
            b->state == BEACON_PANICKED ? m->message : "", b->domheap_entries, b->domheap_va);
}
