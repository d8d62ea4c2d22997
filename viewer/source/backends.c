/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/backends.h"

#include "source/qmp_ask.h"
#include "source/ram.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A backend's file and where it lies. */
struct backend {
    char name[64];
    char path[PATH_MAX];
    bool shared, placed;
    uint64_t base, end;
};

struct backends {
    unsigned int nr;
    struct backend backend[RAM_FILES_MAX];
    uint64_t ram_base, ram_end; /* of the largest RAM that no file is behind */
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

/* "  0000000040000000-000000013fffffff (prio 0, ram): ram" */
static void place_line(struct backends *b, const char *line)
{
    unsigned long long start, end;
    char name[64];

    if (sscanf(line, " %llx-%llx (prio %*d, ram): %63s", &start, &end, name) != 3)
        return;
    for (unsigned int i = 0; i < b->nr; i++) {
        if (strcmp(b->backend[i].name, name) == 0 && !b->backend[i].placed) {
            b->backend[i].base = start;
            b->backend[i].end = end;
            b->backend[i].placed = true;
            return;
        }
    }
    if (end - start > b->ram_end - b->ram_base) {
        b->ram_base = start;
        b->ram_end = end;
    }
}

static int place_backends(struct qmp_talk *talk, struct backends *b, struct failure *f)
{
    json_t *answer = qmp_talk_ask(talk, "human-monitor-command",
                                  json_pack("{s:s}", "command-line", "info mtree -f"), f);
    const char *text = json_string_value(answer);
    char line[160];

    while (text && *text) {
        size_t len = strcspn(text, "\n");

        snprintf(line, sizeof(line), "%.*s", (int)len, text);
        place_line(b, line);
        text += len + (text[len] == '\n');
    }
    json_decref(answer);
    return answer ? 0 : -1;
}

static struct source *open_found(const struct backends *b, const char *socket_path,
                                 struct failure *f)
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
            return pmemsave_open(socket_path, b->backend[i].base,
                                 b->backend[i].end - b->backend[i].base + 1, f);
    }
    if (b->ram_end > b->ram_base)
        return pmemsave_open(socket_path, b->ram_base, b->ram_end - b->ram_base + 1, f);
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
    if (qmp_talk_open(&talk, socket_path, f) == 0) {
        int ret = list_backends(&talk, b, f) || place_backends(&talk, b, f);

        qmp_talk_close(&talk);
        if (!ret)
            src = open_found(b, socket_path, f);
    }
    free(b);
    return src;
}
