/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CRC-32 (IEEE 802.3), to find a frame that was not written to its end.
 */
#ifndef VIEWER_SOURCE_CRC_H
#define VIEWER_SOURCE_CRC_H

#include <stddef.h>
#include <stdint.h>

/* Go on with crc (0 at first) over len bytes. */
uint32_t crc32_add(uint32_t crc, const void *data, size_t len);

#endif /* VIEWER_SOURCE_CRC_H */
