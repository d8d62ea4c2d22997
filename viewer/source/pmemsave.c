/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/backends.h"
#include "source/qmp_ask.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct source_pmemsave {
    struct source src;
    struct qmp_talk talk;
    uint64_t base, size;
    char folder[64]; /* 0700; QEMU writes into it */
    char file[80];
};

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
    struct failure f;
    json_t *status = qmp_talk_ask(&p->talk, "query-status", NULL, &f);

    json_decref(status);
    return status ? SOURCE_OK : SOURCE_GONE;
}

static int pmemsave_piece(const struct source *src, unsigned int n, struct source_piece *piece)
{
    const struct source_pmemsave *p = (const struct source_pmemsave *)src;

    if (n > 0)
        return -ENOENT;
    *piece = (struct source_piece){p->base, p->size};
    return 0;
}

static void pmemsave_close(struct source *src)
{
    struct source_pmemsave *p = (struct source_pmemsave *)src;

    qmp_talk_close(&p->talk);
    unlink(p->file);
    rmdir(p->folder);
    free(p);
}

static const struct source_ops pmemsave_ops = {
    .name = "pmemsave",
    .read = pmemsave_read,
    .health = pmemsave_health,
    .piece = pmemsave_piece,
    .close = pmemsave_close,
};

bool source_is_pmemsave(const struct source *src)
{
    return src->ops == &pmemsave_ops;
}

enum qmp_result pmemsave_ask(struct source *src, struct qmp *qmp)
{
    struct source_pmemsave *p = (struct source_pmemsave *)src;
    json_t *status, *registers = NULL;
    const char *word;
    struct failure f;

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

struct source *pmemsave_open(const char *socket_path, uint64_t base, uint64_t size,
                             struct failure *f)
{
    struct source_pmemsave *p = calloc(1, sizeof(*p));

    if (!p) {
        failure_set(f, EXIT_NO_TARGET, "out of memory");
        return NULL;
    }
    p->src.ops = &pmemsave_ops;
    p->base = base;
    p->size = size;
    p->talk.fd = -1;
    strcpy(p->folder, "/tmp/hvscope-XXXXXX");
    if (!mkdtemp(p->folder)) {
        failure_set(f, EXIT_NO_TARGET, "no folder can be made in /tmp: %s", strerror(errno));
        free(p);
        return NULL;
    }
    snprintf(p->file, sizeof(p->file), "%s/memory", p->folder);
    if (qmp_talk_open(&p->talk, socket_path, f) == 0)
        return &p->src;
    pmemsave_close(&p->src);
    return NULL;
}
