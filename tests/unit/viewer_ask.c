/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking a QEMU: its RAM by name or by pmemsave, in turns with others, and its state through QMP.
 */
#include "qemu_stub.h"
#include "source/backends.h"
#include "source/target.h"
#include "source/unix_socket.h"

#include <time.h>

/* Who listens is the child. */
static void start_other_qemu(void)
{
    struct timespec pause = {.tv_nsec = 1000000};
    int fd;

    unlink(qmp_path);
    qemu_pid = fork();
    if (qemu_pid == 0)
        serve_clients(listen_qmp());
    while ((fd = unix_connect(qmp_path, 1000)) < 0)
        nanosleep(&pause, NULL);
    close(fd);
}

static struct source *open_backends(void)
{
    struct failure f = no_failure;
    struct source *src = backends_open(qmp_path, &f);

    if (!src)
        fail_msg("%s", f.text);
    return src;
}

/* QEMU names the file and where it lies; a path that is not absolute is QEMU's own. */
static void test_shared_file(void **state)
{
    char cwd[128], *back;
    struct source_piece piece;
    struct source *src;
    uint64_t value;

    (void)state;
    make_ram();
    for (int i = 0; i < 2; i++) {
        qemu.path = i ? strrchr(ram_path, '/') + 1 : ram_path;
        back = getcwd(cwd, sizeof(cwd));
        assert_int_equal(chdir(dir), 0);
        start_qemu();
        src = open_backends(); /* who listens is this process, to whom connects */
        assert_int_equal(chdir(back), 0);
        assert_false(source_is_shared(src));
        assert_int_equal(source_piece(src, 0, &piece), 0);
        assert_true(piece.base == RAM && piece.size == 0x4000);
        assert_int_equal(source_read_u64(src, RAM + 0x3ff8, &value), 0);
        assert_true(value == 0x5a5a5a5a5a5a5a5a);
        source_close(src);
        end_qemu(NULL);
    }
    unlink(ram_path);
}

/* RAM that is not shared, or no file's, is asked for; the file that QEMU writes does not stay. */
static void test_saved(void **state)
{
    const char *const shares[] = {"false", "true"};
    struct source_piece piece;
    unsigned char bytes[64];
    struct source *src;
    struct qmp qmp;

    (void)state;
    for (int i = 0; i < 2; i++) {
        qemu.share = shares[i];
        qemu.path = i ? NULL : "/nonexistent";
        qemu.status = i ? "paused" : "running";
        start_qemu();
        src = open_backends();
        assert_true(source_is_shared(src));
        assert_int_equal(source_piece(src, 0, &piece), 0);
        assert_int_equal(source_piece(src, 1, &piece), -ENOENT);
        assert_true(piece.base == RAM && piece.size == 0x4000);
        assert_int_equal(source_read_phys(src, RAM + 0x1000, bytes, sizeof(bytes)), 0);
        assert_int_equal(bytes[0], 0);
        assert_int_equal(bytes[63], 3);
        assert_int_equal(source_read_phys(src, RAM + 0x3ff8, bytes, 16), -EFAULT);
        assert_int_equal(source_health(src), SOURCE_OK);
        qmp_init(&qmp);
        assert_int_equal(source_ask(src, &qmp), QMP_DONE);
        assert_int_equal(qmp.status, i ? QMP_STATUS_PAUSED : QMP_STATUS_RUNNING);
        assert_int_equal(qmp.registers != 0, i);
        end_qemu(NULL);
        assert_int_equal(source_read_phys(src, RAM, bytes, sizeof(bytes)), -EIO);
        assert_true(source_take(src));
        assert_int_equal(source_health(src), SOURCE_GONE);
        assert_int_equal(source_ask(src, &qmp), QMP_REFUSED);
        source_close(src);
    }
}

/* Each has the socket for what it reads at once; who keeps it is told apart from who has gone. */
static void test_turns(void **state)
{
    struct source *one, *two;
    unsigned char byte;
    struct qmp qmp;

    (void)state;
    qemu.share = "false";
    start_qemu();
    one = open_backends();
    source_give(one);
    two = open_backends();
    qmp_init(&qmp);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(source_read_phys(two, RAM + 0x10, &byte, 1), 0);
        assert_int_equal(byte, 1);
        assert_false(source_take(one)); /* two has it still */
        assert_int_equal(source_ask(one, &qmp), QMP_BUSY);
        assert_int_equal(source_health(one), SOURCE_OK);
        source_give(two);
        assert_true(source_take(one));
        assert_int_equal(source_read_phys(one, RAM + 0x20, &byte, 1), 0);
        assert_int_equal(byte, 2);
        assert_int_equal(source_ask(one, &qmp), QMP_DONE);
        source_give(one);
    }
    source_close(two);
    end_qemu(NULL);
    start_other_qemu();
    assert_true(source_take(one));
    assert_int_equal(source_health(one), SOURCE_REPLACED);
    assert_int_equal(source_read_phys(one, RAM, &byte, 1), -EIO);
    source_close(one);
}

static uint64_t ms_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Who needs long for a turn waits long for it: so do the others. */
static void test_long_turns(void **state)
{
    const struct timespec turn = {.tv_nsec = 300000000};
    struct source *one, *two;
    uint64_t start;

    (void)state;
    qemu.share = "false";
    start_qemu();
    one = open_backends();
    nanosleep(&turn, NULL);
    source_give(one);
    two = open_backends();
    start = ms_now();
    assert_false(source_take(one));
    assert_in_range(ms_now() - start, 550, 1900);
    source_give(two);
    assert_true(source_take(one));
    source_close(one);
    source_close(two);
}

/* As long as another program has the socket there is nothing to open. */
static void test_busy(void **state)
{
    const struct target_spec spec = {.qmp = qmp_path};
    struct qmp_talk other;
    struct target target;
    struct failure f;

    (void)state;
    start_qemu();
    assert_int_equal(qmp_talk_open(&other, qmp_path, QMP_PATIENCE_MS, &f), 0);
    assert_int_equal(target_open(&target, &spec, &f), -1);
    assert_int_equal(f.status, EXIT_NO_TARGET);
    assert_non_null(strstr(f.text, "another program talks to it; try again"));
    qmp_talk_close(&other);
}

/* QEMU says that it wrote, and did not. */
static void test_not_saved(void **state)
{
    unsigned char bytes[64];
    struct source *src;

    (void)state;
    qemu.share = "false";
    qemu.saves = false;
    start_qemu();
    src = open_backends();
    assert_int_equal(source_read_phys(src, RAM, bytes, sizeof(bytes)), -EIO);
    source_close(src);
}

static void test_no_ram(void **state)
{
    struct failure f;

    (void)state;
    qemu.mtree = "";
    start_qemu();
    assert_null(backends_open(qmp_path, &f));
    assert_int_equal(f.status, EXIT_NO_TARGET);
    assert_non_null(strstr(f.text, "has no RAM"));
}

/* Through the QMP socket: the machine's status, and where its CPUs stand. */
static void test_target_by_socket(void **state)
{
    const struct target_spec spec = {.qmp = qmp_path};
    struct target target;
    struct places places;
    struct failure f;
    struct qmp qmp;

    (void)state;
    make_ram();
    qemu.status = "paused";
    start_qemu();
    assert_int_equal(target_open(&target, &spec, &f), 0);
    assert_string_equal(target_name(&spec), qmp_path);
    assert_true(target_can_ask(&target));
    assert_int_equal(target_health(&target), SOURCE_OK);
    assert_true(target_places(&target, &places));
    assert_int_equal(places.nr, 1);
    assert_true(places.cpu[0].known && places.cpu[0].pc == 0xa0000206280);
    qmp_init(&qmp);
    assert_int_equal(target_ask(&target, &qmp, 0), QMP_PENDING);
    qmp_close(&qmp);
    end_qemu(NULL);
    assert_false(target_places(&target, &places));
    target_close(&target);
    assert_false(target_places(&target, &places));
    qemu.share = "false"; /* the source itself talks to QEMU */
    start_qemu();
    assert_int_equal(target_open(&target, &spec, &f), 0);
    assert_true(target_can_ask(&target));
    assert_int_equal(target_ask(&target, &qmp, 0), QMP_DONE);
    assert_true(target_places(&target, &places));
    assert_int_equal(places.cpu[0].el, 2);
    target_close(&target);
    unlink(ram_path);
}

static void check_name(struct target_spec spec, const char *name)
{
    struct target target;
    struct failure f;

    assert_string_equal(target_name(&spec), name);
    assert_int_equal(target_open(&target, &spec, &f), -1);
    assert_int_equal(f.status == EXIT_NO_TARGET || f.status == EXIT_NOT_UNDERSTOOD, 1);
    assert_null(strchr(f.text, '\n'));
    target_close(&target);
}

static void test_no_target(void **state)
{
    (void)state;
    check_name((struct target_spec){.recording = "/nonexistent/r"}, "/nonexistent/r");
    check_name((struct target_spec){.gdb = "/nonexistent/g"}, "/nonexistent/g");
    check_name((struct target_spec){.gdb = "localhost:1"}, "localhost:1");
    check_name((struct target_spec){.gdb = ":nothing"}, ":nothing");
    check_name((struct target_spec){.core = "/nonexistent/c"}, "/nonexistent/c");
    check_name((struct target_spec){.ram = {{"/nonexistent/m", RAM}}, .nr_ram = 1},
               "/nonexistent/m");
    check_name((struct target_spec){.dir = "/nonexistent"}, "/nonexistent");
    check_name((struct target_spec){.dir = dir}, dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shared_file, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_saved, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_turns, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_long_turns, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_busy, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_not_saved, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_no_ram, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_target_by_socket, usual_qemu, end_qemu),
        cmocka_unit_test(test_no_target),
    };

    return cmocka_run_group_tests(tests, make_all, remove_all);
}
