/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/mtree.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_CHARS 256

/* "  0000000040000000-000000013fffffff (prio 0, ram): ram" */
static bool parse_line(const char *line, struct mtree_range *range)
{
    unsigned long long start, end;

    /* QEMU writes 16 digits: what is more is nobody's address. NOLINTNEXTLINE(cert-err34-c) */
    if (sscanf(line, " %llx-%llx (prio %*d, ram): %63s", &start, &end, range->name) != 3 ||
        end < start)
        return false;
    range->base = start;
    range->size = end - start + 1;
    return true;
}

/* A view begins with "FlatView #0"; then come the address spaces that share it. */
unsigned int mtree_ram(const char *text, struct mtree_range *range, unsigned int max)
{
    bool system = false;
    unsigned int nr = 0;

    while (*text && nr < max) {
        size_t len = strcspn(text, "\r\n");
        char line[LINE_MAX_CHARS];

        snprintf(line, sizeof(line), "%.*s", (int)len, text);
        if (strncmp(line, "FlatView", 8) == 0)
            system = false;
        else if (strstr(line, "AS \"memory\""))
            system = true;
        else if (system && parse_line(line, &range[nr]))
            nr++;
        text += len + (text[len] != '\0');
    }
    return nr;
}
