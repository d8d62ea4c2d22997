/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/crc.h"
#include "source/recording.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WORDS (PAGE_BYTES / 8)
#define GAP   2 /* words that are the same between two that differ: cheaper than a new piece */

struct buffer {
    char *data;
    size_t len, room;
};

static int append(struct buffer *b, const void *data, size_t len)
{
    if (b->len + len > b->room) {
        size_t room = (b->len + len) * 2;
        char *grown = realloc(b->data, room);

        if (!grown)
            return -1;
        b->data = grown;
        b->room = room;
    }
    memcpy(b->data + b->len, data, len);
    b->len += len;
    return 0;
}

static int append_piece(struct buffer *b, const struct page *page, unsigned int first,
                        unsigned int words)
{
    struct piece_head head = {.pa = page->pa + first * UINT64_C(8), .length = words * 8u};

    return append(b, &head, sizeof(head)) || append(b, &page->word[first], (size_t)words * 8) ? -1
                                                                                              : 0;
}

/* The next word from at on that differs; WORDS if none does. */
static unsigned int next_difference(const struct page *was, const struct page *now, unsigned int at)
{
    while (at < WORDS && was->word[at] == now->word[at])
        at++;
    return at;
}

static int append_changes(struct buffer *b, const struct page *was, const struct page *now)
{
    unsigned int first = next_difference(was, now, 0), end, next;

    while (first < WORDS) {
        end = first + 1;
        while ((next = next_difference(was, now, end)) < WORDS && next - end <= GAP)
            end = next + 1;
        if (append_piece(b, now, first, end - first))
            return -1;
        first = next;
    }
    return 0;
}

static int append_pages(struct buffer *b, const struct page_set *last, const struct page_set *now,
                        bool key)
{
    for (unsigned int i = 0; i < now->nr; i++) {
        const struct page *was = key ? NULL : page_find(last, now->page[i].pa);
        int ret =
            was ? append_changes(b, was, &now->page[i]) : append_piece(b, &now->page[i], 0, WORDS);

        if (ret)
            return -1;
    }
    return 0;
}

/* One write a frame; a disk that is full leaves part of one, which is cut off again. */
static int write_frame(struct recorder *r, const struct buffer *b, struct failure *f)
{
    ssize_t n = write(r->fd, b->data, b->len);

    if (n == (ssize_t)b->len) {
        r->bytes += b->len;
        return 0;
    }
    failure_set(f, EXIT_USAGE, "cannot write to %s: %s", r->path, strerror(n < 0 ? errno : ENOSPC));
    if (ftruncate(r->fd, (off_t)r->bytes) != 0)
        return -1;
    return -1;
}

static int keep(struct recorder *r, const struct page_set *now)
{
    for (unsigned int i = 0; i < now->nr; i++) {
        struct page *page = page_add(&r->last, now->page[i].pa);

        if (!page)
            return -1;
        *page = now->page[i];
    }
    return 0;
}

static void seal(struct buffer *b)
{
    struct frame_head *head = (struct frame_head *)b->data;

    head->length = b->len - sizeof(*head);
    head->crc = 0;
    head->crc = crc32_add(0, b->data, b->len);
}

int recorder_add(struct recorder *r, const struct page_set *now, bool whole,
                 const struct frame_head *about, struct failure *f)
{
    struct buffer b = {0};
    struct frame_head head = *about;
    int ret;

    head.magic = FRAME_MAGIC;
    head.key = whole && r->since_key % RECORDING_KEY_EVERY == 0;
    if (append(&b, &head, sizeof(head)) || append_pages(&b, &r->last, now, head.key) ||
        keep(r, now)) {
        free(b.data);
        return failure_set(f, EXIT_NO_TARGET, "out of memory");
    }
    seal(&b);
    if (r->max_bytes && r->bytes + b.len > r->max_bytes)
        ret = 1;
    else
        ret = write_frame(r, &b, f);
    if (ret == 0)
        r->since_key = head.key ? 1 : r->since_key + (r->since_key < RECORDING_KEY_EVERY);
    free(b.data);
    return ret;
}

int recorder_open(struct recorder *r, const char *path, uint64_t max_bytes,
                  const struct recording_header *header, struct failure *f)
{
    struct recording_header h = *header;

    *r = (struct recorder){.max_bytes = max_bytes, .path = strdup(path)};
    h.magic = RECORDING_MAGIC;
    h.version = RECORDING_VERSION;
    h.size = sizeof(h);
    r->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (r->fd < 0 || !r->path || write(r->fd, &h, sizeof(h)) != (ssize_t)sizeof(h)) {
        failure_set(f, EXIT_USAGE, "cannot write to %s: %s", path, strerror(errno));
        if (r->fd >= 0)
            close(r->fd);
        free(r->path);
        return -1;
    }
    r->bytes = sizeof(h);
    return 0;
}

int recorder_close(struct recorder *r, struct failure *f)
{
    int ret = close(r->fd);

    if (ret)
        failure_set(f, EXIT_USAGE, "cannot write to %s: %s", r->path, strerror(errno));
    page_set_free(&r->last);
    free(r->path);
    return ret;
}
