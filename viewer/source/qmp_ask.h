/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A conversation with QMP, one question after the other, each with a deadline.
 */
#ifndef VIEWER_SOURCE_QMP_ASK_H
#define VIEWER_SOURCE_QMP_ASK_H

#include "source/failure.h"

#include <jansson.h>
#include <sys/types.h>

#define QMP_PATIENCE_MS 2000 /* of who has only one question, or one set of them */

struct qmp_talk {
    int fd;    /* -1: not connected */
    pid_t pid; /* of QEMU */
    size_t len, room;
    char *buf;
};

/*
 * Connect and negotiate. 0, or with f: -EBUSY (no greeting within ms milliseconds: somebody else
 * talks to it) or -EIO (nobody there, or no QMP).
 */
int qmp_talk_open(struct qmp_talk *talk, const char *socket_path, unsigned int ms,
                  struct failure *f);
void qmp_talk_close(struct qmp_talk *talk);

/*
 * Ask; arguments (may be NULL) is taken over. What was returned, or NULL with f; the talk is closed
 * if there was no answer at all.
 */
json_t *qmp_talk_ask(struct qmp_talk *talk, const char *command, json_t *arguments,
                     struct failure *f);

#endif /* VIEWER_SOURCE_QMP_ASK_H */
