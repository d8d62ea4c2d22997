/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/backends.h"
#include "source/ending.h"
#include "source/qmp_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TURN_MS (QMP_DEADLINE_NS / 1000000)

#define FOLDER_MAX 256

struct source_pmemsave {
    struct source src;
    struct qmp_talk talk; /* closed while others have their turn */
    pid_t pid;            /* of the QEMU that was found at first */
    bool replaced;        /* another one listens there now */
    uint64_t base, size;
    uint64_t taken_at, turn_ms; /* the turn under way, and how long the last one was */
    char *socket_path;
    char folder[FOLDER_MAX]; /* 0700; QEMU writes into it */
    char file[FOLDER_MAX + 8];
};

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Others need about as long for a turn as we do, and one may just have begun. */
static unsigned int turn_patience(const struct source_pmemsave *p)
{
    uint64_t ms = 2 * p->turn_ms > TURN_MS ? 2 * p->turn_ms : TURN_MS;

    return ms < QMP_PATIENCE_MS ? (unsigned int)ms : QMP_PATIENCE_MS;
}

/* 0; -EBUSY: somebody else has the socket; -EIO: the machine is not there any more. */
static int connect_again(struct source_pmemsave *p, unsigned int ms)
{
    struct failure f;
    int ret;

    if (p->talk.fd >= 0)
        return 0;
    ret = qmp_talk_open(&p->talk, p->socket_path, ms, &f);
    p->taken_at = now_ms();
    p->replaced = ret == 0 && p->talk.pid != p->pid;
    if (p->replaced)
        qmp_talk_close(&p->talk);
    return p->replaced ? -EIO : ret;
}

static int read_saved(const struct source_pmemsave *p, void *buf, size_t len)
{
    int fd = open(p->file, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, buf, len);

    if (fd >= 0)
        close(fd);
    unlink(p->file);
    return n == (ssize_t)len ? 0 : -EIO;
}

static int pmemsave_read(const struct source *src, uint64_t pa, void *buf, size_t len)
{
    struct source_pmemsave *p = (struct source_pmemsave *)(uintptr_t)src;
    struct failure f;
    json_t *done;

    if (pa < p->base || pa - p->base > p->size || len > p->size - (pa - p->base))
        return -EFAULT;
    if (connect_again(p, QMP_PATIENCE_MS))
        return -EIO;
    done = qmp_talk_ask(&p->talk, "pmemsave",
                        json_pack("{s:I,s:I,s:s}", "val", (json_int_t)pa, "size", (json_int_t)len,
                                  "filename", p->file),
                        &f);
    json_decref(done);
    return done ? read_saved(p, buf, len) : -EIO;
}

static enum source_health pmemsave_health(struct source *src)
{
    struct source_pmemsave *p = (struct source_pmemsave *)src;
    int ret = connect_again(p, turn_patience(p));

    if (p->replaced)
        return SOURCE_REPLACED;
    return ret == -EIO ? SOURCE_GONE : SOURCE_OK;
}

static int pmemsave_piece(const struct source *src, unsigned int n, struct source_piece *piece)
{
    const struct source_pmemsave *p = (const struct source_pmemsave *)src;

    if (n > 0)
        return -ENOENT;
    *piece = (struct source_piece){p->base, p->size};
    return 0;
}

static void remove_files(const struct source_pmemsave *p)
{
    unlink(p->file);
    rmdir(p->folder);
}

static struct source_pmemsave *newest; /* what a signal has to clear away after */

static void remove_newest(void)
{
    remove_files(newest);
}

static void pmemsave_close(struct source *src)
{
    struct source_pmemsave *p = (struct source_pmemsave *)src;

    qmp_talk_close(&p->talk);
    if (newest == p)
        ending_remove(remove_newest);
    remove_files(p);
    free(p->socket_path);
    free(p);
}

static bool pmemsave_take(struct source *src)
{
    struct source_pmemsave *p = (struct source_pmemsave *)src;

    return connect_again(p, turn_patience(p)) != -EBUSY;
}

static void pmemsave_give(struct source *src)
{
    struct source_pmemsave *p = (struct source_pmemsave *)src;

    if (p->talk.fd >= 0)
        p->turn_ms = now_ms() - p->taken_at;
    qmp_talk_close(&p->talk);
}

static enum qmp_result pmemsave_ask(struct source *src, struct qmp *qmp)
{
    struct source_pmemsave *p = (struct source_pmemsave *)src;
    json_t *status, *registers = NULL;
    int ret = connect_again(p, turn_patience(p));
    const char *word;
    struct failure f;

    if (ret)
        return ret == -EBUSY ? QMP_BUSY : QMP_REFUSED;
    status = qmp_talk_ask(&p->talk, "query-status", NULL, &f);
    word = json_string_value(json_object_get(status, "status"));
    if (word && qmp_wants_registers(word))
        registers = qmp_talk_ask(&p->talk, "human-monitor-command",
                                 json_pack("{s:s}", "command-line", PLACES_COMMAND), &f);
    if (word)
        qmp_set(qmp, word, json_string_value(registers));
    json_decref(registers);
    json_decref(status);
    return word ? QMP_DONE : QMP_REFUSED;
}

static const struct source_ops pmemsave_ops = {
    .name = "pmemsave",
    .read = pmemsave_read,
    .health = pmemsave_health,
    .piece = pmemsave_piece,
    .close = pmemsave_close,
    .take = pmemsave_take,
    .give = pmemsave_give,
    .ask = pmemsave_ask,
};

/* TMPDIR, if it can be meant for QEMU too. */
static const char *temporary(void)
{
    const char *path = getenv("TMPDIR");

    return path && path[0] == '/' && strlen(path) < FOLDER_MAX - 16 ? path : "/tmp";
}

struct source *pmemsave_open(struct qmp_talk *talk, const char *socket_path, uint64_t base,
                             uint64_t size, struct failure *f)
{
    struct source_pmemsave *p = calloc(1, sizeof(*p));
    char *path = p ? strdup(socket_path) : NULL;

    if (!path) {
        free(p);
        failure_set(f, EXIT_NO_TARGET, "out of memory");
        return NULL;
    }
    *p = (struct source_pmemsave){.src.ops = &pmemsave_ops,
                                  .pid = talk->pid,
                                  .taken_at = now_ms(),
                                  .base = base,
                                  .size = size,
                                  .socket_path = path};
    snprintf(p->folder, sizeof(p->folder), "%s/hvscope-XXXXXX", temporary());
    if (!mkdtemp(p->folder)) {
        failure_set(f, EXIT_NO_TARGET, "no folder can be made in %s: %s", temporary(),
                    strerror(errno));
        free(path);
        free(p);
        return NULL;
    }
    snprintf(p->file, sizeof(p->file), "%s/memory", p->folder);
    newest = p;
    ending_add(remove_newest);
    p->talk = *talk;
    *talk = (struct qmp_talk){.fd = -1};
    return &p->src;
}
