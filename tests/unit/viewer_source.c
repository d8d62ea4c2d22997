/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The viewer's sources: RAM files, run directories. */
#include "source/target.h"
#include "viewer_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#define SIZE 0x10000

static struct source *open_file(const char *name, uint64_t pa)
{
    struct ram_spec spec = {in_dir(name), pa};
    struct failure f;
    struct source *src = ram_open(&spec, 1, &f);

    assert_non_null(src);
    return src;
}

static void test_read_bounds(void **state)
{
    struct source *src;
    uint64_t v = 0;
    char buf[16];

    (void)state;
    make_file("ram", SIZE, 0x1122334455667788);
    src = open_file("ram", RAM_BASE);
    assert_int_equal(source_read_u64(src, RAM_BASE, &v), 0);
    assert_int_equal(v, 0x1122334455667788);
    assert_int_equal(source_read_phys(src, RAM_BASE + 1, buf, 3), 0);
    assert_memory_equal(buf, "\x77\x66\x55", 3);
    assert_int_equal(source_read_phys(src, RAM_BASE + SIZE - 8, &v, 8), 0);
    assert_int_equal(source_read_phys(src, RAM_BASE + SIZE - 4, &v, 8), -EFAULT);
    assert_int_equal(source_read_phys(src, RAM_BASE - 8, &v, 8), -EFAULT);
    assert_int_equal(source_read_phys(src, UINT64_MAX - 3, &v, 8), -EFAULT);
    assert_int_equal(source_read_phys(src, 0, &v, UINT64_MAX), -EFAULT);
    assert_int_equal(source_read_u64(src, RAM_BASE + 4, &v), -EFAULT);
    source_close(src);
}

static void test_truncated(void **state)
{
    struct source *src;
    uint64_t v;

    (void)state;
    make_file("ram", SIZE, 1);
    src = open_file("ram", RAM_BASE);
    assert_int_equal(truncate(in_dir("ram"), 0x1000), 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(source_read_u64(src, RAM_BASE + 0x8000, &v), -EIO);
    assert_int_equal(source_read_u64(src, RAM_BASE, &v), 0);
    assert_int_equal(source_health(src), SOURCE_CUT);
    assert_int_equal(source_read_u64(src, RAM_BASE + 0x8000, &v), -EFAULT);
    source_close(src);
}

static void test_health(void **state)
{
    struct source *src;

    (void)state;
    make_file("ram", SIZE, 1);
    src = open_file("ram", RAM_BASE);
    assert_int_equal(source_health(src), SOURCE_OK);
    make_file("other", SIZE, 2);
    assert_int_equal(rename(in_dir("other"), in_dir("ram")), 0);
    assert_int_equal(source_health(src), SOURCE_REPLACED);
    assert_int_equal(unlink(in_dir("ram")), 0);
    assert_int_equal(source_health(src), SOURCE_GONE);
    source_close(src);
}

static void check_not_ram(const char *path, const char *part)
{
    struct ram_spec spec = {path, RAM_BASE};
    struct failure f;

    assert_null(ram_open(&spec, 1, &f));
    assert_int_equal(f.status, EXIT_NO_TARGET);
    assert_non_null(strstr(f.text, part));
}

static void test_not_ram(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
    make_file("empty", 0, 0);
    check_not_ram(in_dir("fifo"), "is a pipe");
    check_not_ram(dir, "is a directory");
    check_not_ram("/dev/null", "is a device");
    check_not_ram(in_dir("empty"), "is empty");
    check_not_ram(in_dir("none"), "No such file");
    unlink(in_dir("fifo"));
}

static void test_several_files(void **state)
{
    struct ram_spec spec[2];
    struct failure f;
    struct source_piece piece;
    struct source *src;
    uint64_t v;

    (void)state;
    make_file("ram", SIZE, 1);
    make_file("ram1", SIZE, 2);
    spec[0] = (struct ram_spec){in_dir("ram"), RAM_BASE};
    spec[1] = (struct ram_spec){in_dir("ram1"), RAM_BASE + SIZE};
    src = ram_open(spec, 2, &f);
    assert_non_null(src);
    assert_int_equal(source_read_u64(src, RAM_BASE + SIZE, &v), 0);
    assert_int_equal(v, 2);
    assert_int_equal(source_piece(src, 1, &piece), 0);
    assert_int_equal(piece.base, RAM_BASE + SIZE);
    assert_int_equal(piece.size, SIZE);
    assert_int_equal(source_piece(src, 2, &piece), -ENOENT);
    source_close(src);
    spec[1].pa = RAM_BASE + SIZE - 0x1000;
    assert_null(ram_open(spec, 2, &f));
    assert_int_equal(f.status, EXIT_USAGE);
    spec[1].pa = UINT64_MAX - 0xfff;
    assert_null(ram_open(spec, 2, &f));
    unlink(in_dir("ram1"));
}

static void put_pid(const char *text)
{
    int fd = open(in_dir("pid"), O_RDWR | O_CREAT | O_TRUNC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void check_no_machine(const char *part)
{
    struct target_spec spec = {.dir = dir};
    struct target target;
    struct failure f;

    assert_int_equal(target_open(&target, &spec, &f), -1);
    assert_int_equal(f.status, EXIT_NO_TARGET);
    assert_non_null(strstr(f.text, part));
    assert_null(target.src);
}

static void test_run_directory(void **state)
{
    struct target_spec spec = {.dir = dir};
    struct target target;
    struct failure f;
    char text[32];
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        pause();
        _exit(0);
    }
    unlink(in_dir("pid"));
    check_no_machine("no pid file");
    put_pid("garbage\n");
    check_no_machine("no pid file");
    put_pid("-5\n");
    check_no_machine("no pid file");
    put_pid("99999999999999999999\n");
    check_no_machine("no pid file");
    make_file("ram", SIZE, 7);
    snprintf(text, sizeof(text), "%d\n", child);
    put_pid(text);
    assert_int_equal(target_open(&target, &spec, &f), 0);
    assert_int_equal(target_health(&target), SOURCE_OK);
    kill(child, SIGKILL);
    /* A zombie until it is waited for: gone all the same. */
    for (int i = 0; i < 1000 && target_health(&target) == SOURCE_OK; i++)
        usleep(1000);
    assert_int_equal(target_health(&target), SOURCE_GONE);
    target_close(&target);
    check_no_machine("has ended");
    waitpid(child, NULL, 0);
    spec.dir = "/nonexistent/run";
    assert_int_equal(target_open(&target, &spec, &f), -1);
    unlink(in_dir("pid"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_bounds),   cmocka_unit_test(test_truncated),
        cmocka_unit_test(test_health),        cmocka_unit_test(test_not_ram),
        cmocka_unit_test(test_several_files), cmocka_unit_test(test_run_directory),
    };

    return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
