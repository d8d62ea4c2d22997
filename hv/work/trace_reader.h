/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A recorded trace of maps and unmaps, format XMCT (tests/bench/traces/
 * FORMAT.md), read a record at a time. Nothing in it is trusted.
 */
#ifndef HV_WORK_TRACE_READER_H
#define HV_WORK_TRACE_READER_H

#include <stdbool.h>
#include <stdint.h>

#define XMCT_CALLERS 127

/* What the header says. */
struct xmct {
    const uint8_t *data;
    uint64_t size;
    uint32_t nr_streams;
    uint64_t base;  /* first frame of the recorded machine's RAM */
    uint64_t first; /* offset of the first stream's header */
};

/* One stream, and where its reader is. */
struct xmct_stream {
    const uint8_t *at;
    const uint8_t *start;
    const uint8_t *end;
    uint64_t base;
    uint64_t last[XMCT_CALLERS]; /* frame that each caller mapped last */
};

struct xmct_record {
    bool map;
    uint64_t mfn;   /* of a map */
    uint64_t depth; /* of an unmap: 0 is the youngest live map */
};

/* False: this is no XMCT trace of version 1, or it ends too early. */
bool xmct_open(struct xmct *trace, const void *data, uint64_t size);

/* The n-th CPU's stream. False: there is none, or it is cut off. */
bool xmct_stream(const struct xmct *trace, uint32_t n, struct xmct_stream *stream);

/* Begin it again. */
void xmct_rewind(struct xmct_stream *stream);

enum xmct_next {
    XMCT_RECORD,
    XMCT_END,
    XMCT_BROKEN,
};

/* The next map or unmap. */
enum xmct_next xmct_next(struct xmct_stream *stream, struct xmct_record *record);

#endif /* HV_WORK_TRACE_READER_H */
