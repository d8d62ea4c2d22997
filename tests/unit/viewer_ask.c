/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asking a QEMU: its RAM by name or by pmemsave, its registers through QMP and the gdb stub. The
 * QEMU is a child that answers from a table.
 */
#include "gdb_stub.h"
#include "source/asked.h"
#include "source/backends.h"
#include "source/qmp_ask.h"

#include <fcntl.h>
#include <sys/stat.h>

#define MTREE                                                                                      \
    "FlatView #0\\r\\n AS \\\"memory\\\", root: system\\r\\n Root memory region: system\\r\\n"     \
    "  0000000000000000-0000000003ffffff (prio 0, romd): flash\\r\\n"                              \
    "  0000000040000000-0000000040003fff (prio 0, ram): NAME\\r\\n\\r\\n"
#define CPU_TEXT "\\r\\nCPU#0\\r\\n PC=00000a0000206280 X00=1\\r\\nPSTATE=600003c9 -ZC- EL2h\\r\\n"

/* What this QEMU is. Set before start_qemu(). */
static struct {
    const char *backend, *share, *path, *mtree, *stub, *status;
    bool running, saves;
} qemu;
static char qmp_path[64], ram_path[64];
static pid_t qemu_pid;

static const struct failure no_failure;

/* pmemsave: each byte of memory is its address, divided by 16. */
static void save_memory(const char *question)
{
    const char *val = strstr(question, "\"val\":"), *size = strstr(question, "\"size\":");
    const char *name = strstr(question, "\"filename\":\"");
    char path[128];
    uint64_t pa = strtoull(val + 6, NULL, 10), len = strtoull(size + 7, NULL, 10);
    FILE *out;

    snprintf(path, sizeof(path), "%.*s", (int)strcspn(name + 12, "\""), name + 12);
    out = fopen(path, "w");
    for (uint64_t i = 0; out && i < len; i++)
        fputc((int)((pa + i) / 16 & 0xff), out);
    if (out)
        fclose(out);
}

static void reply_mtree(char *reply, size_t size)
{
    const char *text = qemu.mtree ? qemu.mtree : MTREE, *at = strstr(text, "NAME");

    if (at)
        snprintf(reply, size, "\"%.*s%s%s\"", (int)(at - text), text, qemu.backend, at + 4);
    else
        snprintf(reply, size, "\"%s\"", text);
}

static void reply_to(const char *question, char *reply, size_t size)
{
    if (strstr(question, "qom-list"))
        snprintf(reply, size,
                 "[{\"name\":\"type\",\"type\":\"string\"},{\"name\":\"%s\","
                 "\"type\":\"child<memory-backend-file>\"}, 7]",
                 qemu.backend);
    else if (strstr(question, "mem-path"))
        snprintf(reply, size, qemu.path ? "\"%s\"" : "null", qemu.path);
    else if (strstr(question, "share"))
        snprintf(reply, size, "%s", qemu.share);
    else if (strstr(question, "mtree"))
        reply_mtree(reply, size);
    else if (strstr(question, "registers"))
        snprintf(reply, size, "\"%s\"", CPU_TEXT);
    else if (strstr(question, "query-status"))
        snprintf(reply, size, "{\"status\":\"%s\",\"running\":%s}", qemu.status,
                 qemu.running ? "true" : "false");
    else if (strstr(question, "query-chardev"))
        snprintf(reply, size, "[{\"label\":\"qmp\"},{\"label\":\"gdb\",\"filename\":\"%s\"}]",
                 qemu.stub);
    else
        snprintf(reply, size, "{}");
    if (strstr(question, "pmemsave") && qemu.saves)
        save_memory(question);
}

static void serve_qmp(int fd)
{
    char question[1024], reply[1024], line[1200];
    ssize_t n;

    if (write(fd, "{\"QMP\": {}}\r\n", 13) != 13)
        return;
    while ((n = read(fd, question, sizeof(question) - 1)) > 0) {
        question[n] = '\0';
        reply_to(question, reply, sizeof(reply));
        n = snprintf(line, sizeof(line), "%s{\"return\": %s}\r\n",
                     strstr(question, "registers") ? "" : "{\"event\": \"RTC_CHANGE\"}\r\n", reply);
        if (write(fd, line, (size_t)n) != n)
            return;
    }
}

/* One client after the other, until it is killed. */
static void start_qemu(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int server = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", qmp_path);
    unlink(qmp_path);
    assert_int_equal(bind(server, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(server, 4), 0);
    qemu_pid = fork();
    for (int fd; qemu_pid == 0;) {
        fd = accept(server, NULL, NULL);
        serve_qmp(fd);
        close(fd);
    }
    close(server);
}

static int end_qemu(void **state)
{
    (void)state;
    if (qemu_pid > 0) {
        kill(qemu_pid, SIGKILL);
        waitpid(qemu_pid, NULL, 0);
    }
    qemu_pid = 0;
    return 0;
}

static int usual_qemu(void **state)
{
    (void)state;
    memset(&qemu, 0, sizeof(qemu));
    qemu.backend = "ram";
    qemu.share = "true";
    qemu.path = ram_path;
    qemu.stub = "disconnected:tcp:0.0.0.0:1,server=on";
    qemu.status = "running";
    qemu.running = qemu.saves = true;
    return 0;
}

static void make_ram(void)
{
    static char bytes[0x4000];

    int fd = open(ram_path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    memset(bytes, 0x5a, sizeof(bytes));
    assert_int_equal(write(fd, bytes, sizeof(bytes)), sizeof(bytes));
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
        assert_false(source_is_pmemsave(src));
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
        assert_true(source_is_pmemsave(src));
        assert_int_equal(source_piece(src, 0, &piece), 0);
        assert_int_equal(source_piece(src, 1, &piece), -ENOENT);
        assert_true(piece.base == RAM && piece.size == 0x4000);
        assert_int_equal(source_read_phys(src, RAM + 0x1000, bytes, sizeof(bytes)), 0);
        assert_int_equal(bytes[0], 0);
        assert_int_equal(bytes[63], 3);
        assert_int_equal(source_read_phys(src, RAM + 0x3ff8, bytes, 16), -EFAULT);
        assert_int_equal(source_health(src), SOURCE_OK);
        qmp_init(&qmp);
        assert_int_equal(pmemsave_ask(src, &qmp), QMP_DONE);
        assert_int_equal(qmp.status, i ? QMP_STATUS_PAUSED : QMP_STATUS_RUNNING);
        assert_int_equal(qmp.registers != 0, i);
        end_qemu(NULL);
        assert_int_equal(source_read_phys(src, RAM, bytes, sizeof(bytes)), -EIO);
        assert_int_equal(source_health(src), SOURCE_GONE);
        assert_int_equal(pmemsave_ask(src, &qmp), QMP_REFUSED);
        source_close(src);
    }
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

/* The registers are copied, once, and the machine goes on; memory stays the RAM's. */
static void learn(const char *status, bool running, const char *note)
{
    const struct target_spec spec = {.qmp = qmp_path};
    struct source_piece piece;
    struct target target;
    struct failure f = no_failure;
    char where[128];
    uint64_t value;
    pid_t stub;

    make_ram();
    snprintf(where, sizeof(where), "disconnected:unix:%s,server=on", socket_path);
    qemu.stub = where;
    qemu.status = status;
    qemu.running = running;
    start_qemu();
    stub = start_stub(FLAW_NONE);
    assert_int_equal(target_open(&target, &spec, &f), 0);
    if (asked_learn(&target, &spec, &f))
        fail_msg("%s", f.text);
    waitpid(stub, NULL, 0);
    assert_int_equal(logged("D;1"), running);
    assert_true(logged("Qqemu.PhyMemMode:0"));
    assert_non_null(strstr(target.note, note));
    assert_int_equal(source_cpus(target.src), 2);
    assert_int_equal(source_register(target.src, 1, "TCR_EL2", &value), 0);
    assert_int_equal(value, 0x80843510);
    assert_int_equal(source_register(target.src, 0, "PC", &value), -ENOENT);
    assert_int_equal(source_register(target.src, 2, "TCR_EL2", &value), -ENOENT);
    assert_int_equal(source_read_u64(target.src, RAM, &value), 0);
    assert_true(value == 0x5a5a5a5a5a5a5a5a);
    assert_int_equal(source_piece(target.src, 0, &piece), 0);
    assert_int_equal(target_health(&target), SOURCE_OK);
    target_close(&target);
    end_qemu(NULL);
    unlink(ram_path);
}

static void test_learn(void **state)
{
    (void)state;
    learn("running", true, "the machine was halted for ");
    learn("paused", false, "the machine was and stays halted");
}

static void check_not_learned(const char *stub, const char *part)
{
    const struct target_spec spec = {.qmp = qmp_path};
    struct target target;
    struct failure f = no_failure;

    qemu.stub = stub;
    make_ram();
    start_qemu();
    assert_int_equal(target_open(&target, &spec, &f), 0);
    assert_int_equal(asked_learn(&target, &spec, &f), -1);
    assert_true(target.asked);
    if (!strstr(f.text, part))
        fail_msg("%s", f.text);
    target_close(&target);
    end_qemu(NULL);
    unlink(ram_path);
}

static void test_not_learned(void **state)
{
    const struct target_spec memory = {.nr_ram = 1}, folder = {.dir = dir};
    struct target target = TARGET_NONE;
    struct failure f;

    (void)state;
    check_not_learned("unix:gdb.sock,server=on", "a debugger is attached");
    check_not_learned("disconnected:unix:/nonexistent,server=on", "no gdb stub answers");
    qemu.backend = "ram";
    assert_int_equal(asked_learn(&target, &memory, &f), -1);
    assert_non_null(strstr(f.text, "memory alone does not tell them"));
    assert_int_equal(asked_learn(&target, &folder, &f), -1);
    assert_non_null(strstr(f.text, "nobody answers at the QMP socket"));
}

static void check_address(const char *filename, const char *address)
{
    char text[64] = "";

    assert_int_equal(asked_address(filename, "/proc/1/cwd", text, sizeof(text)), address != NULL);
    if (address)
        assert_string_equal(text, address);
}

static void test_address(void **state)
{
    (void)state;
    check_address("disconnected:unix:gdb.sock,server=on", "/proc/1/cwd/gdb.sock");
    check_address("disconnected:unix:/run/gdb.sock", "/run/gdb.sock");
    check_address("disconnected:tcp:0.0.0.0:1234,server=on", "0.0.0.0:1234");
    check_address("unix:gdb.sock,server=on", NULL);
    check_address("disconnected:pty:/dev/pts/1", NULL);
    check_address("null", NULL);
}

static int make_all(void **state)
{
    if (make_dir(state))
        return -1;
    snprintf(qmp_path, sizeof(qmp_path), "%s/qmp.sock", dir);
    snprintf(ram_path, sizeof(ram_path), "%s/ram", dir);
    return 0;
}

static int remove_all(void **state)
{
    unlink(qmp_path);
    return remove_dir(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_shared_file, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_saved, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_not_saved, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_no_ram, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_target_by_socket, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_learn, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_not_learned, usual_qemu, end_qemu),
        cmocka_unit_test(test_no_target),
        cmocka_unit_test(test_address),
    };

    return cmocka_run_group_tests(tests, make_all, remove_all);
}
