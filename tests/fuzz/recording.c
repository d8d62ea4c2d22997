/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings and snapshots: frames with any contents, their checksums made right first. */
#include "source/recording.h"
#include "fuzz.h"
#include "source/crc.h"

#include <stdlib.h>
#include <string.h>

/* Else all that a changed frame would be is a broken one. The first byte: not of so many. */
static void mend(uint8_t *data, size_t size, unsigned int skip)
{
    size_t at = sizeof(struct recording_header);
    struct frame_head head;

    while (at + sizeof(head) <= size) {
        memcpy(&head, data + at, sizeof(head));
        if (head.length > size - at - sizeof(head))
            return;
        head.magic = FRAME_MAGIC;
        head.crc = 0;
        head.crc = crc32_add(0, &head, sizeof(head));
        head.crc = crc32_add(head.crc, data + at + sizeof(head), head.length);
        if (skip == 0 || --skip)
            memcpy(data + at, &head, sizeof(head));
        at += sizeof(head) + head.length;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = {data, size};
    unsigned int skip = fuzz_number(&in, 1);
    struct recording_header head = {0};
    struct source_piece piece;
    struct source *src;
    struct failure f;
    uint8_t *copy, buf[64];
    size_t len = in.left;

    copy = malloc(len + 1);
    fuzz_take(&in, copy, len);
    if (len >= sizeof(head)) {
        memcpy(&head, copy, sizeof(head));
        head.magic = RECORDING_MAGIC;
        memcpy(copy, &head, sizeof(head.magic));
    }
    mend(copy, len, skip);
    src = recording_open(fuzz_file(copy, len), &f);
    free(copy);
    if (!src)
        return 0;
    for (unsigned int n = recording_frames(src); n--;) {
        if (recording_seek(src, n) == 0)
            recording_frame(src, n);
        if (n % 3 == 0)
            recording_seek(src, recording_frames(src) / 2);
    }
    for (unsigned int n = 0; n < 16 && source_piece(src, n, &piece) == 0; n++)
        source_read_phys(src, piece.base, buf, sizeof(buf));
    source_read_phys(src, UINT64_C(0x40000000), buf, sizeof(buf));
    source_close(src);
    return 0;
}
