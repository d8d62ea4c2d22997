/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/crc.h"

#define POLYNOMIAL 0xedb88320u /* 0x04c11db7 with its bits reversed */

static uint32_t table[256];

static void fill_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;

        for (int bit = 0; bit < 8; bit++)
            c = c & 1 ? c >> 1 ^ POLYNOMIAL : c >> 1;
        table[i] = c;
    }
}

uint32_t crc32_add(uint32_t crc, const void *data, size_t len)
{
    const unsigned char *p = data;

    if (!table[1])
        fill_table();
    crc = ~crc;
    for (size_t i = 0; i < len; i++)
        crc = table[(crc ^ p[i]) & 0xff] ^ crc >> 8;
    return ~crc;
}
