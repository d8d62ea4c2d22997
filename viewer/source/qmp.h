/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking QEMU whether the machine runs: connect, query-status, disconnect. Of a
 * halted one also the registers, as a number that differs after every step of a
 * debugger, even of one that stored nothing.
 *
 * QEMU serves one client a socket. A second one is accepted by the kernel but
 * gets no greeting, so silence means "busy", which is no error. Nothing here
 * blocks; the caller polls qmp_fd() and calls qmp_step().
 */
#ifndef VIEWER_SOURCE_QMP_H
#define VIEWER_SOURCE_QMP_H

#include "source/places.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define QMP_DEADLINE_NS UINT64_C(300000000) /* for one whole query */
#define QMP_LINE_MAX    16384

/* QEMU's RunState, as far as a person cares. */
enum qmp_status {
    QMP_STATUS_UNKNOWN, /* not asked yet, or QEMU did not say */
    QMP_STATUS_RUNNING,
    QMP_STATUS_DEBUG,     /* halted by the gdb stub */
    QMP_STATUS_PAUSED,    /* halted, and no debugger holds it */
    QMP_STATUS_PRELAUNCH, /* not started (-S), or a migration comes in */
    QMP_STATUS_SHUTDOWN,
    QMP_STATUS_OTHER, /* an error state: halted */
};

enum qmp_result {
    QMP_PENDING,
    QMP_DONE,    /* status is valid */
    QMP_BUSY,    /* no greeting, or no answer in time: somebody else talks to it */
    QMP_REFUSED, /* nobody listens */
    QMP_GARBAGE, /* what came is not QMP */
};

/* From QMP_WANT_CHARDEVS on the status is known; what is still to come can be done without. */
enum qmp_phase {
    QMP_WANT_GREETING,
    QMP_WANT_CAPABILITIES,
    QMP_WANT_STATUS,
    QMP_WANT_CHARDEVS,
    QMP_WANT_REGISTERS,
};

struct qmp {
    int fd; /* -1: no query under way */
    enum qmp_phase phase;
    uint64_t deadline;
    enum qmp_status status;
    char word[24];        /* QEMU's own word for it; printable ASCII */
    uint64_t registers;   /* of a halted machine: a hash of them; 0: not asked */
    struct places places; /* likewise: where its CPUs stand; nr 0: not asked */
    struct place_scan scan;
    uint64_t hash;
    size_t len;
    char line[QMP_LINE_MAX];
};

void qmp_init(struct qmp *qmp);

/* An answer that came another way: QEMU's word, and (of a halted machine) its registers or NULL. */
void qmp_set(struct qmp *qmp, const char *word, const char *registers);
bool qmp_wants_registers(const char *word);

/*
 * Begin a query through the socket called name in the directory dir_fd
 * (reached through /proc/self/fd: a socket's path has at most 107 bytes).
 * now: CLOCK_MONOTONIC, ns. QMP_PENDING, QMP_BUSY or QMP_REFUSED.
 */
enum qmp_result qmp_start(struct qmp *qmp, int dir_fd, const char *name, uint64_t now);

/* Go on with it after poll() or a timeout. Anything but QMP_PENDING has closed it. */
enum qmp_result qmp_step(struct qmp *qmp, uint64_t now);

/*
 * One whole query, waited for: at most QMP_DEADLINE_NS. Anything but
 * QMP_PENDING; the query is closed.
 */
enum qmp_result qmp_query(struct qmp *qmp, int dir_fd, const char *name);

/*
 * Where the CPUs of a machine that is halted, and stays so, stand: two queries
 * 100 ms apart that say the same. False if it runs, or nobody can be asked.
 */
bool qmp_ask_places(int dir_fd, const char *name, struct places *places);

/* To be polled for POLLIN; -1 if no query is under way. */
int qmp_fd(const struct qmp *qmp);

void qmp_close(struct qmp *qmp);

/* At most QMP_RATE queries in any second. */
#define QMP_RATE 5

struct qmp_limit {
    uint64_t sent[QMP_RATE];
    unsigned int next;
};

/* May a query begin now? If so, it is counted. */
bool qmp_limit_take(struct qmp_limit *limit, uint64_t now);

#endif /* VIEWER_SOURCE_QMP_H */
