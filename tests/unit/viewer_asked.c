/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * EL2's registers, asked of the gdb stub that QMP names.
 */
#include "qemu_stub.h"
#include "source/asked.h"

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

/* Memory that is read through QMP: it gives way to the question, and is shared as before. */
static void test_learn_shared(void **state)
{
    const struct target_spec spec = {.qmp = qmp_path};
    struct target target;
    struct failure f;
    char where[128];
    uint64_t value;
    struct qmp qmp;
    pid_t stub;

    (void)state;
    qemu.share = "false";
    snprintf(where, sizeof(where), "disconnected:unix:%s,server=on", socket_path);
    qemu.stub = where;
    start_qemu();
    stub = start_stub(FLAW_NONE);
    assert_int_equal(target_open(&target, &spec, &f), 0);
    assert_int_equal(asked_learn(&target, &spec, &f), 0);
    assert_int_equal(source_register(target.src, 1, "TCR_EL2", &value), 0);
    assert_true(target_can_ask(&target));
    assert_true(source_is_shared(target.src));
    assert_true(source_take(target.src));
    assert_int_equal(source_read_u64(target.src, RAM + 0x1230, &value), 0);
    assert_true(value == 0x2323232323232323);
    qmp_init(&qmp);
    assert_int_equal(target_ask(&target, &qmp, 0), QMP_DONE);
    assert_int_equal(qmp.status, QMP_STATUS_RUNNING);
    source_give(target.src);
    target_close(&target);
    waitpid(stub, NULL, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_learn, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_learn_shared, usual_qemu, end_qemu),
        cmocka_unit_test_setup_teardown(test_not_learned, usual_qemu, end_qemu),
        cmocka_unit_test(test_address),
    };

    return cmocka_run_group_tests(tests, make_all, remove_all);
}
