/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "viewer_dir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

char dir[] = "/tmp/hvscope-unit-XXXXXX";

int dir_make(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

int dir_remove(void **state)
{
    static const char *const names[] = {"ram", "ram1", "other", "empty", "pid", "qmp.sock"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        unlink(in_dir(names[i]));
    return rmdir(dir);
}

const char *in_dir(const char *name)
{
    static char path[4][128];
    static unsigned int next;
    char *p = path[next++ % 4];

    snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
    return p;
}

void make_file(const char *name, size_t size, uint64_t first)
{
    int fd = open(in_dir(name), O_RDWR | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, size), 0);
    if (size)
        assert_int_equal(pwrite(fd, &first, 8, 0), 8);
    close(fd);
}
