/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/qmp.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND    UINT64_C(1000000000)
#define QMP_SETTLE_NS    100000000
#define QMP_SETTLE_TRIES 8

/* FNV-1a, 64 bits. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

#define ASK_REGISTERS                                                                              \
    "{\"execute\":\"human-monitor-command\","                                                      \
    "\"arguments\":{\"command-line\":\"" PLACES_COMMAND "\"}}\n"

static const struct {
    const char *word;
    enum qmp_status status;
} status_words[] = {
    {"running", QMP_STATUS_RUNNING},     {"debug", QMP_STATUS_DEBUG},
    {"paused", QMP_STATUS_PAUSED},       {"prelaunch", QMP_STATUS_PRELAUNCH},
    {"inmigrate", QMP_STATUS_PRELAUNCH}, {"shutdown", QMP_STATUS_SHUTDOWN},
};

void qmp_init(struct qmp *qmp)
{
    *qmp = (struct qmp){.fd = -1};
}

int qmp_fd(const struct qmp *qmp)
{
    return qmp->fd;
}

void qmp_close(struct qmp *qmp)
{
    if (qmp->fd >= 0)
        close(qmp->fd);
    qmp->fd = -1;
}

static enum qmp_result finish(struct qmp *qmp, enum qmp_result result)
{
    qmp_close(qmp);
    return result;
}

enum qmp_result qmp_start(struct qmp *qmp, int dir_fd, const char *name, uint64_t now)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    qmp_close(qmp);
    qmp->phase = QMP_WANT_GREETING;
    qmp->len = 0;
    qmp->registers = 0;
    qmp->hash = HASH_START;
    place_scan_begin(&qmp->scan, &qmp->places);
    qmp->deadline = now + QMP_DEADLINE_NS;
    snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%s", dir_fd, name);
    qmp->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (qmp->fd < 0)
        return QMP_BUSY;
    if (connect(qmp->fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
        return QMP_PENDING;
    return finish(qmp, errno == EAGAIN ? QMP_BUSY : QMP_REFUSED);
}

/* The commands are far smaller than any socket buffer: one send takes all of it. */
static enum qmp_result send_command(struct qmp *qmp, const char *command, enum qmp_phase next)
{
    size_t len = strlen(command);

    if (send(qmp->fd, command, len, MSG_NOSIGNAL) != (ssize_t)len)
        return QMP_REFUSED;
    qmp->phase = next;
    return QMP_PENDING;
}

static void set_status(struct qmp *qmp, const char *word)
{
    qmp->status = QMP_STATUS_OTHER;
    for (size_t i = 0; i < sizeof(status_words) / sizeof(status_words[0]); i++) {
        if (strcmp(word, status_words[i].word) == 0)
            qmp->status = status_words[i].status;
    }
    snprintf(qmp->word, sizeof(qmp->word), "%s", word);
    for (char *p = qmp->word; *p; p++) {
        if (*p < 0x20 || *p > 0x7e)
            *p = '?';
    }
}

static bool has_registers(enum qmp_status status)
{
    return status == QMP_STATUS_DEBUG || status == QMP_STATUS_PAUSED;
}

bool qmp_wants_registers(const char *word)
{
    struct qmp qmp;

    set_status(&qmp, word);
    return has_registers(qmp.status);
}

static uint64_t hash_text(uint64_t hash, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * HASH_PRIME;
    return hash;
}

void qmp_set(struct qmp *qmp, const char *word, const char *registers)
{
    set_status(qmp, word);
    place_scan_begin(&qmp->scan, &qmp->places);
    qmp->registers = registers ? hash_text(HASH_START, registers, strlen(registers)) : 0;
    if (registers) {
        place_scan_add(&qmp->scan, registers, strlen(registers));
        place_scan_add(&qmp->scan, "\n", 1);
    }
}

/* A debugger has just come and nothing ran since: QEMU's word is "paused", not "debug". */
static bool debugger_attached(const json_t *chardevs)
{
    static const char nobody[] = "disconnected:";
    const json_t *chardev;
    size_t i;

    json_array_foreach(chardevs, i, chardev)
    {
        const char *label = json_string_value(json_object_get(chardev, "label"));
        const char *name = json_string_value(json_object_get(chardev, "filename"));

        if (label && name && strcmp(label, "gdb") == 0)
            return strncmp(name, nobody, sizeof(nobody) - 1) != 0;
    }
    return false;
}

static enum qmp_result handle_return(struct qmp *qmp, const json_t *ret)
{
    const char *word;

    if (qmp->phase == QMP_WANT_CAPABILITIES)
        return send_command(qmp, "{\"execute\":\"query-status\"}\n", QMP_WANT_STATUS);
    if (qmp->phase == QMP_WANT_CHARDEVS) {
        if (debugger_attached(ret))
            qmp->status = QMP_STATUS_DEBUG;
        return send_command(qmp, ASK_REGISTERS, QMP_WANT_REGISTERS);
    }
    word = json_string_value(json_object_get(ret, "status"));
    if (qmp->phase != QMP_WANT_STATUS || !word)
        return QMP_GARBAGE;
    set_status(qmp, word);
    if (qmp->status == QMP_STATUS_PAUSED)
        return send_command(qmp, "{\"execute\":\"query-chardev\"}\n", QMP_WANT_CHARDEVS);
    if (has_registers(qmp->status))
        return send_command(qmp, ASK_REGISTERS, QMP_WANT_REGISTERS);
    return QMP_DONE;
}

/*
 * 64 CPUs have 128 KiB of registers: only their hash is kept. Events that come
 * in between are lines of their own; they begin with a timestamp.
 */
static enum qmp_result hash_registers(struct qmp *qmp)
{
    static const char event[] = "{\"timestamp\"";

    for (size_t i = 0; i < qmp->len; i++) {
        if (qmp->line[i] == '\n') {
            place_scan_add(&qmp->scan, qmp->line, i);
            qmp->registers = qmp->hash;
            return QMP_DONE;
        }
        if (i == 0 && qmp->hash == HASH_START && qmp->len >= sizeof(event) &&
            memcmp(qmp->line, event, sizeof(event) - 1) == 0)
            return QMP_DONE;
        qmp->hash = hash_text(qmp->hash, qmp->line + i, 1);
    }
    place_scan_add(&qmp->scan, qmp->line, qmp->len);
    qmp->len = 0;
    return QMP_PENDING;
}

static enum qmp_result handle_message(struct qmp *qmp, const json_t *message)
{
    const json_t *ret = json_object_get(message, "return");

    if (json_object_get(message, "event"))
        return QMP_PENDING;
    if (ret)
        return handle_return(qmp, ret);
    if (qmp->phase == QMP_WANT_GREETING && json_object_get(message, "QMP"))
        return send_command(qmp, "{\"execute\":\"qmp_capabilities\"}\n", QMP_WANT_CAPABILITIES);
    return QMP_GARBAGE;
}

static enum qmp_result handle_line(struct qmp *qmp, const char *line, size_t len)
{
    json_t *message;
    enum qmp_result result;

    if (strspn(line, " \t\r\n") >= len)
        return QMP_PENDING;
    message = json_loadb(line, len, 0, NULL);
    result = message ? handle_message(qmp, message) : QMP_GARBAGE;
    json_decref(message);
    return result;
}

/* Take whole lines out of the buffer until one of them decides. */
static enum qmp_result handle_input(struct qmp *qmp)
{
    char *newline;

    if (qmp->phase == QMP_WANT_REGISTERS)
        return hash_registers(qmp);
    while ((newline = memchr(qmp->line, '\n', qmp->len)) != NULL) {
        size_t used = newline + 1 - qmp->line;
        enum qmp_result result = handle_line(qmp, qmp->line, used);

        if (result != QMP_PENDING)
            return result;
        qmp->len -= used;
        memmove(qmp->line, newline + 1, qmp->len);
    }
    return qmp->len == sizeof(qmp->line) ? QMP_GARBAGE : QMP_PENDING;
}

/* One recv() a call: a server that never stops talking must not hold us here. */
enum qmp_result qmp_step(struct qmp *qmp, uint64_t now)
{
    enum qmp_result result;
    ssize_t n;

    if (qmp->fd < 0)
        return QMP_REFUSED;
    if (now >= qmp->deadline)
        return finish(qmp, qmp->phase >= QMP_WANT_CHARDEVS ? QMP_DONE : QMP_BUSY);
    n = recv(qmp->fd, qmp->line + qmp->len, sizeof(qmp->line) - qmp->len, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return QMP_PENDING;
    if (n <= 0)
        return finish(qmp, QMP_REFUSED);
    qmp->len += n;
    result = handle_input(qmp);
    return result == QMP_PENDING ? QMP_PENDING : finish(qmp, result);
}

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

enum qmp_result qmp_query(struct qmp *qmp, int dir_fd, const char *name)
{
    enum qmp_result result = qmp_start(qmp, dir_fd, name, now_ns());

    while (result == QMP_PENDING) {
        struct pollfd fd = {.fd = qmp->fd, .events = POLLIN};
        uint64_t now = now_ns();

        poll(&fd, 1, now < qmp->deadline ? (int)((qmp->deadline - now) / 1000000) + 1 : 0);
        result = qmp_step(qmp, now_ns());
    }
    return result;
}

/* A step in a debugger is many stops: a machine that has just stopped may be in one. */
bool qmp_ask_places(int dir_fd, const char *name, struct places *places)
{
    static const struct timespec settle = {.tv_nsec = QMP_SETTLE_NS};
    uint64_t registers = 0;
    struct qmp qmp;

    qmp_init(&qmp);
    for (int i = 0; i < QMP_SETTLE_TRIES; i++) {
        if (qmp_query(&qmp, dir_fd, name) != QMP_DONE || !qmp.registers)
            return false;
        if (registers == qmp.registers) {
            *places = qmp.places;
            return true;
        }
        registers = qmp.registers;
        nanosleep(&settle, NULL);
    }
    return false;
}

bool qmp_limit_take(struct qmp_limit *limit, uint64_t now)
{
    uint64_t oldest = limit->sent[limit->next];

    if (oldest && now - oldest < NS_PER_SECOND)
        return false;
    limit->sent[limit->next] = now;
    limit->next = (limit->next + 1) % QMP_RATE;
    return true;
}
