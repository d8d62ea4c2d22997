/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a QMP socket and the monitor say: replies in any pieces, trees of memory, registers. */
#include "source/qmp.h"
#include "fuzz.h"
#include "source/mtree.h"
#include "source/qmp_ask.h"

#include <stdlib.h>

static void query(const uint8_t *data, size_t size)
{
    struct fuzz_socket s = fuzz_socket(data, size);
    static struct qmp qmp;
    enum qmp_result result = QMP_PENDING;

    qmp_init(&qmp);
    qmp.fd = s.fd;
    qmp.phase = QMP_WANT_GREETING;
    qmp.deadline = 1000;
    for (uint64_t now = 0; result == QMP_PENDING; now += 5)
        result = qmp_step(&qmp, now);
    qmp_close(&qmp);
    s.fd = -1;
    fuzz_socket_close(&s);
}

static void talk(const uint8_t *data, size_t size)
{
    struct fuzz_socket s = fuzz_socket(data, size);
    struct qmp_talk talk = {.fd = s.fd, .room = 64, .buf = malloc(64)};
    struct failure f;

    for (unsigned int i = 0; i < 3; i++) {
        json_t *answer = qmp_talk_ask(&talk, "query-status", NULL, &f);

        json_decref(answer);
        if (!answer)
            break;
    }
    qmp_talk_close(&talk);
    s.fd = -1;
    fuzz_socket_close(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = {data, size < 60000 ? size : 60000};
    struct mtree_range range[8];
    struct places places;
    struct place_scan scan;
    size_t cut = size ? data[0] % size : 0;
    char *text;

    query(data, in.left);
    talk(data, in.left);
    place_scan_begin(&scan, &places);
    place_scan_add(&scan, (const char *)data, cut);
    place_scan_add(&scan, (const char *)data + cut, size - cut);
    text = fuzz_string(&in);
    mtree_ram(text, range, 8);
    free(text);
    return 0;
}
