/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory kept in a file: one frame (a snapshot) or many (a recording).
 *
 * File: a header, then frames. A frame has a head (time, what QEMU said, length
 * and checksum) and pieces of memory: PA, length, bytes. A key frame holds all
 * that was captured, the others only what differs from the frame before. A
 * writer that is killed leaves at worst one broken frame at the end, which a
 * reader drops.
 */
#ifndef VIEWER_SOURCE_RECORDING_H
#define VIEWER_SOURCE_RECORDING_H

#include "source/failure.h"
#include "source/source.h"

#include <stdbool.h>
#include <stdio.h>

#define RECORDING_MAGIC     UINT64_C(0x3143455250435648) /* "HVCPREC1" */
#define RECORDING_VERSION   1
#define FRAME_MAGIC         0x4d415246u /* "FRAM" */
#define FRAME_BYTES_MAX     (64u << 20)
#define RECORDING_KEY_EVERY 64 /* whole frames, at most, that a seek has to apply */

struct recording_header {
    uint64_t magic;
    uint32_t version;
    uint32_t size;    /* of this header */
    uint64_t base;    /* start of RAM, for finding the image */
    uint64_t boot_id; /* of the first frame */
    uint8_t build_id[24];
    uint64_t reserved;
};

struct frame_head {
    uint32_t magic;
    uint32_t crc; /* of the head with this field 0, and the pieces */
    uint32_t length;
    uint8_t key;
    uint8_t status; /* enum qmp_status */
    uint16_t reserved;
    uint64_t time; /* CLOCK_MONOTONIC, ns */
    char word[24]; /* QEMU's own */
};

struct piece_head {
    uint64_t pa;
    uint32_t length; /* a multiple of 8 */
    uint32_t reserved;
};

_Static_assert(sizeof(struct recording_header) == 64, "a file format");
_Static_assert(sizeof(struct frame_head) == 48, "a file format");
_Static_assert(sizeof(struct piece_head) == 16, "a file format");

#define PAGE_BYTES 4096u

/* Pages of memory, ascending by address. */
struct page {
    uint64_t pa;
    uint64_t word[PAGE_BYTES / 8];
};

struct page_set {
    unsigned int nr, room;
    struct page *page;
};

/* The page at pa; NULL if it is not in the set. */
struct page *page_find(const struct page_set *set, uint64_t pa);

/* The same, added (zeroed) if it is not there; NULL if out of memory. */
struct page *page_add(struct page_set *set, uint64_t pa);
void page_set_free(struct page_set *set);

struct recorder {
    int fd;
    char *path;
    uint64_t bytes, max_bytes;
    unsigned int since_key; /* frames since the last key frame, it included; 0: none yet */
    struct page_set last;   /* as of the last frame */
};

/* Begin a file (an existing one is replaced); max_bytes 0: no limit. 0, or -1 with f. */
int recorder_open(struct recorder *r, const char *path, uint64_t max_bytes,
                  const struct recording_header *header, struct failure *f);

/*
 * Add a frame. whole: now is all that there is, not only what may have changed;
 * the first one is. 0; 1 if the file would become larger than it may (nothing
 * is written then); -1 with f.
 */
int recorder_add(struct recorder *r, const struct page_set *now, bool whole,
                 const struct frame_head *about, struct failure *f);
int recorder_close(struct recorder *r, struct failure *f);

/* A recording as a source: the memory of one of its frames. NULL and f on failure. */
struct source *recording_open(const char *path, struct failure *f);
unsigned int recording_frames(const struct source *src);

/* Go to frame n (below recording_frames()); what is known of it. 0, or -EIO. */
int recording_seek(struct source *src, unsigned int n);

/* Frames that were applied since it was opened: a seek takes at most RECORDING_KEY_EVERY. */
unsigned int recording_applied(const struct source *src);

const struct frame_head *recording_frame(const struct source *src, unsigned int n);

/* Is this source a recording? */
bool source_is_recording(const struct source *src);

#endif /* VIEWER_SOURCE_RECORDING_H */
