/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions, as the tracer decodes them: any word, in all three sets. */
#include "tracer/decode.h"
#include "fuzz.h"

#include <stdlib.h>

static void check(struct decoded d)
{
    if (d.code > 15 || d.rt > 31 || d.rt2 > 31 || d.condition > 15)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = {data, size};

    while (in.left) {
        uint32_t word = (uint32_t)fuzz_number(&in, 4);

        check(decode_a64(word));
        check(decode_a32(word));
        check(decode_t32(word, 4));
        check(decode_t32(word & 0xffff, 2));
        check(decode_dsb(word & 15));
    }
    return 0;
}
