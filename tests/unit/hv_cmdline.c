/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The command line and plans of work: what is read, and that mistakes are named. */
#include "core/cmdline.h"
#include "fake.h"
#include "guest/guest.h"
#include "work/plan.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

const char *const fault_names[] = {[FAULT_NONE] = "none", [FAULT_SKIP_TLBI] = "skip-tlbi", NULL};
unsigned int nr_guests = 2;

static bool percent(struct word argument, uint64_t *value)
{
    return word_number(argument, 99, value);
}

static const struct workload copy = {.name = "copy"};
static const struct workload storm = {.name = "storm"};
static const struct workload fill = {
    .name = "fill", .argument = "a percentage", .argument_needed = true, .accepts = percent};
const struct workload *const workloads[] = {&copy, &storm, &fill};
const unsigned int nr_workloads = 3;

static int setup(void **state)
{
    (void)state;
    fake_reset();
    options = (struct options){.trace = TRACE_API, .workload = word_from("copy")};
    nr_guests = 2;
    return 0;
}

static void test_options_are_read(void **state)
{
    (void)state;
    cmdline_parse("  directmap=on pace=20  census=on trace=off fault=skip-tlbi guests=8 "
                  "workload=storm,cpu1:fill:90");
    assert_string_equal(fake_console, "");
    assert_true(options.directmap && options.census);
    assert_int_equal(options.pace, 20);
    assert_int_equal(options.trace, TRACE_OFF);
    cmdline_parse("trace=all");
    assert_int_equal(options.trace, TRACE_ALL);
    assert_int_equal(options.fault, FAULT_SKIP_TLBI);
    assert_int_equal(nr_guests, 8);
    assert_true(word_is(options.workload, "storm,cpu1:fill:90"));
}

static void test_mistakes_are_named(void **state)
{
    static const char *const bad[] = {
        "directmap=yes",
        "directmap=",
        "directmap",
        "pace=-1",
        "pace=1x",
        "pace=",
        "pace=0x10",
        "pace=100000001",
        "trace=some",
        "fault=x",
        "guests=9",
        "census=onn",
        "workload=",
        "workload=copy,",
        "workload=copy,,storm",
        "workload=fill",
        "workload=fill:",
        "workload=fill:100",
        "workload=copy:1",
        "workload=copy:",
        "workload=copy,copy",
        "workload=cpu4:copy",
        "workload=cpu:copy",
        "workload=cpu1copy",
        "pace=99999999999999999999999999999999999999999",
    };

    (void)state;
    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        setup(NULL);
        cmdline_parse(bad[i]);
        if (!strstr(fake_console, "is not understood") || !strstr(fake_console, "default stays"))
            fail_msg("%s: %s", bad[i], fake_console);
        assert_int_equal(options.pace, 0);
        assert_int_equal(nr_guests, 2);
        assert_true(word_is(options.workload, "copy"));
    }
}

static void test_unknown_words(void **state)
{
    (void)state;
    cmdline_parse("=3 nonsense \x1b[2J=1 paces=3");
    assert_string_equal(fake_console, "command line: unknown option nonsense: ignored\n"
                                      "command line: unknown option ?[2J: ignored\n"
                                      "command line: unknown option paces: ignored\n");
}

static void test_mem(void **state)
{
    (void)state;
    cmdline_parse("mem=1G@0x40000000,64M@3G,0x1000@0x90000000");
    assert_string_equal(fake_console, "");
    assert_int_equal(options.nr_mem, 3);
    assert_int_equal(options.mem[0].start, 0x40000000);
    assert_int_equal(options.mem[0].end, 0x80000000);
    assert_int_equal(options.mem[1].start, 0xc0000000);
    assert_int_equal(options.mem[2].end, 0x90001000);
}

static void test_mem_mistakes(void **state)
{
    static const char *const bad[] = {
        "mem=",
        "mem=1G",
        "mem=@0x40000000",
        "mem=1G@",
        "mem=0@0x40000000",
        "mem=1G@0x40000001",
        "mem=4097@1G",
        "mem=1G@1G,1G@1G",
        "mem=1G@1G,512M@0x50000000",
        "mem=1Q@1G",
        "mem=-1@1G",
        "mem=256T@1G",
        "mem=0x1000000000000000000@1G",
        "mem=99999999999999999999T@1G",
        "mem=1M@1M,1M@2M,1M@3M,1M@4M,1M@5M,1M@6M,1M@7M,1M@8M,1M@9M",
        "mem=1G@1G@1G",
    };

    (void)state;
    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        setup(NULL);
        cmdline_parse(bad[i]);
        if (!strstr(fake_console, "is not understood") || options.nr_mem)
            fail_msg("%s: %s", bad[i], fake_console);
    }
}

static void test_help_lists_all(void **state)
{
    (void)state;
    cmdline_help();
    assert_non_null(strstr(fake_console, "fault=" FAULT_NAMES));
    assert_non_null(strstr(fake_console, "mem="));
}

static void test_plan_for(void **state)
{
    struct plan plan;
    struct plan_entry mine[PLAN_CPU_MAX];
    char why[80];

    (void)state;
    assert_true(plan_parse(word_from("copy,cpu1:fill:90,storm,cpu1:copy"), 4, &plan, why, 80));
    assert_int_equal(plan_for(&plan, 0, mine), 2);
    assert_ptr_equal(mine[0].work, &copy);
    assert_ptr_equal(mine[1].work, &storm);
    assert_int_equal(plan_for(&plan, 1, mine), 2);
    assert_ptr_equal(mine[0].work, &fill);
    assert_int_equal(mine[0].argument, 90);
    assert_int_equal(plan_for(&plan, 3, mine), 2);
    assert_true(plan_parse(word_from("cpu2:copy"), 4, &plan, why, 80));
    assert_int_equal(plan_for(&plan, 0, mine), 0);
    assert_false(plan_parse(word_from("cpu2:copy"), 2, &plan, why, 80));
    assert_string_equal(why, "there is no cpu2");
    assert_false(plan_parse(word_from("nothing"), 2, &plan, why, 80));
    assert_string_equal(why, "no workload is called nothing");
}

/* More entries than there is room for: refused, nothing is overrun. */
static void test_plan_is_bounded(void **state)
{
    struct plan plan;
    char text[2000] = "", why[80];

    (void)state;
    for (unsigned int cpu = 0; cpu <= PLAN_MAX; cpu++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%scpu%u:copy", cpu ? "," : "",
                 cpu);
    assert_false(plan_parse(word_from(text), 100, &plan, why, sizeof(why)));
    assert_string_equal(why, "cpu64:copy is one too many");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_options_are_read, setup),
        cmocka_unit_test_setup(test_mistakes_are_named, setup),
        cmocka_unit_test_setup(test_unknown_words, setup),
        cmocka_unit_test_setup(test_mem, setup),
        cmocka_unit_test_setup(test_mem_mistakes, setup),
        cmocka_unit_test_setup(test_help_lists_all, setup),
        cmocka_unit_test_setup(test_plan_for, setup),
        cmocka_unit_test_setup(test_plan_is_bounded, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
