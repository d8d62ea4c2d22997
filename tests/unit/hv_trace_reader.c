/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reader of recorded traces; built with sanitizers, on traces that are cut and changed too. */
#include "work/trace_reader.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t trace[512];
static size_t trace_size;

static void put(uint64_t value, unsigned int bytes)
{
    while (bytes--) {
        trace[trace_size++] = (uint8_t)value;
        value >>= 8;
    }
}

/* Two CPUs, two callers, a phase. Written out by hand from FORMAT.md. */
static int make(void **state)
{
    static const uint8_t stream0[] = {0xff, 5,          /* 5 ms */
                                      0x00, 20,         /* map by caller 0: base + 10 */
                                      0x01, 0x80, 0x08, /* map by caller 1: base + 512 */
                                      0x00, 3,          /* map by caller 0: 2 less */
                                      0x81, 1,          /* unmap the second youngest */
                                      0x80, 0,    0x80, 0};

    (void)state;
    trace_size = 0;
    put(0x54434d58, 4), put(1, 2), put(64, 2), put(2, 4), put(0, 4);
    put(0x40000000, 8), put(1 << 30, 8), put(6, 8), put(2, 4), put(1, 4);
    put(1024, 4), put(512, 4), put(0x40000, 8);
    put(3, 1), put('a' | 'b' << 8 | 'c' << 16, 3), put(1, 1), put('d', 1);
    put(1, 1), put('p', 1), put(0, 4), put(0, 8), put(0, 8);
    put(6, 8), put(sizeof(stream0), 8);
    memcpy(trace + trace_size, stream0, sizeof(stream0));
    trace_size += sizeof(stream0);
    put(0, 8), put(0, 8);
    return 0;
}

static void expect(struct xmct_stream *s, bool map, uint64_t value)
{
    struct xmct_record r;

    assert_int_equal(xmct_next(s, &r), XMCT_RECORD);
    assert_int_equal(r.map, map);
    assert_int_equal(map ? r.mfn : r.depth, value);
}

static void test_records(void **state)
{
    struct xmct_stream s;
    struct xmct_record r;
    struct xmct t;

    (void)state;
    assert_true(xmct_open(&t, trace, trace_size));
    assert_int_equal(t.nr_streams, 2);
    assert_true(xmct_stream(&t, 0, &s));
    for (unsigned int round = 0; round < 2; round++) {
        expect(&s, true, 0x4000a);
        expect(&s, true, 0x40200);
        expect(&s, true, 0x40008);
        expect(&s, false, 1);
        expect(&s, false, 0);
        expect(&s, false, 0);
        assert_int_equal(xmct_next(&s, &r), XMCT_END);
        assert_int_equal(xmct_next(&s, &r), XMCT_END);
        xmct_rewind(&s);
    }
    assert_true(xmct_stream(&t, 1, &s));
    assert_int_equal(xmct_next(&s, &r), XMCT_END);
    assert_false(xmct_stream(&t, 2, &s));
}

/* Read all of it, whatever it is. Ends, and stays inside. */
static void read_all(const uint8_t *data, size_t size)
{
    struct xmct_stream s;
    struct xmct_record r;
    struct xmct t;

    if (!xmct_open(&t, data, size))
        return;
    for (uint32_t n = 0; n < 3; n++) {
        if (!xmct_stream(&t, n, &s))
            continue;
        while (xmct_next(&s, &r) == XMCT_RECORD)
            ;
    }
}

static void test_cut_at_every_length(void **state)
{
    (void)state;
    for (size_t size = 0; size < trace_size; size++) {
        uint8_t *cut = malloc(size ? size : 1);

        memcpy(cut, trace, size);
        read_all(cut, size);
        free(cut);
    }
}

static void test_every_byte_changed(void **state)
{
    uint8_t *copy = malloc(trace_size);

    (void)state;
    for (size_t i = 0; i < trace_size; i++) {
        for (unsigned int value = 0; value < 256; value++) {
            memcpy(copy, trace, trace_size);
            copy[i] = (uint8_t)value;
            read_all(copy, trace_size);
        }
    }
    free(copy);
}

static void test_broken_records(void **state)
{
    uint8_t bytes[12] = {0x00, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01};
    struct xmct_stream s = {.start = bytes, .end = bytes + sizeof(bytes)};
    struct xmct_record r;

    (void)state;
    xmct_rewind(&s);
    assert_int_equal(xmct_next(&s, &r), XMCT_BROKEN); /* a number of more than 64 bits */
    bytes[0] = 0x7f;
    bytes[1] = 0;
    xmct_rewind(&s);
    assert_int_equal(xmct_next(&s, &r), XMCT_BROKEN); /* no such caller */
    s.end = bytes + 1;
    xmct_rewind(&s);
    assert_int_equal(xmct_next(&s, &r), XMCT_BROKEN); /* a head alone */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_records, make),
        cmocka_unit_test_setup(test_cut_at_every_length, make),
        cmocka_unit_test_setup(test_every_byte_changed, make),
        cmocka_unit_test_setup(test_broken_records, make),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
