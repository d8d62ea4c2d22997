/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/gdb.h"

#include "source/ending.h"
#include "source/gdb_packet.h"
#include "source/gdb_registers.h"
#include "source/mtree.h"
#include "source/unix_socket.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_MAX   2048 /* QEMU takes no longer reads, whatever packet size it announces */
#define RANGES_MAX 8
#define CONNECT_MS 2000 /* while the backlog of a stub that is stuck is full */
#define XML_MAX    (1u << 20)

/* With a process, as a gdb before us may have asked QEMU to want it: it remembers that. */
#define DETACH "D;1"

struct source_gdb {
    struct source src;
    struct gdb_link link;
    char *name;
    bool was_halted; /* before we came */
    unsigned int nr_cpus, nr_ranges;
    struct mtree_range range[RANGES_MAX];
    char thread[GDB_CPUS_MAX][16]; /* as the stub writes their numbers */
    struct gdb_registers registers;
    struct failure f; /* of the last exchange */
    char reply[GDB_PACKET_MAX + 1];
};

/* The one connection that a signal has to end, and how; -1: none. */
static volatile int signal_fd = -1;
static char farewell[64];

/* Physical mode off, and detach; nobody waits for the answers. */
static void write_farewell(bool was_halted)
{
    size_t len = gdb_frame("Qqemu.PhyMemMode:0", farewell, sizeof(farewell));

    farewell[len++] = '+';
    if (was_halted)
        farewell[len] = '\0';
    else
        gdb_frame(DETACH, farewell + len, sizeof(farewell) - len);
}

static void send_farewell(void)
{
    if (signal_fd >= 0 && write(signal_fd, farewell, strlen(farewell)) < 0)
        signal_fd = -1;
}

static int ask(struct source_gdb *g, const char *packet)
{
    size_t len;

    return gdb_ask(&g->link, packet, g->reply, &len, &g->f);
}

/* Ask, and take an answer that is exactly this. */
static int ask_for(struct source_gdb *g, const char *packet, const char *expected)
{
    if (ask(g, packet))
        return -1;
    if (strcmp(g->reply, expected) == 0)
        return 0;
    return failure_set(&g->f, EXIT_NO_TARGET,
                       "the gdb stub at %s is none of QEMU's: it does not know %s", g->name,
                       packet);
}

static bool in_ram(const struct source_gdb *g, uint64_t pa, size_t len)
{
    for (unsigned int i = 0; i < g->nr_ranges; i++) {
        const struct mtree_range *r = &g->range[i];

        if (pa >= r->base && pa - r->base < r->size && len <= r->size - (pa - r->base))
            return true;
    }
    return false;
}

static int gdb_read(const struct source *src, uint64_t pa, void *buf, size_t len)
{
    struct source_gdb *g = (struct source_gdb *)(uintptr_t)src;
    char packet[64], *to = buf;

    if (!in_ram(g, pa, len))
        return -EFAULT;
    for (size_t at = 0; at < len; at += READ_MAX) {
        size_t n = len - at < READ_MAX ? len - at : READ_MAX;

        snprintf(packet, sizeof(packet), "m%llx,%zx", (unsigned long long)pa + at, n);
        if (ask(g, packet) || gdb_unhex(g->reply, to + at, n) != (int)n)
            return -EIO;
    }
    return 0;
}

static enum source_health gdb_health(struct source *src)
{
    struct source_gdb *g = (struct source_gdb *)src;

    return g->link.fd >= 0 && ask(g, "qqemu.PhyMemMode") == 0 ? SOURCE_OK : SOURCE_GONE;
}

static int gdb_piece(const struct source *src, unsigned int n, struct source_piece *piece)
{
    const struct source_gdb *g = (const struct source_gdb *)src;

    if (n >= g->nr_ranges)
        return -ENOENT;
    *piece = (struct source_piece){g->range[n].base, g->range[n].size};
    return 0;
}

static unsigned int gdb_cpus(const struct source *src)
{
    return ((const struct source_gdb *)src)->nr_cpus;
}

/* The stub calls this one by its AArch32 name. */
static const char *stub_name(const char *name)
{
    return strcmp(name, "SCTLR_EL1") == 0 ? "SCTLR" : name;
}

static int gdb_register(const struct source *src, unsigned int cpu, const char *name,
                        uint64_t *value)
{
    struct source_gdb *g = (struct source_gdb *)(uintptr_t)src;
    int number = gdb_registers_find(&g->registers, name), n;
    char packet[64];

    if (number < 0)
        number = gdb_registers_find(&g->registers, stub_name(name));
    if (cpu >= g->nr_cpus || number < 0)
        return -ENOENT;
    snprintf(packet, sizeof(packet), "Hg%s", g->thread[cpu]);
    if (ask(g, packet))
        return -ENOENT;
    snprintf(packet, sizeof(packet), "p%x", (unsigned int)number);
    *value = 0;
    n = ask(g, packet) ? -1 : gdb_unhex(g->reply, value, sizeof(*value));
    return n == 4 || n == 8 ? 0 : -ENOENT;
}

static void gdb_close(struct source *src)
{
    struct source_gdb *g = (struct source_gdb *)src;

    signal_fd = -1;
    ending_remove(send_farewell);
    if (g->link.fd >= 0 && ask(g, "Qqemu.PhyMemMode:0") == 0 && !g->was_halted)
        ask(g, DETACH);
    if (g->link.fd >= 0)
        close(g->link.fd);
    gdb_registers_free(&g->registers);
    free(g->name);
    free(g);
}

static const struct source_ops gdb_ops = {
    .name = "gdb",
    .read = gdb_read,
    .health = gdb_health,
    .piece = gdb_piece,
    .close = gdb_close,
    .cpus = gdb_cpus,
    .reg = gdb_register,
};

bool source_is_gdb(const struct source *src)
{
    return src && src->ops == &gdb_ops;
}

bool gdb_was_halted(const struct source *src)
{
    return ((const struct source_gdb *)src)->was_halted;
}

void gdb_leave_halted(struct source *src)
{
    ((struct source_gdb *)src)->was_halted = true;
    write_farewell(true);
}

static int connect_tcp(const char *address)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *list = NULL;
    char host[256];
    const char *colon = strrchr(address, ':');
    int fd = -1;

    snprintf(host, sizeof(host), "%.*s", (int)(colon - address), address);
    if (getaddrinfo(host[0] ? host : "localhost", colon + 1, &hints, &list) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    for (const struct addrinfo *a = list; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(list);
    return fd;
}

static int connect_stub(const char *address)
{
    return strchr(address, ':') && !strchr(address, '/') && access(address, F_OK) != 0
               ? connect_tcp(address)
               : unix_connect(address, CONNECT_MS);
}

/* "m1,2,3", with a process in front ("p01.02") if the stub likes. */
static void take_threads(struct source_gdb *g)
{
    char *save = NULL;

    for (char *t = strtok_r(g->reply + 1, ",", &save); t && g->nr_cpus < GDB_CPUS_MAX;
         t = strtok_r(NULL, ",", &save)) {
        const char *dot = strchr(t, '.');

        snprintf(g->thread[g->nr_cpus++], sizeof(g->thread[0]), "%s", dot ? dot + 1 : t);
    }
}

static int list_cpus(struct source_gdb *g)
{
    if (ask(g, "qfThreadInfo"))
        return -1;
    while (g->reply[0] == 'm') {
        take_threads(g);
        if (ask(g, "qsThreadInfo"))
            return -1;
    }
    if (g->nr_cpus)
        return 0;
    return failure_set(&g->f, EXIT_NO_TARGET, "the gdb stub at %s knows no CPU", g->name);
}

/* A file of the target description, in pieces; NULL with g->f. */
static char *read_xml(struct source_gdb *g, const char *file)
{
    char *xml = NULL, packet[160];
    size_t len = 0;

    do {
        char *grown;
        size_t got;

        snprintf(packet, sizeof(packet), "qXfer:features:read:%.64s:%zx,7fb", file, len);
        if (ask(g, packet))
            break;
        got = g->reply[0] ? strlen(g->reply + 1) : 0;
        grown = len < XML_MAX ? realloc(xml, len + got + 1) : NULL;
        if (!grown || (g->reply[0] != 'm' && g->reply[0] != 'l')) {
            failure_set(&g->f, EXIT_NO_TARGET, "the gdb stub at %s does not describe its registers",
                        g->name);
            free(grown ? grown : xml);
            return NULL;
        }
        xml = grown;
        memcpy(xml + len, g->reply + 1, got + 1);
        len += got;
    } while (g->reply[0] == 'm');
    if (g->link.fd < 0) {
        free(xml);
        xml = NULL;
    }
    return xml;
}

static int read_registers(struct source_gdb *g)
{
    char *top = read_xml(g, "target.xml"), *xml, file[64];
    const char *at = top;
    int ret = top ? gdb_registers_add(&g->registers, top) : -1;

    while (ret == 0 && gdb_next_include(&at, file, sizeof(file))) {
        xml = read_xml(g, file);
        ret = xml ? gdb_registers_add(&g->registers, xml) : -1;
        free(xml);
    }
    free(top);
    return ret;
}

/*
 * What QEMU's monitor prints, to be freed; NULL with g->f. It comes as packets
 * "O" and hexadecimal text, until "OK".
 */
static char *monitor(struct source_gdb *g, const char *command)
{
    char packet[64] = "qRcmd,", *text = calloc(1, XML_MAX + GDB_PACKET_MAX);
    size_t len = 0, got, at = strlen(packet);
    int ret;

    if (!text) {
        failure_set(&g->f, EXIT_NO_TARGET, "out of memory");
        return NULL;
    }
    for (const char *c = command; *c; c++)
        at += (size_t)snprintf(packet + at, sizeof(packet) - at, "%02x", (unsigned char)*c);
    ret = ask(g, packet);
    while (ret == 0 && g->reply[0] == 'O' && strcmp(g->reply, "OK") != 0) {
        int n = gdb_unhex(g->reply + 1, text + len, GDB_PACKET_MAX);

        len += n > 0 && len < XML_MAX ? (size_t)n : 0;
        text[len] = '\0';
        ret = gdb_more(&g->link, g->reply, &got, &g->f);
    }
    if (ret == 0)
        return text;
    free(text);
    return NULL;
}

static int find_ram(struct source_gdb *g)
{
    char *text = monitor(g, MTREE_COMMAND);

    if (!text)
        return -1;
    g->nr_ranges = mtree_ram(text, g->range, RANGES_MAX);
    free(text);
    if (g->nr_ranges)
        return 0;
    return failure_set(&g->f, EXIT_NO_TARGET,
                       "the gdb stub at %s does not tell where RAM is: it is none of QEMU's",
                       g->name);
}

/*
 * Connecting halts a machine that runs, which is then "paused". One that says
 * why it is halted, "paused (debug)", was so before, and is left so.
 */
static int find_status(struct source_gdb *g)
{
    char *text = monitor(g, "info status");

    if (!text)
        return -1;
    g->was_halted = strstr(text, "paused (") != NULL;
    write_farewell(g->was_halted);
    free(text);
    return 0;
}

/* The first packet is a question that every stub answers somehow. */
static int meet(struct source_gdb *g)
{
    if (ask(g, "qSupported:xmlRegisters=arm,aarch64") || ask(g, "qqemu.PhyMemMode"))
        return -1;
    if (strcmp(g->reply, "0") != 0 && strcmp(g->reply, "1") != 0)
        return failure_set(&g->f, EXIT_NO_TARGET,
                           "the gdb stub at %s is none of QEMU's: it cannot read physical memory",
                           g->name);
    if (find_status(g) || list_cpus(g) || read_registers(g) || find_ram(g))
        return -1;
    return ask_for(g, "Qqemu.PhyMemMode:1", "OK");
}

struct source *gdb_open(const char *address, struct failure *f)
{
    struct source_gdb *g = calloc(1, sizeof(*g));

    if (!g || !(g->name = strdup(address))) {
        free(g);
        failure_set(f, EXIT_NO_TARGET, "out of memory");
        return NULL;
    }
    g->src.ops = &gdb_ops;
    g->link = (struct gdb_link){.fd = connect_stub(address), .name = g->name};
    if (g->link.fd < 0) {
        failure_set(f, EXIT_NO_TARGET, "no gdb stub answers at %s: %s", address, strerror(errno));
    } else {
        write_farewell(false);
        signal_fd = g->link.fd;
        ending_add(send_farewell);
        if (meet(g) == 0)
            return &g->src;
        *f = g->f;
    }
    gdb_close(&g->src);
    return NULL;
}
