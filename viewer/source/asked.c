/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/asked.h"

#include "source/gdb.h"
#include "source/qmp_ask.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DISCONNECTED "disconnected:"

/* Set up once by what runs at EL2; none that another guest or the next trap changes. */
static const char *const names[] = {"TTBR0_EL2", "TTBR1_EL2", "TCR_EL2", "TCR2_EL2", "SCTLR_EL2",
                                    "MAIR_EL2",  "HCR_EL2",   "HTTBR",   "HCR"};

#define NAMES (sizeof(names) / sizeof(names[0]))

struct told {
    bool known[NAMES];
    uint64_t value[NAMES];
};

struct source_asked {
    struct source src;
    struct source_ops ops; /* of these, and of what memory can do */
    struct source *memory;
    unsigned int nr_cpus;
    struct told cpu[];
};

static const struct source_asked *asked_of(const struct source *src)
{
    return (const struct source_asked *)src;
}

static int asked_read(const struct source *src, uint64_t pa, void *buf, size_t len)
{
    const struct source *memory = asked_of(src)->memory;

    return memory->ops->read(memory, pa, buf, len);
}

static enum source_health asked_health(struct source *src)
{
    return source_health(asked_of(src)->memory);
}

static int asked_piece(const struct source *src, unsigned int n, struct source_piece *piece)
{
    return source_piece(asked_of(src)->memory, n, piece);
}

static void asked_close(struct source *src)
{
    source_close(asked_of(src)->memory);
    free(src);
}

static unsigned int asked_cpus(const struct source *src)
{
    return asked_of(src)->nr_cpus;
}

static int asked_register(const struct source *src, unsigned int cpu, const char *name,
                          uint64_t *value)
{
    const struct source_asked *a = asked_of(src);

    for (size_t i = 0; cpu < a->nr_cpus && i < NAMES; i++) {
        if (a->cpu[cpu].known[i] && strcmp(names[i], name) == 0) {
            *value = a->cpu[cpu].value[i];
            return 0;
        }
    }
    return -ENOENT;
}

static bool asked_take(struct source *src)
{
    return source_take(asked_of(src)->memory);
}

static void asked_give(struct source *src)
{
    source_give(asked_of(src)->memory);
}

static enum qmp_result asked_ask(struct source *src, struct qmp *qmp)
{
    return source_ask(asked_of(src)->memory, qmp);
}

/* Shared if memory is. */
static void answer_for(struct source_asked *a, struct source *memory)
{
    bool shared = source_is_shared(memory);

    a->ops = (struct source_ops){
        .name = "asked",
        .read = asked_read,
        .health = asked_health,
        .piece = asked_piece,
        .close = asked_close,
        .cpus = asked_cpus,
        .reg = asked_register,
        .take = shared ? asked_take : NULL,
        .give = shared ? asked_give : NULL,
        .ask = shared ? asked_ask : NULL,
    };
    a->src.ops = &a->ops;
    a->memory = memory;
}

bool asked_address(const char *filename, const char *cwd, char *address, size_t size)
{
    const char *at = filename + strlen(DISCONNECTED), *end;

    if (strncmp(filename, DISCONNECTED, strlen(DISCONNECTED)) != 0)
        return false;
    if (strncmp(at, "unix:", 5) != 0 && strncmp(at, "tcp:", 4) != 0)
        return false;
    end = strchr(at, ',') ?: at + strlen(at);
    if (at[0] == 't')
        snprintf(address, size, "%.*s", (int)(end - at - 4), at + 4);
    else if (at[5] == '/')
        snprintf(address, size, "%.*s", (int)(end - at - 5), at + 5);
    else
        snprintf(address, size, "%s/%.*s", cwd, (int)(end - at - 5), at + 5);
    return true;
}

struct stub {
    char address[PATH_MAX];
    bool halted; /* is the machine, before anybody comes */
};

/* The stub's character device has the id "gdb": QEMU's for -gdb unix: and tcp:, and ours. */
static const char *stub_of(const json_t *chardevs)
{
    const json_t *device;
    size_t i;

    json_array_foreach(chardevs, i, device)
    {
        const char *label = json_string_value(json_object_get(device, "label"));

        if (label && strncmp(label, "gdb", 3) == 0)
            return json_string_value(json_object_get(device, "filename"));
    }
    return NULL;
}

static int find_stub(const char *qmp, struct stub *stub, struct failure *f)
{
    struct qmp_talk talk;
    const char *filename;
    json_t *chardevs, *status;
    char cwd[32];
    int ret = 0;

    if (qmp_talk_open(&talk, qmp, QMP_PATIENCE_MS, f))
        return -1;
    chardevs = qmp_talk_ask(&talk, "query-chardev", NULL, f);
    status = chardevs ? qmp_talk_ask(&talk, "query-status", NULL, f) : NULL;
    stub->halted = !json_is_true(json_object_get(status, "running"));
    filename = stub_of(chardevs);
    snprintf(cwd, sizeof(cwd), "/proc/%ld/cwd", (long)talk.pid);
    if (!status)
        ret = -1;
    else if (!filename)
        ret = failure_set(f, EXIT_NOT_UNDERSTOOD,
                          "EL2's registers are needed, and this QEMU has no gdb stub: start it "
                          "with -gdb, or name a root table with --root");
    else if (!asked_address(filename, cwd, stub->address, sizeof(stub->address)))
        ret = failure_set(f, EXIT_NOT_UNDERSTOOD,
                          "EL2's registers are needed, and a debugger is attached to the gdb stub: "
                          "detach it once, or name a root table with --root");
    json_decref(chardevs);
    json_decref(status);
    qmp_talk_close(&talk);
    return ret;
}

static void copy_registers(const struct source *stub, struct source_asked *a)
{
    for (unsigned int cpu = 0; cpu < a->nr_cpus; cpu++) {
        for (size_t i = 0; i < NAMES; i++)
            a->cpu[cpu].known[i] = source_register(stub, cpu, names[i], &a->cpu[cpu].value[i]) == 0;
    }
}

/* A machine that somebody has stopped says "paused", and so does one that we halted by coming. */
static struct source_asked *ask(const struct stub *where, struct failure *f)
{
    struct source *stub = gdb_open(where->address, f);
    unsigned int nr = stub ? source_cpus(stub) : 0;
    struct source_asked *a = stub ? calloc(1, sizeof(*a) + nr * sizeof(a->cpu[0])) : NULL;

    if (stub && where->halted)
        gdb_leave_halted(stub);
    if (a) {
        a->nr_cpus = nr;
        copy_registers(stub, a);
    } else if (stub) {
        failure_set(f, EXIT_NO_TARGET, "out of memory");
    }
    source_close(stub);
    return a;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

int asked_learn(struct target *target, const struct target_spec *spec, struct failure *f)
{
    char qmp[PATH_MAX];
    struct stub stub;
    struct source_asked *a;
    uint64_t before;

    target->asked = true;
    if (!target_is_directory(spec) && !spec->qmp)
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "EL2's registers are needed, and memory alone does not tell them: name "
                           "the machine with --dir, --qmp or --gdb, or a root table with --root");
    if (spec->qmp)
        snprintf(qmp, sizeof(qmp), "%s", spec->qmp);
    else
        snprintf(qmp, sizeof(qmp), "%s/qmp.sock", spec->dir);
    source_give(target->src); /* for the question to come */
    if (find_stub(qmp, &stub, f))
        return -1;
    before = now_ms();
    a = ask(&stub, f);
    if (!a)
        return -1;
    if (stub.halted)
        snprintf(target->note, sizeof(target->note),
                 "asked the gdb stub for EL2's registers, once: the machine was and stays halted");
    else
        snprintf(target->note, sizeof(target->note),
                 "asked the gdb stub for EL2's registers, once: the machine was halted for %llu ms",
                 (unsigned long long)now_ms() - before + 1);
    answer_for(a, target->src);
    target->src = &a->src;
    return 0;
}
