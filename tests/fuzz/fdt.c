/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The device tree that the image is given. */
#include "core/fdt.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define MANY 8

static void numbers(const uint8_t *fdt)
{
    uint64_t base, size;

    for (unsigned int n = 0; n < MANY; n++) {
        fdt_reg(fdt, "memory", n, &base, &size);
        fdt_reserved(fdt, n, &base, &size);
        fdt_cpu(fdt, n, &base);
        fdt_find_reg(fdt, "arm,gic-v3", n, &base, &size);
    }
    fdt_find_uart(fdt, &base);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    /* Where the image has it: 8-aligned, and as long as it says. */
    uint8_t *fdt = aligned_alloc(8, (size + 15) & ~(size_t)7);
    struct fdt_node node;
    const char *text;
    uint32_t length;

    if (size)
        memcpy(fdt, data, size);
    if (size >= 40 && fdt_check(fdt, size) != 0) {
        unsigned int nodes = 0;

        for (bool more = fdt_root(fdt, &node); more && nodes++ < 4096; more = fdt_next(fdt, &node))
            if (fdt_name(fdt, node))
                fdt_property(fdt, node, "reg", &length);
        numbers(fdt);
        text = fdt_string(fdt, "/chosen", "bootargs");
        if (text && strlen(text) > size)
            abort();
    }
    free(fdt);
    return 0;
}
