/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/gdb_packet.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NOISE_MAX  65536 /* bytes before a packet that belong to none */
#define RUN_OFFSET 29    /* "x*c": c - 29 more of x */
#define ESCAPE_XOR 0x20

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int drop(struct gdb_link *link, struct failure *f, const char *why)
{
    close(link->fd);
    link->fd = -1;
    return failure_set(f, EXIT_NO_TARGET, "the gdb stub at %s %s", link->name, why);
}

/* One byte; -1 with f when the deadline has passed or the link is gone. */
static int next_byte(struct gdb_link *link, uint64_t deadline, struct failure *f)
{
    while (link->at == link->len) {
        struct pollfd fd = {.fd = link->fd, .events = POLLIN};
        uint64_t now = now_ms();
        ssize_t n;

        if (now >= deadline || poll(&fd, 1, (int)(deadline - now)) == 0)
            return drop(link, f, "does not answer: does another debugger hold it?");
        n = recv(link->fd, link->in, sizeof(link->in), 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return drop(link, f, "has dropped the connection");
        link->at = 0;
        link->len = (size_t)n;
    }
    return (unsigned char)link->in[link->at++];
}

static int send_bytes(struct gdb_link *link, const char *bytes, size_t len, struct failure *f)
{
    if (link->fd < 0)
        return failure_set(f, EXIT_NO_TARGET, "the connection to the gdb stub at %s is lost",
                           link->name);
    if (send(link->fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
        return drop(link, f, "has dropped the connection");
    return 0;
}

size_t gdb_frame(const char *packet, char *wire, size_t room)
{
    unsigned char sum = 0;

    for (const char *c = packet; *c; c++)
        sum += (unsigned char)*c;
    return (size_t)snprintf(wire, room, "$%s#%02x", packet, sum);
}

static int hex_digit(int c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int gdb_unhex(const char *text, void *buf, size_t room)
{
    size_t len = strlen(text) / 2;
    unsigned char *to = buf;

    if (strlen(text) % 2 || len > room)
        return -1;
    for (size_t i = 0; i < len; i++) {
        int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

        if (high < 0 || low < 0)
            return -1;
        to[i] = (unsigned char)(high << 4 | low);
    }
    return (int)len;
}

/* A packet's data as it comes, unpacked. */
struct unpacking {
    char *reply;
    size_t len;
    bool escaped, repeat, too_long;
};

static void add(struct unpacking *u, char c)
{
    if (u->len < GDB_PACKET_MAX)
        u->reply[u->len++] = c;
    else
        u->too_long = true;
}

static void unpack(struct unpacking *u, int c)
{
    if (u->escaped) {
        add(u, (char)(c ^ ESCAPE_XOR));
        u->escaped = false;
    } else if (u->repeat) {
        for (int n = c - RUN_OFFSET; n > 0 && u->len; n--)
            add(u, u->reply[u->len - 1]);
        u->repeat = false;
    } else if (c == '}') {
        u->escaped = true;
    } else if (c == '*') {
        u->repeat = true;
    } else {
        add(u, (char)c);
    }
}

/* From behind '$' to the checksum: 1; 0: it was wrong; -1 with f. */
static int receive_data(struct gdb_link *link, uint64_t deadline, char *reply, size_t *len,
                        struct failure *f)
{
    struct unpacking u = {.reply = reply};
    unsigned char sum = 0;
    int c, high, low;

    while ((c = next_byte(link, deadline, f)) >= 0 && c != '#') {
        sum += (unsigned char)c;
        unpack(&u, c);
    }
    if (c < 0 || (high = next_byte(link, deadline, f)) < 0 ||
        (low = next_byte(link, deadline, f)) < 0)
        return -1;
    if (u.too_long)
        return drop(link, f, "sends a packet without an end: it is none of QEMU's");
    reply[u.len] = '\0';
    *len = u.len;
    return hex_digit(high) == sum >> 4 && hex_digit(low) == (sum & 15);
}

/*
 * The next packet: 0. resend: what is sent again when the other side asks for
 * it with '-'.
 */
static int receive(struct gdb_link *link, const char *resend, size_t resend_len, char *reply,
                   size_t *len, struct failure *f)
{
    uint64_t deadline = now_ms() + GDB_DEADLINE_MS;
    int nacks = 0, broken = 0, c;
    size_t noise = 0;

    while ((c = next_byte(link, deadline, f)) >= 0) {
        if (c == '-') {
            if (++nacks > GDB_TRIES)
                return drop(link, f, "refuses what it is sent");
            if (send_bytes(link, resend, resend_len, f))
                return -1;
        } else if (c == '$') {
            int whole = receive_data(link, deadline, reply, len, f);

            if (whole < 0 || send_bytes(link, whole ? "+" : "-", 1, f))
                return -1;
            if (whole)
                return 0;
            if (++broken > GDB_TRIES)
                return drop(link, f, "sends packets with wrong checksums");
        } else if (c != '+' && ++noise > NOISE_MAX) {
            return drop(link, f, "sends what is no packet: it is no gdb stub");
        }
    }
    return -1;
}

/* What a stub says unasked is that the machine has stopped: passed over. */
static int receive_answer(struct gdb_link *link, const char *resend, size_t resend_len, char *reply,
                          size_t *len, struct failure *f)
{
    do {
        if (receive(link, resend, resend_len, reply, len, f))
            return -1;
    } while (reply[0] == 'T' || reply[0] == 'S');
    return 0;
}

int gdb_ask(struct gdb_link *link, const char *packet, char *reply, size_t *len, struct failure *f)
{
    char wire[256];
    size_t size = gdb_frame(packet, wire, sizeof(wire));

    if (send_bytes(link, wire, size, f))
        return -1;
    return receive_answer(link, wire, size, reply, len, f);
}

int gdb_more(struct gdb_link *link, char *reply, size_t *len, struct failure *f)
{
    return receive_answer(link, "", 0, reply, len, f);
}
