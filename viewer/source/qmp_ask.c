/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/qmp_ask.h"

#include "source/unix_socket.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ANSWER_MAX (1u << 22)

static json_t *take_line(struct qmp_talk *talk)
{
    char *newline = memchr(talk->buf, '\n', talk->len);
    size_t used = newline ? (size_t)(newline + 1 - talk->buf) : 0;
    json_t *message;

    if (!newline)
        return NULL;
    message = json_loadb(talk->buf, used, 0, NULL);
    talk->len -= used;
    memmove(talk->buf, newline + 1, talk->len);
    return message ? message : json_object();
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Room for more to come. */
static bool make_room(struct qmp_talk *talk)
{
    char *grown = talk->room < ANSWER_MAX ? realloc(talk->buf, talk->room * 2) : NULL;

    if (!grown)
        return false;
    talk->buf = grown;
    talk->room *= 2;
    return true;
}

/* The next message that is no event; NULL: none in time. */
static json_t *receive(struct qmp_talk *talk, unsigned int ms)
{
    uint64_t deadline = now_ms() + ms, now;
    struct pollfd fd = {.fd = talk->fd, .events = POLLIN};
    json_t *message;
    ssize_t n;

    for (;;) {
        while ((message = take_line(talk)) != NULL) {
            if (!json_object_get(message, "event"))
                return message;
            json_decref(message);
        }
        if (talk->len == talk->room && !make_room(talk))
            return NULL;
        now = now_ms();
        if (now >= deadline || poll(&fd, 1, (int)(deadline - now)) != 1)
            return NULL;
        n = recv(talk->fd, talk->buf + talk->len, talk->room - talk->len, 0);
        if (n <= 0)
            return NULL;
        talk->len += (size_t)n;
    }
}

json_t *qmp_talk_ask(struct qmp_talk *talk, const char *command, json_t *arguments,
                     struct failure *f)
{
    json_t *question = json_pack("{s:s}", "execute", command), *answer = NULL, *ret;
    char *text;
    size_t len;

    if (arguments)
        json_object_set_new(question, "arguments", arguments);
    text = json_dumps(question, JSON_COMPACT);
    json_decref(question);
    len = text ? strlen(text) : 0;
    if (text && send(talk->fd, text, len, MSG_NOSIGNAL) == (ssize_t)len)
        answer = receive(talk, QMP_PATIENCE_MS);
    free(text);
    if (!answer)
        qmp_talk_close(talk); /* one that came late would be taken for the next */
    ret = json_incref(json_object_get(answer, "return"));
    if (!ret)
        failure_set(f, EXIT_NO_TARGET, "QEMU does not answer %s: %s", command,
                    json_string_value(json_object_get(json_object_get(answer, "error"), "desc"))
                        ?: "no answer in time");
    json_decref(answer);
    return ret;
}

static int say_busy(const char *socket_path, struct failure *f)
{
    failure_set(f, EXIT_NO_TARGET,
                "no greeting from %s: another program talks to it; try again, or give QEMU a "
                "second socket",
                socket_path);
    return -EBUSY;
}

static int connect_talk(struct qmp_talk *talk, const char *socket_path, unsigned int ms,
                        struct failure *f)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    *talk = (struct qmp_talk){.room = 16384};
    talk->buf = malloc(talk->room);
    talk->fd = unix_connect(socket_path, ms);
    if (talk->fd < 0 && errno == EAGAIN)
        return say_busy(socket_path, f);
    if (!talk->buf || talk->fd < 0) {
        failure_set(f, EXIT_NO_TARGET, "nobody answers at the QMP socket %s: %s", socket_path,
                    strerror(errno));
        return -EIO;
    }
    if (getsockopt(talk->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0)
        talk->pid = peer.pid;
    return 0;
}

static int negotiate(struct qmp_talk *talk, const char *socket_path, unsigned int ms,
                     struct failure *f)
{
    json_t *message = receive(talk, ms);
    bool greeted = json_object_get(message, "QMP") != NULL, silent = !message && !talk->len;

    json_decref(message);
    if (silent)
        return say_busy(socket_path, f);
    if (!greeted) {
        failure_set(f, EXIT_NO_TARGET, "%s is no QMP socket: it does not greet like one",
                    socket_path);
        return -EIO;
    }
    message = qmp_talk_ask(talk, "qmp_capabilities", NULL, f);
    json_decref(message);
    return message ? 0 : -EIO;
}

int qmp_talk_open(struct qmp_talk *talk, const char *socket_path, unsigned int ms,
                  struct failure *f)
{
    int ret = connect_talk(talk, socket_path, ms, f);

    if (ret == 0)
        ret = negotiate(talk, socket_path, ms, f);
    if (ret)
        qmp_talk_close(talk);
    return ret;
}

void qmp_talk_close(struct qmp_talk *talk)
{
    if (talk->fd >= 0)
        close(talk->fd);
    free(talk->buf);
    *talk = (struct qmp_talk){.fd = -1};
}
