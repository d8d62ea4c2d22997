/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "work/trace_reader.h"
#include <stddef.h>

#define HEADER_BYTES  64
#define STREAM_HEADER 16
#define HEAD_TIME     0xff
#define HEAD_UNMAP    0x80

static uint64_t little(const uint8_t *p, unsigned int bytes)
{
    uint64_t value = 0;

    while (bytes--)
        value = value << 8 | p[bytes];
    return value;
}

/* Behind n names: a length byte, the name, and `more` bytes. 0: cut off. */
static uint64_t names_skip(const struct xmct *t, uint64_t at, uint64_t n, uint64_t more)
{
    for (; n; n--) {
        if (at >= t->size)
            return 0;
        at += 1 + t->data[at] + more;
    }
    return at <= t->size ? at : 0;
}

bool xmct_open(struct xmct *trace, const void *data, uint64_t size)
{
    const uint8_t *p = data;
    uint64_t callers, phases, at;

    *trace = (struct xmct){.data = p, .size = size};
    if (size < HEADER_BYTES || little(p, 4) != 0x54434d58 || little(p + 4, 2) != 1 ||
        little(p + 6, 2) != HEADER_BYTES)
        return false;
    trace->nr_streams = (uint32_t)little(p + 8, 4);
    trace->base = little(p + 56, 8);
    callers = little(p + 40, 4);
    phases = little(p + 44, 4);
    at = callers <= XMCT_CALLERS ? names_skip(trace, HEADER_BYTES, callers, 0) : 0;
    trace->first = at ? names_skip(trace, at, phases, 4 + UINT64_C(8) * trace->nr_streams) : 0;
    return trace->first && trace->nr_streams;
}

bool xmct_stream(const struct xmct *trace, uint32_t n, struct xmct_stream *stream)
{
    uint64_t at = trace->first, bytes;

    if (n >= trace->nr_streams)
        return false;
    for (;; n--) {
        if (trace->size - at < STREAM_HEADER)
            return false;
        bytes = little(trace->data + at + 8, 8);
        at += STREAM_HEADER;
        if (bytes > trace->size - at)
            return false;
        if (!n)
            break;
        at += bytes;
    }
    stream->start = trace->data + at;
    stream->end = stream->start + bytes;
    stream->base = trace->base;
    xmct_rewind(stream);
    return true;
}

void xmct_rewind(struct xmct_stream *stream)
{
    stream->at = stream->start;
    for (unsigned int i = 0; i < XMCT_CALLERS; i++)
        stream->last[i] = stream->base;
}

/* LEB128, at most 64 bits. */
static bool varint(struct xmct_stream *s, uint64_t *value)
{
    *value = 0;
    for (unsigned int shift = 0; s->at < s->end && shift < 64; shift += 7) {
        uint8_t byte = *s->at++;

        *value |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80))
            return true;
    }
    return false;
}

static uint64_t unzigzag(uint64_t v)
{
    return v >> 1 ^ (0 - (v & 1));
}

enum xmct_next xmct_next(struct xmct_stream *stream, struct xmct_record *record)
{
    uint64_t value;
    uint8_t head;

    do {
        if (stream->at == stream->end)
            return XMCT_END;
        head = *stream->at++;
        if (!varint(stream, &value))
            return XMCT_BROKEN;
    } while (head == HEAD_TIME);
    if ((head & ~HEAD_UNMAP & 0xff) >= XMCT_CALLERS)
        return XMCT_BROKEN;
    record->map = !(head & HEAD_UNMAP);
    record->depth = value;
    if (record->map)
        record->mfn = stream->last[head] += unzigzag(value);
    return XMCT_RECORD;
}
