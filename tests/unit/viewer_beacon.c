/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Finding the image: its header, its beacon, and what cannot be right in them. */
#include "viewer_machine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check_refused(struct fake_source *fake, const char *part)
{
    struct machine m;
    struct failure f;

    assert_int_equal(machine_read(&fake->src, NULL, &m, &f), MACHINE_FOREIGN);
    assert_int_equal(f.status, EXIT_NOT_UNDERSTOOD);
    assert_non_null(strstr(f.text, part));
}

static void refuse_u32(size_t offset, uint32_t value, const char *part)
{
    struct fake_source *fake = machine_make(2);

    machine_put_u32(fake, BEACON_PA + offset, value);
    check_refused(fake, part);
    source_close(&fake->src);
}

static void test_hostile_beacon(void **state)
{
    (void)state;
    refuse_u32(offsetof(struct beacon, ncpu), 4000000000u, "number of CPUs is 4000000000");
    refuse_u32(offsetof(struct beacon, ncpu), 0, "number of CPUs is 0");
    refuse_u32(offsetof(struct beacon, ncpu), 65, "number of CPUs is 65");
    refuse_u32(offsetof(struct beacon, cpu_stride), 0, "size of a CPU's block is 0");
    refuse_u32(offsetof(struct beacon, cpu_stride), 0x80000000u, "size of a CPU's block");
    refuse_u32(offsetof(struct beacon, cpu_stride), 149, "size of a CPU's block");
    refuse_u32(offsetof(struct beacon, cpu_offset), 0xfffffff0u, "outside RAM");
    refuse_u32(offsetof(struct beacon, cpu_offset), 3, "outside RAM");
    refuse_u32(offsetof(struct beacon, nr_banks), 255, "RAM banks is 255");
    refuse_u32(offsetof(struct beacon, nr_banks), 0, "RAM banks is 0");
    refuse_u32(offsetof(struct beacon, domheap_entries), 1025, "number of slots is 1025");
    refuse_u32(offsetof(struct beacon, domheap_entries), 0, "number of slots is 0");
    refuse_u32(offsetof(struct beacon, root_level), 1, "root level is 1");
    refuse_u32(offsetof(struct beacon, l0_index), 512, "index in the root is 512");
    refuse_u32(offsetof(struct beacon, state), 9, "state is 9");
    refuse_u32(offsetof(struct beacon, engine), BEACON_ENGINES, "engine is ");
    refuse_u32(offsetof(struct beacon, version), 1, "has version 1");
    refuse_u32(offsetof(struct beacon, size), 8, "size is 8");
    refuse_u32(offsetof(struct beacon, magic), 1, "holds no beacon");
}

static void test_endless_bank(void **state)
{
    struct fake_source *fake = machine_make(1);

    (void)state;
    fake_put_u64(fake, BEACON_FIELD(bank[0].size), UINT64_MAX - 5);
    check_refused(fake, "without an end");
    source_close(&fake->src);
}

static void test_no_image(void **state)
{
    struct fake_source *fake = machine_make(1);

    (void)state;
    fake_put_u64(fake, HEADER_PA + offsetof(struct image_header, beacon_magic), 0);
    check_refused(fake, "holds no hvscope image");
    source_close(&fake->src);
}

static void test_header_offset(void **state)
{
    static const uint64_t offsets[] = {0, 4, 0xffffffffffffffff, 0x7ffffffffffffff8, 0xffff8};
    struct fake_source *fake = machine_make(1);

    (void)state;
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        fake_put_u64(fake, HEADER_PA + offsetof(struct image_header, beacon_offset), offsets[i]);
        check_refused(fake, "outside the image");
    }
    source_close(&fake->src);
}

static void test_not_published(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct machine m;
    struct failure f;

    (void)state;
    fake_put_u64(fake, BEACON_PA, 0);
    assert_int_equal(machine_read(&fake->src, NULL, &m, &f), MACHINE_WAITING);
    assert_int_equal(f.status, EXIT_NOT_UNDERSTOOD);
    source_close(&fake->src);
}

static void test_no_mapcache_yet(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct machine m;
    struct failure f;

    (void)state;
    machine_put_u32(fake, BEACON_FIELD(state), BEACON_MMU_ON);
    assert_int_equal(machine_read(&fake->src, NULL, &m, &f), MACHINE_OK);
    assert_int_equal(machine_require_mapcache(&m, &f), -1);
    assert_int_equal(f.status, EXIT_NO_MAPCACHE);
    source_close(&fake->src);
}

static void test_message(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct machine m;
    struct failure f;
    char text[BEACON_MESSAGE_MAX];

    (void)state;
    memset(text, 'x', sizeof(text));
    memcpy(text, "a\033[2Jb\xff\n", 8);
    fake_put(fake, BEACON_FIELD(message), text, sizeof(text));
    assert_int_equal(machine_read(&fake->src, NULL, &m, &f), MACHINE_OK);
    assert_int_equal(strlen(m.message), BEACON_MESSAGE_MAX);
    assert_memory_equal(m.message, "a?[2Jb??xx", 10);
    source_close(&fake->src);
}

static void test_bad_cpu_state(void **state)
{
    struct fake_source *fake = machine_make(2);
    struct machine m;
    struct failure f;
    struct snapshot *snap = snapshot_new(2);

    (void)state;
    machine_put_u32(fake, CPU_FIELD(1, state), 7);
    assert_int_equal(machine_read(&fake->src, NULL, &m, &f), MACHINE_OK);
    assert_int_equal(snapshot_read(&fake->src, &m, snap, &f), -1);
    assert_non_null(strstr(f.text, "the state of CPU1 is 7"));
    free(snap);
    source_close(&fake->src);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hostile_beacon), cmocka_unit_test(test_endless_bank),
        cmocka_unit_test(test_no_image),       cmocka_unit_test(test_header_offset),
        cmocka_unit_test(test_not_published),  cmocka_unit_test(test_no_mapcache_yet),
        cmocka_unit_test(test_message),        cmocka_unit_test(test_bad_cpu_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
