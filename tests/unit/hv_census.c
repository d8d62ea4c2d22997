/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The census, fed by the engine on the fake machine. */
#include "core/census.h"
#include "core/cmdline.h"
#include "core/trace.h"
#include "fake.h"
#include "mm/domain_page.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define FRAME(block) _mfn((uint64_t)(block) << SLOT_MFN_SHIFT)

static int setup(void **state)
{
    (void)state;
    fake_reset();
    options.census = true;
    for (unsigned int cpu = 0; cpu < 2; cpu++)
        fake_cpu_start(cpu);
    return trace_init_cpu(0) && trace_init_cpu(1) ? 0 : -1;
}

static const char *printed(unsigned int cpu)
{
    fake_console[0] = '\0';
    census_print(cpu);
    return fake_console;
}

/* Two callers, each with one call: neither inlined nor merged, and no tail call. */
#define CALLER(name)                                                                               \
    static __attribute__((noipa)) void *name(mfn_t mfn)                                            \
    {                                                                                              \
        void *p = map_domain_page(mfn);                                                            \
                                                                                                   \
        asm volatile("" : "+r"(p) : : "memory");                                                   \
        return p;                                                                                  \
    }

CALLER(map_here)
CALLER(map_elsewhere)

static void test_live_maps_by_caller(void **state)
{
    void *p[3];

    (void)state;
    for (unsigned int i = 0; i < 3; i++)
        p[i] = map_here(mfn_add(FRAME(5), i));
    map_elsewhere(FRAME(9));
    assert_non_null(strstr(printed(0), "CPU0: 4 live maps, slots hold 4 references\n"));
    assert_non_null(strstr(fake_console, "     3 by 0x"));
    assert_non_null(strstr(fake_console, "     1 by 0x"));
    assert_non_null(strstr(fake_console, "at 0x7f8001200000\n"));
    census_check(mapcache_refs());
    unmap_domain_page(p[1]);
    assert_non_null(strstr(printed(0), "     2 by 0x"));
    assert_non_null(strstr(printed(1), "CPU1: 0 live maps, slots hold 0 references\n"));
}

/* Two maps of a page: the younger one ends first. */
static void test_unmap_ends_the_youngest(void **state)
{
    char before[sizeof(fake_console)];
    void *p = map_here(FRAME(5));

    (void)state;
    strcpy(before, printed(0));
    map_elsewhere(FRAME(5));
    assert_string_not_equal(printed(0), before);
    unmap_domain_page(p);
    census_check(1);
    assert_string_equal(printed(0), before);
}

static void test_wrong_page_of_a_slot(void **state)
{
    char *p = map_domain_page(FRAME(5));

    (void)state;
    assert_true(panics(unmap_domain_page(p + PAGE_SIZE)));
    assert_non_null(strstr(fake_panic_message, "which nobody holds"));
}

static void test_a_difference_panics(void **state)
{
    (void)state;
    map_domain_page(FRAME(5));
    assert_true(panics(census_check(2)));
    assert_non_null(strstr(fake_panic_message, "the census has 1 maps, the slots hold 2"));
}

static void test_overflow_is_counted(void **state)
{
    void *p = NULL;

    (void)state;
    for (unsigned int i = 0; i < CENSUS_MAX + 10; i++)
        p = map_domain_page(FRAME(i / 15));
    census_check(CENSUS_MAX + 10);
    assert_non_null(strstr(printed(0), "CPU0: 2058 live maps, slots hold 2058 references\n"));
    assert_non_null(strstr(fake_console, "    10 that found no place in the census"));
    unmap_domain_page(p);
    census_check(CENSUS_MAX + 9);
}

static void test_off_is_said(void **state)
{
    (void)state;
    fake_cpu = 2;
    options.census = false;
    assert_true(census_init_cpu(2));
    census_check(99);
    assert_non_null(strstr(printed(2), "census=on"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_live_maps_by_caller, setup),
        cmocka_unit_test_setup(test_unmap_ends_the_youngest, setup),
        cmocka_unit_test_setup(test_wrong_page_of_a_slot, setup),
        cmocka_unit_test_setup(test_a_difference_panics, setup),
        cmocka_unit_test_setup(test_overflow_is_counted, setup),
        cmocka_unit_test_setup(test_off_is_said, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
