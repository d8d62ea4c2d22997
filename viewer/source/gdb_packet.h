/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of GDB's remote protocol, with acknowledgements (QEMU knows no other
 * way): "$data#checksum". GDB manual, appendix E "GDB Remote Serial Protocol".
 */
#ifndef VIEWER_SOURCE_GDB_PACKET_H
#define VIEWER_SOURCE_GDB_PACKET_H

#include "source/failure.h"

#include <stdbool.h>
#include <stddef.h>

#define GDB_PACKET_MAX  16384 /* of an answer, after it is unpacked */
#define GDB_DEADLINE_MS 3000  /* for one answer, however it trickles in */
#define GDB_TRIES       3     /* a packet is sent, an answer asked for again */

struct gdb_link {
    int fd; /* -1: closed, or it was dropped */
    const char *name;
    size_t at, len;
    char in[4096];
};

/*
 * Send a packet and wait for the answer, NUL-terminated, in reply (room for
 * GDB_PACKET_MAX + 1); its length in *len. Stop replies that come in between
 * are passed over. 0, or -1 with f (EXIT_NO_TARGET): the link is then closed.
 */
int gdb_ask(struct gdb_link *link, const char *packet, char *reply, size_t *len, struct failure *f);

/* The next answer to what was asked, as output of qRcmd is several. As gdb_ask(). */
int gdb_more(struct gdb_link *link, char *reply, size_t *len, struct failure *f);

/* The bytes of a packet on the wire; their number. room: at least strlen(packet) + 5. */
size_t gdb_frame(const char *packet, char *wire, size_t room);

/* "4a5b" to bytes; how many, or -1 if it is not hexadecimal, or longer than room. */
int gdb_unhex(const char *text, void *buf, size_t room);

#endif /* VIEWER_SOURCE_GDB_PACKET_H */
