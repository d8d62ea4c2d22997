/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QEMU to be asked: a child that listens at a QMP socket and answers from a table, for its RAM by
 * name or by pmemsave, its state and its registers.
 */
#ifndef UNIT_QEMU_STUB_H
#define UNIT_QEMU_STUB_H

#include "gdb_stub.h"
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

static int listen_qmp(void)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int server = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", qmp_path);
    unlink(qmp_path);
    assert_int_equal(bind(server, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(server, 4), 0);
    return server;
}

/* One client after the other, until it is killed. */
static void serve_clients(int server)
{
    for (;;) {
        int fd = accept(server, NULL, NULL);

        serve_qmp(fd);
        close(fd);
    }
}

/* Who listens, as the socket tells, is this process. */
static void start_qemu(void)
{
    int server = listen_qmp();

    qemu_pid = fork();
    if (qemu_pid == 0)
        serve_clients(server);
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

#endif /* UNIT_QEMU_STUB_H */
