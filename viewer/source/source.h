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

#include <stddef.h>
#include <stdint.h>

struct source;

enum source_health {
    SOURCE_OK,
    SOURCE_REPLACED, /* another file is under the name now: a new machine */
    SOURCE_GONE,     /* nothing is there any more; what is mapped can still be read */
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
    /* Start of the n-th piece of RAM in *base; 0, or -ENOENT behind the last. */
    int (*base)(const struct source *src, unsigned int n, uint64_t *base);
    void (*close)(struct source *src);
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
int source_base(const struct source *src, unsigned int n, uint64_t *base);
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
