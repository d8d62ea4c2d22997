/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/control.h"

#include "source/qmp_ask.h"

#include <limits.h>

/* Of the run directory, or the one that was named; reached through a descriptor of its folder. */
static bool find_socket(const struct session *s, char *path, size_t size)
{
    snprintf(path, size, "/proc/self/fd/%d/%s", s->target.qmp_dir, s->target.qmp_name);
    return s->target.qmp_dir >= 0;
}

void control_machine(struct session *s, enum control control, char *notice, size_t size)
{
    static const char *const commands[] = {NULL, "stop", "cont"};
    static const char *const done[] = {NULL, "QEMU was told to stop the machine",
                                       "QEMU was told to continue the machine"};
    struct qmp_talk talk;
    char path[PATH_MAX];
    struct failure f;
    json_t *answer;

    if (!find_socket(s, path, sizeof(path))) {
        snprintf(notice, size, "there is no QMP socket to act through: name one with --qmp");
        return;
    }
    qmp_close(&s->qmp); /* QEMU talks to one at a time */
    source_give(s->target.src);
    if (qmp_talk_open(&talk, path, QMP_PATIENCE_MS, &f)) {
        snprintf(notice, size, "%s", f.text);
        return;
    }
    answer = qmp_talk_ask(&talk, commands[control], NULL, &f);
    snprintf(notice, size, "%s", answer ? done[control] : f.text);
    json_decref(answer);
    qmp_talk_close(&talk);
}
