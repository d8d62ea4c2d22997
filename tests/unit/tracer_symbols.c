/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a function's returns are, in our images: engine clock ends it in other functions. */
#include "tracer/symbols.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#define CLOCK IMAGES "/hv-clock.elf"

static bool is_part(const struct symbol *parts, unsigned int nr, const struct symbol *wanted)
{
    for (unsigned int i = 0; i < nr; i++) {
        if (parts[i].va == wanted->va && parts[i].size == wanted->size)
            return true;
    }
    return false;
}

static void test_tail_calls(void **state)
{
    struct symbol parts[SYMBOL_PARTS_MAX], end[SYMBOL_PARTS_MAX];
    unsigned int nr = symbol_parts(CLOCK, "map_domain_page", parts);

    (void)state;
    assert_int_not_equal(symbol_parts(CLOCK, "map_miss", end), 0);
    assert_true(is_part(parts, nr, &end[0]));
    assert_false(is_part(parts, 1, &end[0]));
    nr = symbol_parts(CLOCK, "unmap_domain_page", parts);
    assert_int_not_equal(symbol_parts(CLOCK, "unmap_last", end), 0);
    assert_true(is_part(parts, nr, &end[0]));
}

static void test_no_such(void **state)
{
    struct symbol parts[SYMBOL_PARTS_MAX];

    (void)state;
    assert_int_equal(symbol_parts(CLOCK, "map_domain", parts), 0);
    assert_int_equal(symbol_parts(IMAGES "/hv-clock.bin", "map_domain_page", parts), 0);
    assert_int_equal(symbol_parts(IMAGES "/no such file", "map_domain_page", parts), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tail_calls),
        cmocka_unit_test(test_no_such),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
