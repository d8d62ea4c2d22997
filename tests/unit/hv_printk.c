/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Formatting: what printk() knows, against what the host's snprintf() prints. */
#include "core/printk.h"
#include "fake.h"
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define same(...)                                                                                  \
    do {                                                                                           \
        char ours_[200], theirs_[200];                                                             \
        snprintk(ours_, sizeof(ours_), __VA_ARGS__);                                               \
        snprintf(theirs_, sizeof(theirs_), __VA_ARGS__);                                           \
        assert_string_equal(ours_, theirs_);                                                       \
    } while (0)

static void test_conversions(void **state)
{
    (void)state;
    same("plain");
    same("%d %d %d", 0, -1, INT_MIN);
    same("%u %x %lu %lx", UINT_MAX, 0xabcdu, ULONG_MAX, ULONG_MAX);
    same("%ld %zu", LONG_MIN, (size_t)7);
    same("%c%c %s", 'a', 'b', "string");
    same("100%%");
    same("%p", (void *)0x7f8000000000);
}

static void test_widths(void **state)
{
    (void)state;
    same("[%5u][%-5u][%05u]", 42u, 42u, 42u);
    same("[%016lx][%8s][%-8s]", 0x40ul, "abc", "abc");
    same("[%2u][%1s]", 12345u, "abc");
}

static void test_null_string(void **state)
{
    char out[64];
    const char *volatile none = NULL; /* the compiler would warn */

    (void)state;
    snprintk(out, sizeof(out), "%s", none);
    assert_string_equal(out, "(null)");
}

static void test_buffer_is_never_overrun(void **state)
{
    (void)state;
    for (size_t size = 1; size < 20; size++) {
        char out[32], want[32];

        memset(out, 'X', sizeof(out));
        snprintk(out, size, "%s %08x", "abcdef", 0x1234u);
        snprintf(want, size, "%s %08x", "abcdef", 0x1234u);
        assert_string_equal(out, want);
        assert_int_equal(out[size], 'X');
    }
}

static void test_no_console_yet(void **state)
{
    (void)state;
    printk("nothing happens\n");
    assert_int_equal(console_getc(), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conversions),    cmocka_unit_test(test_widths),
        cmocka_unit_test(test_null_string),    cmocka_unit_test(test_buffer_is_never_overrun),
        cmocka_unit_test(test_no_console_yet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
