/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/source.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>

/* Set while a read may fault. One thread reads, so one is enough. */
static sigjmp_buf *volatile guard;
static void (*volatile fatal_hook)(int sig);

static void bus_error(int sig)
{
    if (guard)
        siglongjmp(*guard, 1);
    if (fatal_hook)
        fatal_hook(sig);
    signal(sig, SIG_DFL);
    raise(sig);
}

/*
 * SA_NODEFER, so that leaving the handler by siglongjmp() need not restore the
 * signal mask: saving it would cost a system call a read.
 */
void source_arm_guard(void)
{
    struct sigaction action = {.sa_handler = bus_error, .sa_flags = SA_NODEFER};

    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, NULL);
}

int source_read_phys(const struct source *src, uint64_t pa, void *buf, size_t len)
{
    sigjmp_buf env;
    int ret;

    if (pa + len < pa)
        return -EFAULT;
    if (sigsetjmp(env, 0)) {
        guard = NULL;
        return -EIO;
    }
    guard = &env;
    ret = src->ops->read(src, pa, buf, len);
    guard = NULL;
    return ret;
}

int source_read_u64(const struct source *src, uint64_t pa, uint64_t *value)
{
    if (pa % sizeof(*value))
        return -EFAULT;
    return source_read_phys(src, pa, value, sizeof(*value));
}

enum source_health source_health(struct source *src)
{
    return src->ops->health(src);
}

int source_piece(const struct source *src, unsigned int n, struct source_piece *piece)
{
    return src->ops->piece(src, n, piece);
}

unsigned int source_cpus(const struct source *src)
{
    return src->ops->cpus ? src->ops->cpus(src) : 0;
}

int source_register(const struct source *src, unsigned int cpu, const char *name, uint64_t *value)
{
    return src->ops->reg ? src->ops->reg(src, cpu, name, value) : -ENOENT;
}

bool source_is_shared(const struct source *src)
{
    return src->ops->take != NULL;
}

bool source_take(struct source *src)
{
    return !src->ops->take || src->ops->take(src);
}

void source_give(struct source *src)
{
    if (src && src->ops->give)
        src->ops->give(src);
}

enum qmp_result source_ask(struct source *src, struct qmp *qmp)
{
    return src->ops->ask(src, qmp);
}

void source_close(struct source *src)
{
    if (src)
        src->ops->close(src);
}

void source_copy(void *dst, const void *src, size_t len)
{
    const uint64_t *from = src;
    uint64_t *to = dst;

    if (((uintptr_t)dst | (uintptr_t)src | len) % sizeof(*to)) {
        memcpy(dst, src, len);
        return;
    }
    for (size_t i = 0; i < len / sizeof(*to); i++)
        to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

void source_set_fatal_hook(void (*hook)(int sig))
{
    fatal_hook = hook;
}
