/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A gdb stub made by hand, good and bad, in a folder of its own. Each test program has one.
 */
#ifndef TESTS_GDB_STUB_H
#define TESTS_GDB_STUB_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define RAM UINT64_C(0x40000000)

static char dir[] = "/tmp/hvscope-unit-XXXXXX";
static char socket_path[64], log_path[64], core_path[64];

/* What is wrong with the stub. */
enum flaw {
    FLAW_NONE,
    FLAW_NAK,        /* every second packet is asked for again */
    FLAW_CHECKSUM,   /* the first try of every answer has a wrong one */
    FLAW_STOPS,      /* a stop reply before every answer */
    FLAW_DROP,       /* the connection ends in the first read of memory */
    FLAW_CUT,        /* it ends inside the packet that answers such a read */
    FLAW_NOT_QEMU,   /* no physical mode */
    FLAW_GARBAGE,    /* no packets at all */
    FLAW_ALWAYS_BAD, /* no checksum is ever right */
    FLAW_LONG,       /* a packet without an end */
    FLAW_NO_RAM,     /* the monitor says nothing of RAM */
};

static FILE *stub_in, *stub_out;
static bool halted_before;

static void put_packet(const char *data, int sum_error)
{
    unsigned char sum = 0;

    for (const char *c = data; *c; c++)
        sum += (unsigned char)*c;
    fprintf(stub_out, "$%s#%02x", data, (sum + sum_error) & 0xff);
    fflush(stub_out);
}

/* One answer, until the other side takes it. */
static void answer(enum flaw flaw, const char *data)
{
    int c, sum_error = flaw == FLAW_CHECKSUM || flaw == FLAW_ALWAYS_BAD;

    if (flaw == FLAW_STOPS) {
        put_packet("T02thread:01;", 0);
        fgetc(stub_in);
    }
    do {
        put_packet(data, sum_error);
        sum_error = flaw == FLAW_ALWAYS_BAD;
        c = fgetc(stub_in);
    } while (c == '-');
}

static void answer_hex(enum flaw flaw, const char *prefix, const char *text)
{
    char hex[1024];
    size_t at = (size_t)snprintf(hex, sizeof(hex), "%s", prefix);

    for (; *text; text++)
        at += (size_t)snprintf(hex + at, sizeof(hex) - at, "%02x", (unsigned char)*text);
    answer(flaw, hex);
}

/* Each byte of memory is its address, divided by 8; run lengths now and then. */
static void answer_memory(enum flaw flaw, const char *packet)
{
    static char hex[2 * 4096 + 1];
    unsigned long long pa;
    unsigned int len;

    sscanf(packet, "m%llx,%x", &pa, &len);
    if (flaw == FLAW_DROP || flaw == FLAW_CUT) {
        fputs(flaw == FLAW_CUT ? "$00112233" : "", stub_out);
        fflush(stub_out);
        exit(0);
    }
    if (len == 4) { /* "0* " is a digit and three more of it */
        answer(flaw, "0* 0* ");
        return;
    }
    for (unsigned int i = 0; i < len; i++)
        sprintf(hex + 2 * i, "%02x", (unsigned int)((pa + i) / 8 & 0xff));
    answer(flaw, hex);
}

static const char *const fixed[][2] = {
    {"qqemu.PhyMemMode", "0"},
    {"Qqemu.PhyMemMode:1", "OK"},
    {"Qqemu.PhyMemMode:0", "OK"},
    {"D;1", "OK"},
    {"qfThreadInfo", "m01,02"},
    {"qsThreadInfo", "l"},
    {"Hg01", "OK"},
    {"Hg02", "OK"},
    {"p21", "a0b0c0d000000000"}, /* 33: cpsr comes next */
    {"p22", "c9030060"},
    {"p64", "1035848000000000"},
    {"p65", "E14"},
    {"qXfer:features:read:target.xml:0,7fb",
     "l<?xml version=\"1.0\"?><target><xi:include href=\"core.xml\"/>\n"
     "<xi:include href='sys.xml'/></target>"},
    {"qXfer:features:read:core.xml:0,7fb",
     "m<feature><reg name=\"x0\" bitsize=\"64\" regnum=\"32\"/>"},
    {"qXfer:features:read:core.xml:32,7fb",
     "l<reg name=\"pc\" bitsize=\"64\"/><reg name=\"cpsr\" bitsize=\"32\"/></feature>"},
    {"qXfer:features:read:sys.xml:0,7fb",
     "l<reg name=\"TCR_EL2\" bitsize=\"64\" regnum=\"100\"/><reg name=\"TTBR1_EL2\"/>"
     "<regs name=\"no\"/><reg bitsize=\"1\"/>"},
};

static void answer_packet(enum flaw flaw, const char *packet)
{
    if (packet[0] == 'm') {
        answer_memory(flaw, packet);
        return;
    }
    if (strcmp(packet, "qRcmd,696e666f20737461747573") == 0) {
        answer_hex(flaw, "O",
                   halted_before ? "VM status: paused (debug)\n" : "VM status: paused\n");
        answer(flaw, "OK");
        return;
    }
    if (strncmp(packet, "qRcmd,", 6) == 0) {
        if (flaw != FLAW_NO_RAM)
            answer_hex(flaw, "O",
                       "FlatView #0\r\n AS \"I/O\", root: io\r\n"
                       "  0000000000000000-00000000ffffffff (prio 0, ram): other\r\n"
                       "FlatView #1\r\n AS \"memory\", root: system\r\n");
        answer_hex(flaw, "O", "  0000000040000000-000000004fffffff (prio 0, ram): ram\r\n");
        answer(flaw, "OK");
        return;
    }
    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (strcmp(packet, fixed[i][0]) == 0 &&
            (flaw != FLAW_NOT_QEMU || !strstr(packet, "PhyMemMode"))) {
            answer(flaw, fixed[i][1]);
            return;
        }
    }
    answer(flaw, "");
}

/* A packet to NUL-terminated data; false at the end. Each is written to the log. */
static bool take_packet(char *data, size_t room, FILE *log)
{
    size_t len = 0;
    int c;

    while ((c = fgetc(stub_in)) != '$') {
        if (c == EOF)
            return false;
    }
    while ((c = fgetc(stub_in)) != '#' && c != EOF && len + 1 < room)
        data[len++] = (char)c;
    data[len] = '\0';
    fgetc(stub_in);
    fgetc(stub_in);
    fprintf(log, "%s\n", data);
    fflush(log);
    return true;
}

static void serve(int fd, enum flaw flaw)
{
    FILE *log = fopen(log_path, "w");
    char packet[512];
    bool refuse = true;

    stub_in = fdopen(fd, "r");
    stub_out = fdopen(dup(fd), "w");
    if (flaw == FLAW_LONG)
        fputc('$', stub_out);
    for (int i = 0; (flaw == FLAW_GARBAGE || flaw == FLAW_LONG) && i < 100000; i++)
        fputc('x', stub_out);
    fflush(stub_out);
    while (take_packet(packet, sizeof(packet), log)) {
        refuse = flaw == FLAW_NAK && !refuse;
        fputc(refuse ? '-' : '+', stub_out);
        fflush(stub_out);
        if (!refuse)
            answer_packet(flaw, packet);
    }
    exit(0);
}

/* Starts a stub that serves one client; its pid. */
static inline pid_t start_stub(enum flaw flaw)
{
    struct sockaddr_un addr = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    pid_t child;

    unlink(socket_path);
    strcpy(addr.sun_path, socket_path);
    assert_int_equal(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
    assert_int_equal(listen(fd, 1), 0);
    child = fork();
    if (child == 0) {
        signal(SIGPIPE, flaw == FLAW_NONE ? SIG_IGN : SIG_DFL); /* it reads to the end */
        serve(accept(fd, NULL, NULL), flaw);
    }
    close(fd);
    return child;
}

static inline bool logged(const char *line)
{
    FILE *log = fopen(log_path, "r");
    char text[512];
    bool found = false;

    assert_non_null(log);
    while (!found && fgets(text, sizeof(text), log)) {
        text[strcspn(text, "\n")] = '\0';
        found = strcmp(text, line) == 0;
    }
    fclose(log);
    return found;
}

static int make_dir(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    assert_non_null(mkdtemp(dir));
    snprintf(socket_path, sizeof(socket_path), "%s/gdb.sock", dir);
    snprintf(log_path, sizeof(log_path), "%s/log", dir);
    snprintf(core_path, sizeof(core_path), "%s/core", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    unlink(socket_path);
    unlink(log_path);
    unlink(core_path);
    return rmdir(dir);
}

#endif /* TESTS_GDB_STUB_H */
