/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The patch's algorithm, once more and in the plainest way, on the host:
 *   model FILE [STREAM]
 * plays a stream of a trace on an empty table and prints what must come out of
 * engines "xen" and "bbm" (both choose the same slots), as the image prints it.
 */
#include "work/trace_reader.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SLOTS      1024
#define COUNT_MAX  15
#define FRAME_SIZE 512
#define LIVE_MAX   4096

static struct {
    uint64_t frame;
    unsigned int count;
    int valid;
} slot[SLOTS];

static unsigned int live[LIVE_MAX];
static unsigned int nr_live, live_max;
static uint64_t records, maps, hits, overwrites, probes, probe_max;
static uint64_t hash = 0xcbf29ce484222325;

static void fail(const char *why)
{
    fprintf(stderr, "model: record %" PRIu64 ": %s\n", records, why);
    exit(1);
}

static void play_map(uint64_t mfn)
{
    uint64_t frame = mfn / FRAME_SIZE;
    unsigned int n = 0, at = frame % SLOTS;

    while (slot[at].count && (slot[at].frame != frame || slot[at].count == COUNT_MAX)) {
        at = (at + 1) % SLOTS;
        if (++n == SLOTS)
            fail("the table is full");
    }
    if (slot[at].valid && slot[at].frame == frame)
        hits++;
    else
        overwrites += slot[at].valid;
    slot[at].valid = 1;
    slot[at].frame = frame;
    slot[at].count++;
    maps++;
    probes += n;
    if (n > probe_max)
        probe_max = n;
    if (nr_live == LIVE_MAX)
        fail("too many maps at a time");
    live[nr_live++] = at;
    if (nr_live > live_max)
        live_max = nr_live;
}

static void play_unmap(uint64_t depth)
{
    if (depth >= nr_live)
        fail("an unmap of nothing");
    slot[live[nr_live - 1 - depth]].count--;
    for (uint64_t i = nr_live - 1 - depth; i + 1 < nr_live; i++)
        live[i] = live[i + 1];
    nr_live--;
}

static void play(struct xmct_stream *stream)
{
    struct xmct_record r;
    enum xmct_next next;

    while ((next = xmct_next(stream, &r)) == XMCT_RECORD) {
        hash = (hash ^ (r.map ? r.mfn << 1 | 1 : r.depth << 1)) * 0x100000001b3;
        records++;
        if (r.map)
            play_map(r.mfn);
        else
            play_unmap(r.depth);
    }
    if (next == XMCT_BROKEN || nr_live)
        fail("the trace is broken or ends with live maps");
}

/* The whole file; its size in *size. */
static void *file_read(const char *path, long *size)
{
    FILE *f = fopen(path, "rb");
    void *data;

    if (!f || fseek(f, 0, SEEK_END) || (*size = ftell(f)) < 0 || fseek(f, 0, SEEK_SET))
        return NULL;
    data = malloc((size_t)*size);
    if (data && fread(data, 1, (size_t)*size, f) != (size_t)*size)
        return NULL;
    fclose(f);
    return data;
}

int main(int argc, char **argv)
{
    long size = 0;
    void *data = argc > 1 ? file_read(argv[1], &size) : NULL;
    struct xmct_stream stream;
    struct xmct trace;

    if (!data || !xmct_open(&trace, data, (uint64_t)size) ||
        !xmct_stream(&trace, argc > 2 ? (uint32_t)atoi(argv[2]) : 0, &stream)) {
        fprintf(stderr, "model: write model FILE [STREAM], FILE a trace (FORMAT.md)\n");
        return 2;
    }
    play(&stream);
    printf("bench: trace records=%" PRIu64 " hash=0x%016" PRIx64 " live=%u\n", records, hash,
           live_max);
    printf("bench: engine maps=%" PRIu64 " hits=%" PRIu64 " commandeers=%" PRIu64 " probes=%" PRIu64
           " probe_max=%" PRIu64 "\n",
           maps, hits, overwrites, probes, probe_max);
    return 0;
}
