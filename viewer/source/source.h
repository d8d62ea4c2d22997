/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the target's physical memory comes from.
 *
 * A source is one kind of access (RAM files, a fake one for tests) behind one
 * ops table. Everything above reads through source_read_phys() and through
 * nothing else: it is the one place that survives a file that shrinks while it
 * is mapped.
 */
#ifndef VIEWER_SOURCE_H
#define VIEWER_SOURCE_H

#include "source/qmp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct source;

enum source_health {
    SOURCE_OK,
    SOURCE_CUT,      /* the file has become shorter: what is read may be half of it */
    SOURCE_REPLACED, /* another file is under the name now: a new machine */
    SOURCE_GONE,     /* nothing is there any more; what is mapped can still be read */
};

/* RAM from base on; size: at most what is there. */
struct source_piece {
    uint64_t base, size;
};

struct source_ops {
    const char *name;
    /*
     * Copy [pa, pa + len) to buf. Entries (both 8-byte aligned) are copied by
     * 64-bit atomic loads. 0, or -EFAULT if a byte of it is not memory of this
     * source. It may raise SIGBUS.
     */
    int (*read)(const struct source *src, uint64_t pa, void *buf, size_t len);
    enum source_health (*health)(struct source *src);
    /* The n-th piece of RAM; 0, or -ENOENT behind the last. */
    int (*piece)(const struct source *src, unsigned int n, struct source_piece *piece);
    void (*close)(struct source *src);
    /* Both NULL for a source that knows memory only. See source_cpus(), source_register(). */
    unsigned int (*cpus)(const struct source *src);
    int (*reg)(const struct source *src, unsigned int cpu, const char *name, uint64_t *value);
    /* All NULL for a source that nobody else waits for. See source_take(), _give(), _ask(). */
    bool (*take)(struct source *src);
    void (*give)(struct source *src);
    enum qmp_result (*ask)(struct source *src, struct qmp *qmp);
};

/* The first member of every concrete source. */
struct source {
    const struct source_ops *ops;
};

/*
 * Read len bytes of physical memory at pa. Never writes to the target and
 * never stops it. 0, -EFAULT (outside the target's RAM) or -EIO (the file
 * behind it was truncated).
 */
int source_read_phys(const struct source *src, uint64_t pa, void *buf, size_t len);

/* One entry, one 64-bit atomic load. Errors as source_read_phys(). */
int source_read_u64(const struct source *src, uint64_t pa, uint64_t *value);

enum source_health source_health(struct source *src);
int source_piece(const struct source *src, unsigned int n, struct source_piece *piece);

/* CPUs whose registers can be read; 0: this source knows memory only. */
unsigned int source_cpus(const struct source *src);

/*
 * A register of a halted CPU, by the Arm ARM's name in upper case ("TCR_EL2",
 * "PC", "CPSR"). 0, or -ENOENT if it cannot be known from here.
 */
int source_register(const struct source *src, unsigned int cpu, const char *name, uint64_t *value);

/*
 * QEMU serves one client a socket. A source that is read through one is shared: it is taken for
 * what is read at once, and given back, so that others have their turns. False: somebody else has
 * it, and keeps it longer than a turn takes; nothing is wrong, try again later. Reading takes it
 * too, and waits longer. Sources that are not shared are always there.
 */
#define SOURCE_TURN_NS UINT64_C(100000000) /* from one turn to the next */

bool source_is_shared(const struct source *src);
bool source_take(struct source *src);
void source_give(struct source *src);

/* Of a shared one, the machine's status in qmp: QMP_DONE, _BUSY or _REFUSED. */
enum qmp_result source_ask(struct source *src, struct qmp *qmp);
void source_close(struct source *src);

/* For sources, before the first read that may raise SIGBUS: catch it from now on. */
void source_arm_guard(void);

/* For sources: copy memory that another process may be writing. */
void source_copy(void *dst, const void *src, size_t len);

/*
 * Called in a signal handler on a SIGBUS that no read of a source caused; it
 * is expected to restore the terminal and to return.
 */
void source_set_fatal_hook(void (*hook)(int sig));

#endif /* VIEWER_SOURCE_H */
