/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of a gdb stub, and its description of registers. */
#include "fuzz.h"
#include "source/gdb_packet.h"
#include "source/gdb_registers.h"

#include <stdlib.h>
#include <string.h>

static void packets(const uint8_t *data, size_t size)
{
    static char reply[GDB_PACKET_MAX + 1];
    struct fuzz_socket s = fuzz_socket(data, size);
    struct gdb_link link = {.fd = s.fd, .name = "fuzz"};
    uint8_t bytes[64];
    struct failure f;
    size_t len;

    for (unsigned int i = 0; i < 4 && link.fd >= 0; i++) {
        if (gdb_ask(&link, "m40000000,40", reply, &len, &f) == 0)
            gdb_unhex(reply, bytes, sizeof(bytes));
        if (link.fd >= 0)
            gdb_more(&link, reply, &len, &f);
    }
    s.fd = link.fd;
    fuzz_socket_close(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = {data, size < 60000 ? size : 60000};
    struct gdb_registers registers = {0};
    const char *at;
    char *text, name[40], wire[128];

    packets(data, in.left);
    text = fuzz_string(&in);
    gdb_registers_add(&registers, text);
    gdb_registers_find(&registers, "TCR_EL2");
    gdb_registers_free(&registers);
    at = text;
    while (gdb_next_include(&at, name, sizeof(name)) > 0)
        ;
    if (strlen(text) + 5 <= sizeof(wire))
        gdb_frame(text, wire, sizeof(wire));
    free(text);
    return 0;
}
