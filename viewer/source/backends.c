/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/backends.h"

#include "source/mtree.h"
#include "source/ram.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RANGES_MAX 32

/* A backend's file and where it lies. */
struct backend {
    char name[64];
    char path[PATH_MAX];
    bool shared, placed;
    uint64_t base, size;
};

struct backends {
    unsigned int nr;
    struct backend backend[RAM_FILES_MAX];
    uint64_t ram_base, ram_size; /* of the largest RAM that no file is behind */
};

static json_t *get_property(struct qmp_talk *talk, const char *name, const char *property,
                            struct failure *f)
{
    char path[128];

    snprintf(path, sizeof(path), "/objects/%s", name);
    return qmp_talk_ask(talk, "qom-get", json_pack("{s:s,s:s}", "path", path, "property", property),
                        f);
}

/* Paths are as the command line had them: relative ones are QEMU's. */
static void add_backend(struct qmp_talk *talk, const char *name, struct backends *b,
                        struct failure *f)
{
    struct backend *new = &b->backend[b->nr];
    json_t *path = get_property(talk, name, "mem-path", f);
    json_t *share = get_property(talk, name, "share", f);
    const char *text = json_string_value(path);

    if (text && text[0] == '/')
        snprintf(new->path, sizeof(new->path), "%s", text);
    else if (text)
        snprintf(new->path, sizeof(new->path), "/proc/%ld/cwd/%s", (long)talk->pid, text);
    snprintf(new->name, sizeof(new->name), "%s", name);
    new->shared = json_is_true(share);
    b->nr += text != NULL;
    json_decref(path);
    json_decref(share);
}

static int list_backends(struct qmp_talk *talk, struct backends *b, struct failure *f)
{
    json_t *list = qmp_talk_ask(talk, "qom-list", json_pack("{s:s}", "path", "/objects"), f), *item;
    size_t i;

    if (!list)
        return -1;
    json_array_foreach(list, i, item)
    {
        const char *type = json_string_value(json_object_get(item, "type"));
        const char *name = json_string_value(json_object_get(item, "name"));

        if (type && name && b->nr < RAM_FILES_MAX &&
            strcmp(type, "child<memory-backend-file>") == 0)
            add_backend(talk, name, b, f);
    }
    json_decref(list);
    return 0;
}

static void place_range(struct backends *b, const struct mtree_range *range)
{
    for (unsigned int i = 0; i < b->nr; i++) {
        if (strcmp(b->backend[i].name, range->name) == 0 && !b->backend[i].placed) {
            b->backend[i].base = range->base;
            b->backend[i].size = range->size;
            b->backend[i].placed = true;
            return;
        }
    }
    if (range->size > b->ram_size) {
        b->ram_base = range->base;
        b->ram_size = range->size;
    }
}

static int place_backends(struct qmp_talk *talk, struct backends *b, struct failure *f)
{
    json_t *answer = qmp_talk_ask(talk, "human-monitor-command",
                                  json_pack("{s:s}", "command-line", MTREE_COMMAND), f);
    const char *text = json_string_value(answer);
    struct mtree_range range[RANGES_MAX];
    unsigned int nr = text ? mtree_ram(text, range, RANGES_MAX) : 0;

    for (unsigned int i = 0; i < nr; i++)
        place_range(b, &range[i]);
    json_decref(answer);
    return answer ? 0 : -1;
}

static struct source *open_found(const struct backends *b, struct qmp_talk *talk,
                                 const char *socket_path, struct failure *f)
{
    struct ram_spec spec[RAM_FILES_MAX];
    unsigned int nr = 0;

    for (unsigned int i = 0; i < b->nr; i++) {
        if (b->backend[i].shared && b->backend[i].placed)
            spec[nr++] = (struct ram_spec){b->backend[i].path, b->backend[i].base};
    }
    if (nr)
        return ram_open(spec, nr, f);
    for (unsigned int i = 0; i < b->nr; i++) {
        if (b->backend[i].placed)
            return pmemsave_open(talk, socket_path, b->backend[i].base, b->backend[i].size, f);
    }
    if (b->ram_size)
        return pmemsave_open(talk, socket_path, b->ram_base, b->ram_size, f);
    failure_set(f, EXIT_NO_TARGET, "QEMU at %s has no RAM", socket_path);
    return NULL;
}

struct source *backends_open(const char *socket_path, struct failure *f)
{
    struct backends *b = calloc(1, sizeof(*b));
    struct source *src = NULL;
    struct qmp_talk talk;

    if (!b) {
        failure_set(f, EXIT_NO_TARGET, "out of memory");
        return NULL;
    }
    if (qmp_talk_open(&talk, socket_path, QMP_PATIENCE_MS, f) == 0) {
        if (list_backends(&talk, b, f) == 0 && place_backends(&talk, b, f) == 0)
            src = open_found(b, &talk, socket_path, f);
        qmp_talk_close(&talk);
    }
    free(b);
    return src;
}
