/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recordings, captures, and the past that is kept. */
#include "model/capture.h"
#include "model/history.h"
#include "viewer_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define FRAME_PA UINT64_C(0x84800000)

static void write_recording(const char *path, struct fake_source *fake, unsigned int frames,
                            uint64_t max)
{
    struct frame_head about = {.time = 1};
    struct page_set pages = {0};
    struct snapshot *snap = machine_snapshot(fake);
    struct recording_header header = capture_header(&fake->src, snap);
    struct recorder r;
    struct failure f;

    assert_int_equal(recorder_open(&r, path, max, &header, &f), 0);
    for (unsigned int i = 0; i < frames; i++, about.time++) {
        fake_put_u64(fake, SLOT_PA(0, i % 1024), SLOT_PTE(FRAME_PA, i % 16));
        assert_int_equal(capture_pages(&fake->src, snap, &pages, &f), 0);
        assert_in_range(recorder_add(&r, &pages, true, &about, &f), 0, max != 0);
    }
    assert_true(!max || r.bytes <= max);
    assert_int_equal(recorder_close(&r, &f), 0);
    page_set_free(&pages);
    free(snap);
}

/* Every frame reads as memory was, from wherever one comes. */
static void test_recording(void **state)
{
    char path[] = "/tmp/hvscope-unit-XXXXXX";
    struct fake_source *fake = machine_make(2);
    struct source *src;
    struct failure f;
    uint64_t pte;

    (void)state;
    close(mkstemp(path));
    write_recording(path, fake, 200, 0);
    src = recording_open(path, &f);
    assert_non_null(src);
    assert_int_equal(recording_frames(src), 200);
    for (unsigned int n = 0, at = 0; n < 400; n++, at = (at * 7 + 13) % 200) {
        unsigned int applied = recording_applied(src);

        assert_int_equal(recording_seek(src, at), 0);
        assert_in_range(recording_applied(src) - applied, 0, RECORDING_KEY_EVERY);
        assert_int_equal(recording_frame(src, at)->time, at + 1);
        assert_int_equal(source_read_u64(src, SLOT_PA(0, at), &pte), 0);
        assert_int_equal(pte, SLOT_PTE(FRAME_PA, at % 16));
        assert_int_equal(source_read_u64(src, SLOT_PA(0, at + 1), &pte), 0);
        assert_int_equal(pte, 0);
    }
    assert_int_not_equal(source_read_u64(src, UINT64_C(0x1000), &pte), 0);
    source_close(src);
    source_close(&fake->src);
    unlink(path);
}

/* A recorder that was killed: what it wrote up to then can be read. */
static void test_recording_cut_off(void **state)
{
    char path[] = "/tmp/hvscope-unit-XXXXXX";
    struct fake_source *fake = machine_make(1);
    struct source *src;
    struct failure f;
    off_t size;
    FILE *file;

    (void)state;
    close(mkstemp(path));
    write_recording(path, fake, 10, 0);
    file = fopen(path, "r+");
    fseek(file, 0, SEEK_END);
    size = ftell(file);
    fclose(file);
    assert_int_equal(truncate(path, size - 5), 0);
    src = recording_open(path, &f);
    assert_int_equal(recording_frames(src), 9);
    source_close(src);
    for (off_t cut = 0; cut < size; cut += size / 50) {
        assert_int_equal(truncate(path, size - 5 - cut), 0);
        src = recording_open(path, &f);
        if (!src)
            assert_int_equal(f.status, EXIT_NOT_UNDERSTOOD);
        source_close(src);
    }
    write_recording(path, fake, 50, 36000);
    src = recording_open(path, &f);
    assert_true(src && recording_frames(src) < 50);
    source_close(src);
    source_close(&fake->src);
    unlink(path);
}

/* The CPU maps something: how often it still does so, each time between two reads of its slots. */
static unsigned int moves;

/* It happens while the page of slots is read: the copy has a slot from before, the rest from after.
 */
static void move_cpu(struct fake_source *fake, uint64_t pa, size_t len)
{
    uint64_t generation;

    if (pa != L2_PA(0) || len != PAGE_SIZE || !moves)
        return;
    moves--;
    memcpy(&generation, fake->mem + (CPU_FIELD(0, generation) - RAM_START), sizeof(generation));
    fake_put_u64(fake, SLOT_PA(0, 600), SLOT_PTE(FRAME_PA, 1 + generation / 2 % 8));
    fake_put_u64(fake, CPU_FIELD(0, generation), generation + 2);
}

typedef int capture(const struct source *src, const struct snapshot *snap, struct page_set *set,
                    struct failure *f);

/* The generation in a copy during which the CPU mapped so often; odd: not of one moment. */
static uint64_t captured_generation(capture *take, unsigned int often)
{
    struct fake_source *fake = machine_make(1);
    struct snapshot *snap = machine_snapshot(fake);
    struct page_set pages = {0};
    uint64_t pa = CPU_FIELD(0, generation), word, slot;
    struct failure f;

    fake->on_read = move_cpu;
    moves = often;
    assert_int_equal(take(&fake->src, snap, &pages, &f), 0);
    word = page_find(&pages, pa & ~PAGE_MASK)->word[(pa & PAGE_MASK) / 8];
    slot = page_find(&pages, L2_PA(0) + PAGE_SIZE)->word[600 - PT_ENTRIES];
    if (word % 2 == 0 && often) /* what is said to be of one moment is of the last one */
        assert_true(slot == SLOT_PTE(FRAME_PA, 1 + (word - 2) / 2 % 8));
    page_set_free(&pages);
    free(snap);
    source_close(&fake->src);
    return word;
}

/* A CPU that moves while it is captured is captured again, and said to be torn if it never rests.
 */
static void test_capture_consistency(void **state)
{
    static capture *const takes[] = {capture_pages, capture_rings};

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        assert_int_equal(captured_generation(takes[i], 0), 100);
        for (unsigned int often = 1; often < 4; often++)
            assert_int_equal(captured_generation(takes[i], often), 100 + 2 * often);
        assert_int_equal(captured_generation(takes[i], 1000) % 2, 1);
    }
}

/* A CPU at work: the record and the store that belong together. */
static void work(struct fake_source *fake, unsigned int n)
{
    unsigned int slot = n * 7 % 5, refs = n % 3;
    uint64_t frame = FRAME_PA + (uint64_t)slot * 0x200000;
    enum trace_kind kind = refs ? TRACE_MAP : TRACE_UNMAP;

    machine_add_event(fake, 0, n + 1, kind, frame >> 12, slot, refs);
    fake_put_u64(fake, SLOT_PA(0, slot), SLOT_PTE(frame, refs));
    fake_put_u64(fake, CPU_FIELD(0, generation), 100 + 2 * (n + 1));
}

/* The state after every single event, although only every fifth was looked at. */
static void test_history(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct history *h = calloc(1, sizeof(*h));
    struct event_log *log = calloc(1, sizeof(*log));
    struct snapshot *truth[40], *now = snapshot_new(1);

    (void)state;
    for (unsigned int slot = 0; slot < 5; slot++)
        fake_put_u64(fake, SLOT_PA(0, slot), SLOT_PTE(FRAME_PA + slot * 0x200000u, 0));
    for (unsigned int n = 0; n < 40; n++) {
        truth[n] = machine_snapshot(fake);
        if (n % 5 == 0) {
            events_update(log, &fake->src, truth[n]);
            history_add(h, truth[n]);
        }
        work(fake, n);
    }
    assert_int_equal(log->nr, 35);
    for (unsigned int n = 0; n <= log->nr; n++) {
        assert_true(history_state(h, log, n, now));
        assert_true(now->cpu[0].consistent);
        assert_memory_equal(now->cpu[0].pte, truth[n]->cpu[0].pte, sizeof(now->cpu[0].pte));
        assert_int_equal(now->cpu[0].refs, truth[n]->cpu[0].refs);
        assert_int_equal(now->cpu[0].info.generation, truth[n]->cpu[0].info.generation);
    }
    for (unsigned int n = 0; n < 40; n++)
        free(truth[n]);
    history_clear(h);
    free(now);
    events_free(log);
    free(log);
    free(h);
    source_close(&fake->src);
}

/* What was lost on the way is not made up. */
static void test_history_with_a_loss(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct history *h = calloc(1, sizeof(*h));
    struct event_log *log = calloc(1, sizeof(*log));
    struct snapshot *snap = machine_snapshot(fake), *now = snapshot_new(1);

    (void)state;
    events_update(log, &fake->src, snap);
    history_add(h, snap);
    for (unsigned int n = 0; n < 3 * RING_SIZE; n++)
        work(fake, n);
    events_update(log, &fake->src, snap);
    assert_true(event_at(log, 0)->lost > 0);
    assert_true(history_state(h, log, log->nr, now));
    assert_false(now->cpu[0].consistent);
    history_clear(h);
    free(snap);
    free(now);
    events_free(log);
    free(log);
    free(h);
    source_close(&fake->src);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recording),           cmocka_unit_test(test_recording_cut_off),
        cmocka_unit_test(test_capture_consistency), cmocka_unit_test(test_history),
        cmocka_unit_test(test_history_with_a_loss),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
