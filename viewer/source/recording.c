/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/recording.h"

#include "source/crc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PA_BITS_MAX 52
#define PAGES_MAX   (1u << 16) /* 256 MiB of memory: more is not believed */

struct indexed_frame {
    struct frame_head head;
    size_t offset; /* of its pieces in the file */
};

struct source_recording {
    struct source src;
    const char *map; /* the whole file, private */
    size_t size;
    struct recording_header header;
    unsigned int nr;
    struct indexed_frame *frame;
    unsigned int applied;
    unsigned int at; /* frame that pages hold; nr: none yet */
    struct page_set pages;
};

static int recording_read(const struct source *src, uint64_t pa, void *buf, size_t len)
{
    const struct source_recording *r = (const struct source_recording *)src;
    char *to = buf;

    while (len) {
        uint64_t start = pa & ~(uint64_t)(PAGE_BYTES - 1);
        size_t in = pa - start, n = PAGE_BYTES - in < len ? PAGE_BYTES - in : len;
        const struct page *page = page_find(&r->pages, start);

        if (!page)
            return -EFAULT;
        memcpy(to, (const char *)page->word + in, n);
        to += n;
        pa += n;
        len -= n;
    }
    return 0;
}

static enum source_health recording_health(struct source *src)
{
    (void)src;
    return SOURCE_OK;
}

/* Which pages of it are there, only a read tells. */
static int recording_piece(const struct source *src, unsigned int n, struct source_piece *piece)
{
    uint64_t base = ((const struct source_recording *)src)->header.base;

    if (n > 0 || base >> PA_BITS_MAX)
        return -ENOENT;
    *piece = (struct source_piece){base, (UINT64_C(1) << PA_BITS_MAX) - base};
    return 0;
}

static void recording_close(struct source *src)
{
    struct source_recording *r = (struct source_recording *)src;

    if (r->map)
        munmap((void *)(uintptr_t)r->map, r->size);
    free(r->frame);
    page_set_free(&r->pages);
    free(r);
}

static const struct source_ops recording_ops = {
    .name = "recording",
    .read = recording_read,
    .health = recording_health,
    .piece = recording_piece,
    .close = recording_close,
};

bool source_is_recording(const struct source *src)
{
    return src && src->ops == &recording_ops;
}

unsigned int recording_frames(const struct source *src)
{
    return ((const struct source_recording *)src)->nr;
}

unsigned int recording_applied(const struct source *src)
{
    return ((const struct source_recording *)src)->applied;
}

const struct frame_head *recording_frame(const struct source *src, unsigned int n)
{
    return &((const struct source_recording *)src)->frame[n].head;
}

/* Pieces never reach behind their page. */
static int apply_piece(struct source_recording *r, const struct piece_head *p, const char *data)
{
    uint64_t start = p->pa & ~(uint64_t)(PAGE_BYTES - 1);
    struct page *page;

    if (p->pa % 8 || p->length % 8 || p->pa - start + p->length > PAGE_BYTES ||
        r->pages.nr >= PAGES_MAX)
        return -EIO;
    page = page_add(&r->pages, start);
    if (!page)
        return -EIO;
    memcpy((char *)page->word + (p->pa - start), data, p->length);
    return 0;
}

static int apply_frame(struct source_recording *r, unsigned int n)
{
    const struct indexed_frame *frame = &r->frame[n];
    size_t at = frame->offset, end = at + frame->head.length;
    struct piece_head piece;

    r->applied++;
    if (frame->head.key)
        r->pages.nr = 0;
    while (at < end) {
        if (end - at < sizeof(piece))
            return -EIO;
        memcpy(&piece, r->map + at, sizeof(piece));
        at += sizeof(piece);
        if (piece.length > end - at || apply_piece(r, &piece, r->map + at))
            return -EIO;
        at += piece.length;
    }
    return 0;
}

int recording_seek(struct source *src, unsigned int n)
{
    struct source_recording *r = (struct source_recording *)src;
    unsigned int first = n;

    while (!r->frame[first].head.key)
        first--;
    if (r->at < r->nr && r->at >= first && r->at <= n)
        first = r->at + 1;
    r->at = r->nr;
    for (unsigned int i = first; i <= n; i++) {
        if (apply_frame(r, i))
            return -EIO;
    }
    r->at = n;
    return 0;
}

static bool frame_whole(const struct source_recording *r, size_t at, struct frame_head *head)
{
    struct frame_head bare;
    uint32_t crc;

    if (r->size - at < sizeof(*head))
        return false;
    memcpy(head, r->map + at, sizeof(*head));
    if (head->magic != FRAME_MAGIC || head->length > FRAME_BYTES_MAX ||
        head->length > r->size - at - sizeof(*head))
        return false;
    bare = *head;
    bare.crc = 0;
    crc = crc32_add(0, &bare, sizeof(bare));
    crc = crc32_add(crc, r->map + at + sizeof(*head), head->length);
    head->word[sizeof(head->word) - 1] = '\0';
    return crc == head->crc && (r->nr > 0 || head->key);
}

/* Every frame up to the first that is not whole. */
static int index_frames(struct source_recording *r)
{
    size_t at = r->header.size;
    unsigned int room = 0;
    struct frame_head head;

    while (at < r->size && frame_whole(r, at, &head)) {
        if (r->nr == room) {
            struct indexed_frame *grown;

            room = room ? room * 2 : 64;
            grown = realloc(r->frame, room * sizeof(*grown));
            if (!grown)
                return -1;
            r->frame = grown;
        }
        r->frame[r->nr++] = (struct indexed_frame){head, at + sizeof(head)};
        at += sizeof(head) + head.length;
    }
    return 0;
}

static int load_file(struct source_recording *r, const char *path, struct failure *f)
{
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    void *map = MAP_FAILED;

    if (fd < 0)
        return failure_set(f, EXIT_NO_TARGET, "cannot open the recording %s: %s", path,
                           strerror(errno));
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= (off_t)sizeof(r->header)) {
        r->size = st.st_size;
        map = mmap(NULL, r->size, PROT_READ, MAP_PRIVATE, fd, 0);
    }
    close(fd);
    if (map == MAP_FAILED)
        return failure_set(f, EXIT_NOT_UNDERSTOOD, "%s is no recording of hvscope", path);
    r->map = map;
    memcpy(&r->header, r->map, sizeof(r->header));
    if (r->header.magic != RECORDING_MAGIC)
        return failure_set(f, EXIT_NOT_UNDERSTOOD, "%s is no recording of hvscope", path);
    if (r->header.version != RECORDING_VERSION || r->header.size < sizeof(r->header))
        return failure_set(f, EXIT_NOT_UNDERSTOOD,
                           "the recording %s has version %u, this hvscope knows %u", path,
                           r->header.version, RECORDING_VERSION);
    return 0;
}

struct source *recording_open(const char *path, struct failure *f)
{
    struct source_recording *r = calloc(1, sizeof(*r));
    int ret;

    if (!r) {
        failure_set(f, EXIT_NO_TARGET, "out of memory");
        return NULL;
    }
    r->src.ops = &recording_ops;
    source_arm_guard();
    ret = load_file(r, path, f);
    if (ret == 0 && index_frames(r))
        ret = failure_set(f, EXIT_NO_TARGET, "out of memory");
    r->at = r->nr;
    if (ret == 0 && (r->nr == 0 || recording_seek(&r->src, 0)))
        ret = failure_set(f, EXIT_NOT_UNDERSTOOD, "the recording %s holds no whole frame", path);
    if (ret) {
        recording_close(&r->src);
        return NULL;
    }
    return &r->src;
}
