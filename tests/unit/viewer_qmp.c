/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The QMP client: what QEMU says, and what it should not. */
#include "source/backends.h"
#include "viewer_dir.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <cmocka.h>

#define MS   UINT64_C(1000000)
#define SIZE 0x10000

/* A server's socket in the directory; the caller says what it answers. */
static int listen_qmp(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/qmp.sock", dir);
    unlink(addr.sun_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(fd, 4), 0);
    return fd;
}

static enum qmp_result start_query(struct qmp *qmp, uint64_t now)
{
    int dir_fd = open(dir, O_PATH | O_DIRECTORY);
    enum qmp_result result;

    qmp_init(qmp);
    result = qmp_start(qmp, dir_fd, "qmp.sock", now);
    close(dir_fd);
    return result;
}

static void say(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void expect_heard(int fd, const char *part)
{
    char buf[256];
    ssize_t n = read(fd, buf, sizeof(buf) - 1);

    assert_true(n > 0);
    buf[n] = '\0';
    assert_non_null(strstr(buf, part));
}

#define GREETING "{\"QMP\": {\"version\": {}, \"capabilities\": []}}\r\n"

/* A whole query of a halted machine; the hash of its registers. */
static uint64_t query_halted(const char *registers)
{
    int server = listen_qmp(), fd;
    struct qmp qmp;

    assert_int_equal(start_query(&qmp, 0), QMP_PENDING);
    fd = accept(server, NULL, NULL);
    assert_int_equal(qmp_step(&qmp, 1), QMP_PENDING);
    say(fd, GREETING);
    assert_int_equal(qmp_step(&qmp, 2), QMP_PENDING);
    expect_heard(fd, "qmp_capabilities");
    say(fd, "{\"return\": {}}\r\n{\"event\": \"STOP\"}\r\n");
    assert_int_equal(qmp_step(&qmp, 3), QMP_PENDING);
    expect_heard(fd, "query-status");
    say(fd, "{\"return\": {\"status\": \"de");
    assert_int_equal(qmp_step(&qmp, 4), QMP_PENDING);
    say(fd, "bug\", \"running\": false}}\r\n");
    assert_int_equal(qmp_step(&qmp, 5), QMP_PENDING);
    expect_heard(fd, "info registers -a");
    say(fd, "{\"return\": \"PC=1");
    assert_int_equal(qmp_step(&qmp, 6), QMP_PENDING);
    say(fd, registers);
    assert_int_equal(qmp_step(&qmp, 7), QMP_DONE);
    assert_int_equal(qmp.status, QMP_STATUS_DEBUG);
    assert_string_equal(qmp.word, "debug");
    assert_int_equal(qmp_fd(&qmp), -1);
    close(fd);
    close(server);
    return qmp.registers;
}

static void test_qmp_answer(void **state)
{
    uint64_t one = query_halted("0 X0=0\"}\r\n"), two = query_halted("4 X0=0\"}\r\n");

    (void)state;
    assert_int_not_equal(one, 0);
    assert_int_not_equal(one, two);
    assert_int_equal(one, query_halted("0 X0=0\"}\r\n"));
    assert_int_equal(query_halted("{\"timestamp\": 1}\r\n") == one, 0);
}

/* The status is known; that the registers do not come is no reason to forget it. */
static void test_qmp_slow_registers(void **state)
{
    int server = listen_qmp(), fd;
    struct qmp qmp;

    (void)state;
    assert_int_equal(start_query(&qmp, 0), QMP_PENDING);
    fd = accept(server, NULL, NULL);
    say(fd, GREETING "{\"return\": {}}\r\n{\"return\": {\"status\": \"paused\"}}\r\n");
    assert_int_equal(qmp_step(&qmp, 1), QMP_PENDING);
    assert_int_equal(qmp_step(&qmp, QMP_DEADLINE_NS), QMP_DONE);
    assert_int_equal(qmp.status, QMP_STATUS_PAUSED);
    assert_int_equal(qmp.registers, 0);
    close(fd);
    close(server);
}

/* What QEMU calls paused, with its gdb stub connected as chardevs says. */
static enum qmp_status paused_with(const char *chardevs)
{
    int server = listen_qmp(), fd;
    struct qmp qmp;

    assert_int_equal(start_query(&qmp, 0), QMP_PENDING);
    fd = accept(server, NULL, NULL);
    say(fd, GREETING "{\"return\": {}}\r\n{\"return\": {\"status\": \"paused\"}}\r\n");
    assert_int_equal(qmp_step(&qmp, 1), QMP_PENDING);
    say(fd, chardevs);
    assert_int_equal(qmp_step(&qmp, 2), QMP_PENDING);
    assert_int_equal(qmp_step(&qmp, QMP_DEADLINE_NS), QMP_DONE);
    close(fd);
    close(server);
    return qmp.status;
}

/* Right after a debugger has come the machine is paused: it is the debugger's all the same. */
static void test_qmp_debugger(void **state)
{
    (void)state;
    assert_int_equal(paused_with("{\"return\": [{\"label\": \"gdb\", \"filename\": "
                                 "\"unix:gdb.sock,server=on\"}]}\r\n"),
                     QMP_STATUS_DEBUG);
    assert_int_equal(paused_with("{\"return\": [{\"label\": \"gdb\", \"filename\": "
                                 "\"disconnected:unix:gdb.sock,server=on\"}]}\r\n"),
                     QMP_STATUS_PAUSED);
    assert_int_equal(paused_with("{\"return\": [{\"label\": \"qmp\", \"filename\": "
                                 "\"unix:qmp.sock,server=on\"}, 7]}\r\n"),
                     QMP_STATUS_PAUSED);
}

static void test_qmp_busy(void **state)
{
    int server = listen_qmp();
    struct qmp qmp;

    (void)state;
    assert_int_equal(start_query(&qmp, 1000), QMP_PENDING);
    assert_int_equal(qmp_step(&qmp, 1000 + QMP_DEADLINE_NS - 1), QMP_PENDING);
    assert_int_equal(qmp_step(&qmp, 1000 + QMP_DEADLINE_NS), QMP_BUSY);
    assert_int_equal(qmp_fd(&qmp), -1);
    close(server);
    assert_int_equal(start_query(&qmp, 0), QMP_REFUSED);
    unlink(in_dir("qmp.sock"));
    assert_int_equal(start_query(&qmp, 0), QMP_REFUSED);
}

static void check_garbage(const char *text)
{
    int server = listen_qmp(), fd;
    struct qmp qmp;

    assert_int_equal(start_query(&qmp, 0), QMP_PENDING);
    fd = accept(server, NULL, NULL);
    say(fd, text);
    assert_int_equal(qmp_step(&qmp, 1), QMP_GARBAGE);
    close(fd);
    close(server);
}

static void test_qmp_garbage(void **state)
{
    char long_line[QMP_LINE_MAX + 1];

    (void)state;
    check_garbage("HTTP/1.1 200 OK\r\n");
    check_garbage("[]\n");
    check_garbage("{\"QMP\"\n");
    check_garbage("{\"error\": {\"desc\": \"no\"}}\n");
    check_garbage("{\"return\": {\"status\": \"running\"}}\n");
    memset(long_line, ' ', sizeof(long_line));
    long_line[sizeof(long_line) - 1] = '\0';
    check_garbage(long_line);
}

static void test_qmp_closed(void **state)
{
    int server = listen_qmp(), fd;
    struct qmp qmp;

    (void)state;
    assert_int_equal(start_query(&qmp, 0), QMP_PENDING);
    fd = accept(server, NULL, NULL);
    say(fd, GREETING);
    close(fd);
    while (qmp_fd(&qmp) >= 0)
        assert_int_not_equal(qmp_step(&qmp, 1), QMP_DONE);
    close(server);
}

static void test_qmp_rate(void **state)
{
    struct qmp_limit limit = {0};
    unsigned int taken = 0;

    (void)state;
    for (uint64_t now = 5000 * MS; now < 6000 * MS; now += MS)
        taken += qmp_limit_take(&limit, now);
    assert_int_equal(taken, QMP_RATE);
    assert_true(qmp_limit_take(&limit, 6000 * MS));
}

/* A server that takes a caller, says so much, and then something else now and then. */
static pid_t start_server(const char *text, const char *again)
{
    int server = listen_qmp(), fd;
    pid_t child = fork();

    if (child != 0) {
        close(server);
        return child;
    }
    signal(SIGPIPE, SIG_IGN);
    fd = accept(server, NULL, NULL);
    if (write(fd, text, strlen(text)) < 0)
        _exit(1);
    while (usleep(50000) == 0 && write(fd, again, strlen(again)) >= 0)
        ;
    _exit(0);
}

/* backends_open() says what is wrong, in time. */
static void check_no_qmp(const char *text, const char *again, const char *part)
{
    pid_t server = start_server(text, again);
    struct failure f;

    alarm(30);
    assert_null(backends_open(in_dir("qmp.sock"), &f));
    alarm(0);
    assert_int_equal(f.status, EXIT_NO_TARGET);
    if (!strstr(f.text, part))
        fail_msg("%s: %s", text, f.text);
    kill(server, SIGKILL);
    waitpid(server, NULL, 0);
}

static void test_no_qmp(void **state)
{
    (void)state;
    check_no_qmp("HTTP/1.1 200 OK\r\n", "", "is no QMP socket");
    check_no_qmp("", "{\"event\": \"RTC_CHANGE\"}\n", "no greeting from");
    check_no_qmp(GREETING, "\n", "QEMU does not answer qmp_capabilities");
    check_no_qmp(GREETING, "{\"return\": 7}\n", "has no RAM");
}

static void check_no_socket(const char *path, const char *part)
{
    struct failure f;

    assert_null(backends_open(path, &f));
    assert_int_equal(f.status, EXIT_NO_TARGET);
    assert_non_null(strstr(f.text, part));
    assert_null(strchr(f.text, '\n'));
}

static void test_not_a_qmp_socket(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
    make_file("ram", SIZE, 1);
    check_no_socket(in_dir("fifo"), "nobody answers at the QMP socket");
    check_no_socket(in_dir("ram"), "nobody answers at the QMP socket");
    check_no_socket(dir, "nobody answers at the QMP socket");
    check_no_socket(in_dir("none"), "nobody answers at the QMP socket");
    close(listen_qmp());
    check_no_socket(in_dir("qmp.sock"), "nobody answers at the QMP socket");
    unlink(in_dir("fifo"));
}

/* A server that takes nobody any more: connect() alone would wait for ever. */
static void test_qmp_full(void **state)
{
    int server = listen_qmp(), caller[16], n = 0;
    struct sockaddr_un addr = {.sun_family = AF_UNIX};

    (void)state;
    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/qmp.sock", dir);
    do
        caller[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    while (connect(caller[n], (struct sockaddr *)&addr, sizeof(addr)) == 0 && ++n < 15);
    alarm(30);
    check_no_socket(in_dir("qmp.sock"), "another program talks to it");
    alarm(0);
    for (; n >= 0; n--)
        close(caller[n]);
    close(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_qmp_answer),         cmocka_unit_test(test_qmp_debugger),
        cmocka_unit_test(test_qmp_busy),           cmocka_unit_test(test_qmp_garbage),
        cmocka_unit_test(test_qmp_closed),         cmocka_unit_test(test_qmp_rate),
        cmocka_unit_test(test_qmp_slow_registers), cmocka_unit_test(test_no_qmp),
        cmocka_unit_test(test_not_a_qmp_socket),   cmocka_unit_test(test_qmp_full),
    };

    return cmocka_run_group_tests(tests, dir_make, dir_remove);
}
