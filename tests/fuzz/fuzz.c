/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static void must(bool done, const char *what)
{
    if (!done) {
        perror(what);
        exit(1);
    }
}

void fuzz_take(struct fuzz *in, void *to, size_t size)
{
    size_t n = size < in->left ? size : in->left;

    memset(to, 0, size);
    if (n)
        memcpy(to, in->at, n);
    in->at += n;
    in->left -= n;
}

uint64_t fuzz_number(struct fuzz *in, unsigned int bytes)
{
    uint64_t value = 0;

    fuzz_take(in, &value, bytes);
    return value;
}

char *fuzz_string(struct fuzz *in)
{
    size_t size = in->left;
    char *s = malloc(size + 1);

    must(s, "malloc");
    fuzz_take(in, s, size);
    s[size] = '\0';
    return s;
}

const char *fuzz_file(const void *data, size_t size)
{
    static char path[32];
    static int fd = -1;

    if (fd >= 0)
        close(fd);
    fd = memfd_create("fuzz", MFD_CLOEXEC);
    must(fd >= 0, "memfd_create");
    must(write(fd, data, size) == (ssize_t)size, "write");
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return path;
}

struct fuzz_socket fuzz_socket(const void *data, size_t size)
{
    int pair[2], room = 1 << 20;

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0, "socket");
    setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    must(send(pair[1], data, size, MSG_NOSIGNAL) == (ssize_t)size, "send");
    shutdown(pair[1], SHUT_WR);
    return (struct fuzz_socket){pair[0], pair[1]};
}

void fuzz_socket_close(struct fuzz_socket *s)
{
    if (s->fd >= 0)
        close(s->fd);
    close(s->far);
}

uint64_t fuzz_address(struct fuzz *in, uint64_t base, uint64_t size)
{
    uint64_t n = fuzz_number(in, 4);

    return base + n % size;
}
