/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* Through /proc/self/fd: a socket's path has at most 107 bytes. */
static int connect_to(int fd, const char *path)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    char folder[PATH_MAX], name[PATH_MAX];
    int dir, ret;

    snprintf(folder, sizeof(folder), "%s", path);
    snprintf(name, sizeof(name), "%s", path);
    dir = open(dirname(folder), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0)
        return -1;
    snprintf(addr.sun_path, sizeof(addr.sun_path), "/proc/self/fd/%d/%.64s", dir, basename(name));
    ret = connect(fd, (struct sockaddr *)&addr, sizeof(addr));
    close(dir);
    return ret;
}

int unix_connect(const char *path, unsigned int ms)
{
    const struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000L};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), why;

    /* connect() waits for as long while the backlog of a server that is stuck is full. */
    if (fd >= 0)
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (fd < 0 || connect_to(fd, path) == 0)
        return fd;
    why = errno;
    close(fd);
    errno = why;
    return -1;
}
