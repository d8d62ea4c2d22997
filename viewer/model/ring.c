/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/ring.h"

#include <string.h>

#define RING_ENTRIES_MAX (UINT64_C(1) << 24)
#define SCAN_RECORDS     128

uint64_t ring_margin(const struct machine *m)
{
    return m->beacon.trace_mode == TRACE_API && !m->beacon.check ? 2 : TRACE_GROUP_MAX + 1;
}

static bool ring_ok(const struct machine *m, const struct beacon_cpu *info)
{
    uint64_t n = info->ring_entries;

    return n >= 2 && n <= RING_ENTRIES_MAX && (n & (n - 1)) == 0 && n > ring_margin(m) &&
           info->ring % 8 == 0 &&
           machine_has_memory(m, info->ring, n * sizeof(struct trace_record));
}

static bool read_field(const struct source *src, const struct machine *m, unsigned int cpu,
                       size_t offset, uint64_t *value)
{
    uint64_t pa = m->events.pa + m->events.cpu_offset + cpu * m->events.cpu_stride + offset;
    bool ok = source_read_u64(src, pa, value) == 0;

    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return ok;
}

/* The head as it is now; the one in the snapshot may be older than the records. */
static bool read_head(const struct source *src, const struct machine *m, unsigned int cpu,
                      uint64_t *head)
{
    return read_field(src, m, cpu, offsetof(struct beacon_cpu, ring_head), head);
}

/* Records [first, first + n) of the ring, in two pieces if they go round its end. */
static bool read_records(const struct source *src, const struct beacon_cpu *info, uint64_t first,
                         uint64_t n, struct trace_record *records)
{
    uint64_t at = first % info->ring_entries;
    uint64_t straight = info->ring_entries - at < n ? info->ring_entries - at : n;
    const size_t size = sizeof(*records);

    return source_read_phys(src, info->ring + at * size, records, straight * size) == 0 &&
           (straight == n ||
            source_read_phys(src, info->ring, records + straight, (n - straight) * size) == 0);
}

static uint64_t oldest_whole(uint64_t head, uint64_t entries, uint64_t margin)
{
    return head + margin > entries ? head + margin - entries : 0;
}

/* Where to begin, and what is lost of what came since the cursor's place. */
static uint64_t place_cursor(struct ring_cursor *cursor, uint64_t head, uint64_t oldest,
                             uint64_t *lost)
{
    *lost = 0;
    if (!cursor->begun || cursor->next > head) {
        *cursor = (struct ring_cursor){.next = oldest};
    } else if (cursor->next < oldest) {
        *lost = oldest - cursor->next;
    }
    return cursor->next + *lost;
}

static void skip_old(struct ring_batch *b, uint64_t head)
{
    uint64_t skipped = head - b->first > b->max ? head - b->max - b->first : 0;

    b->first += skipped;
    b->lost += skipped;
}

static void drop_first(struct ring_batch *b, uint64_t n)
{
    memmove(b->record, b->record + n, (b->nr - n) * sizeof(*b->record));
    b->first += n;
    b->nr -= n;
}

/* Records that the producer overwrote while they were copied are lost too. */
static void drop_overtaken(struct ring_batch *b, uint64_t whole)
{
    uint64_t gone = whole > b->first ? whole - b->first : 0;

    if (gone > b->nr)
        gone = b->nr;
    drop_first(b, gone);
    b->lost += gone;
}

/* What does not fit goes to the next batch, a group whole. */
static void keep_groups(struct ring_batch *b)
{
    unsigned int nr = b->nr;

    while (nr && record_kind(&b->record[nr - 1]) == TRACE_DETAIL)
        nr--;
    if (nr && (record_kind(&b->record[nr - 1]) == TRACE_PTE ||
               record_kind(&b->record[nr - 1]) == TRACE_TEXT))
        nr--;
    if (nr)
        b->nr = nr;
}

/* The numbers at a place, from records behind it that say them, or else the CPU's block. */
struct anchor {
    uint64_t sides, barriers;
    uint64_t sides_passed;
    bool has_sides, has_barriers;
};

static void anchor_look(struct anchor *a, const struct trace_record *r)
{
    bool barriers = record_kind(r) == TRACE_BARRIERS;

    if (record_is_side(r) && !a->has_sides) {
        uint64_t said = barriers                              ? r->what
                        : record_more(r) == TRACE_DETAIL_TEXT ? r->head & TRACE_TIME_MASK
                                                              : r->caller;

        a->sides = said - a->sides_passed;
        a->has_sides = true;
    }
    if (barriers && !a->has_barriers) {
        a->barriers = r->caller;
        a->has_barriers = true;
    }
}

/* Only what is still whole may be believed; the caller looks at the head again. */
static bool anchor_scan(const struct source *src, const struct beacon_cpu *info, uint64_t first,
                        uint64_t head, struct anchor *a)
{
    struct trace_record r[SCAN_RECORDS];

    while (first < head && !(a->has_sides && a->has_barriers)) {
        uint64_t n = head - first < SCAN_RECORDS ? head - first : SCAN_RECORDS;

        if (!read_records(src, info, first, n, r))
            return false;
        for (uint64_t i = 0; i < n; i++)
            anchor_look(a, &r[i]);
        first += n;
    }
    return true;
}

/* After a loss, and at the beginning. block: ring_sides and ring_barriers, read before head. */
static bool anchor_set(const struct source *src, const struct beacon_cpu *info, uint64_t head,
                       const uint64_t block[2], const struct ring_batch *b,
                       struct ring_cursor *cursor)
{
    struct anchor a = {0};

    for (unsigned int i = 0; i < b->nr; i++)
        anchor_look(&a, &b->record[i]);
    if (!anchor_scan(src, info, b->first + b->nr, head, &a))
        return false;
    cursor->sides = a.has_sides ? a.sides : block[0];
    cursor->barriers = a.has_barriers ? a.barriers : block[1];
    cursor->word = b->first ? 0 : TRACE_BARRIERS_NONE;
    cursor->seq_known |= b->first == 0;
    return true;
}

static bool read_block(const struct source *src, const struct machine *m, unsigned int cpu,
                       uint64_t block[2])
{
    return read_field(src, m, cpu, offsetof(struct beacon_cpu, ring_sides), &block[0]) &&
           read_field(src, m, cpu, offsetof(struct beacon_cpu, ring_barriers), &block[1]);
}

/* A snapshot has nothing where the producer was writing. How many records that is. */
static unsigned int drop_empty(struct ring_batch *b)
{
    unsigned int n = 0;

    while (n < b->nr && record_kind(&b->record[n]) == TRACE_NONE)
        n++;
    drop_first(b, n);
    return n;
}

bool ring_read(const struct source *src, const struct machine *m, unsigned int cpu,
               const struct beacon_cpu *info, struct ring_cursor *cursor, struct ring_batch *b)
{
    uint64_t head, after, margin = ring_margin(m), entries = info->ring_entries, block[2];
    bool begun = cursor->begun;

    if (!ring_ok(m, info) || !read_block(src, m, cpu, block) || !read_head(src, m, cpu, &head))
        return false;
    b->first = place_cursor(cursor, head, oldest_whole(head, entries, margin), &b->lost);
    if (b->newest)
        skip_old(b, head);
    b->pending = head - b->first;
    b->more = b->pending > b->max;
    b->nr = b->more ? b->max : b->pending;
    if (!read_records(src, info, b->first, b->nr, b->record))
        return false;
    __atomic_thread_fence(__ATOMIC_ACQUIRE);
    if (!read_head(src, m, cpu, &after))
        return false;
    drop_overtaken(b, oldest_whole(after, entries, margin));
    b->lost += drop_empty(b);
    if (!begun)
        b->lost = 0; /* it begins with what it got whole */
    if (b->more)
        keep_groups(b);
    if ((!begun || b->lost) && !anchor_set(src, info, head, block, b, cursor))
        return false;
    cursor->begun = true;
    cursor->next = b->first + b->nr;
    return true;
}
