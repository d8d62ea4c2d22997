/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the target is: our image, any EL2 by its registers, or by a root alone.
 */
#include "command/context.h"
#include "model/profile.h"
#include "model/stage.h"
#include "viewer_machine.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* An EL2 of somebody else: 39-bit addresses, its root where our CPU0 has its L1. */
static const struct fake_register foreign[] = {
    {"TCR_EL2", 0x80843519},     {"MAIR_EL2", 0x00000000000044ff},
    {"SCTLR_EL2", 0x1005},       {"HCR_EL2", 0x80000000},
    {"TTBR0_EL2", L1_PA(0) | 1}, {"ID_AA64MMFR0_EL1", 5},
    {"PC", 0xffff0000400000},    {NULL, 0},
};

static struct fake_source *foreign_machine(unsigned int ncpu)
{
    struct fake_source *fake = machine_make(1);

    fake_put_u64(fake, HEADER_PA + offsetof(struct image_header, magic), 0);
    fake_put_u64(fake, L1_PA(0) + 5 * 8, UINT64_C(0x0000000080000000) | 0x701);
    fake->ncpu = ncpu;
    fake->registers = foreign;
    return fake;
}

static void test_ours_is_found(void **state)
{
    struct fake_source *fake = machine_make(2);
    struct target_spec spec = {0};
    struct failure f;
    struct machine m;
    uint64_t value;

    (void)state;
    assert_int_equal(machine_find(&fake->src, &spec, &m, &f), MACHINE_OK);
    assert_ptr_equal(m.profile, &profile_hv);
    assert_string_equal(machine_engine_name(&m), "xen");
    assert_string_equal(machine_region(&m, 0x7f8000000000), "domheap");
    assert_int_equal(machine_read_register(&fake->src, &m, 0, "TCR_EL2", &value), 0);
    assert_int_equal(value, 0x80843510);
    assert_int_equal(machine_read_register(&fake->src, &m, 1, "TTBR0_EL2", &value), 0);
    assert_int_equal(value, ROOT_PA(1));
    assert_int_equal(machine_read_register(&fake->src, &m, 0, "VTCR_EL2", &value), -ENOENT);
    source_close(&fake->src);
}

/* A debugger's registers come first, but for what a CPU without MMU has not set yet. */
static void test_registers_of_ours(void **state)
{
    static const struct fake_register off[] = {
        {"TCR_EL2", 0x1234}, {"SCTLR_EL2", 0}, {"VTCR_EL2", 7}, {NULL, 0}};
    struct fake_source *fake = machine_make(1);
    struct target_spec spec = {0};
    struct failure f;
    struct machine m;
    uint64_t value;

    (void)state;
    fake->ncpu = 1;
    fake->registers = off;
    assert_int_equal(machine_find(&fake->src, &spec, &m, &f), MACHINE_OK);
    assert_int_equal(machine_read_register(&fake->src, &m, 0, "TCR_EL2", &value), 0);
    assert_int_equal(value, 0x80843510);
    assert_int_equal(machine_read_register(&fake->src, &m, 0, "VTCR_EL2", &value), 0);
    assert_int_equal(value, 7);
    source_close(&fake->src);
}

static void check_block(struct fake_source *fake, const struct machine *m, unsigned int cpu,
                        const uint64_t *root, uint64_t va, const char *type)
{
    const struct stage_cpu c = stage_cpu(&fake->src, m, cpu, root);
    struct machine_memory memory = machine_memory(&fake->src, m);
    struct stage stage;
    struct failure f;
    struct walk w;

    assert_int_equal(stage_own(&c), REGIME_EL2);
    assert_int_equal(stage_open(&c, REGIME_EL2, false, &stage, &f), 0);
    assert_int_equal(walk_va(&stage.r, &memory.memory, stage.root, va, &w, &f), 0);
    assert_false(w.faults);
    assert_int_equal(w.pa, 0x80000000 + va % 0x40000000);
    assert_string_equal(w.a.type, type);
}

static void test_foreign_by_registers(void **state)
{
    struct fake_source *fake = foreign_machine(3);
    struct target_spec spec = {0};
    struct beacon_cpu info;
    struct failure f;
    struct machine m;

    (void)state;
    assert_int_equal(machine_find(&fake->src, &spec, &m, &f), MACHINE_OK);
    assert_ptr_equal(m.profile, &profile_el2);
    assert_int_equal(m.beacon.ncpu, 3);
    assert_null(m.note);
    assert_null(machine_engine_name(&m));
    assert_null(machine_region(&m, 0x7f8000000000));
    assert_int_equal(machine_read_cpu(&fake->src, &m, 2, &info), 0);
    assert_int_equal(info.state, BEACON_CPU_ON);
    check_block(fake, &m, 2, NULL, 5 * UINT64_C(0x40000000) + 0x123, "normal-wb");
    assert_int_equal(machine_require_mapcache(&m, &f), -1);
    assert_int_equal(f.status, EXIT_NO_MAPCACHE);
    source_close(&fake->src);
}

static void test_foreign_by_root(void **state)
{
    struct fake_source *fake = foreign_machine(0);
    struct target_spec spec = {.has_root = true, .root = ROOT_PA(0)};
    uint64_t va = UINT64_C(0x7f8000000000) + 5 * UINT64_C(0x40000000);
    struct failure f;
    struct machine m;

    (void)state;
    assert_int_equal(machine_find(&fake->src, &spec, &m, &f), MACHINE_OK);
    assert_ptr_equal(m.profile, &profile_el2);
    assert_non_null(strstr(m.note, "are assumed"));
    check_block(fake, &m, 0, &spec.root, va, "attr0");
    check_block(fake, &m, 0, NULL, va, "attr0");
    source_close(&fake->src);
}

/* Nothing to go by: the sentence is about our image, since that is what most people mean. */
static void test_neither(void **state)
{
    struct fake_source *fake = foreign_machine(0);
    struct target_spec spec = {0};
    struct failure f;
    struct machine m;

    (void)state;
    assert_int_equal(machine_find(&fake->src, &spec, &m, &f), MACHINE_FOREIGN);
    assert_non_null(strstr(f.text, "holds no hvscope image"));
    spec.profile = "el2";
    assert_int_equal(machine_find(&fake->src, &spec, &m, &f), MACHINE_FOREIGN);
    assert_non_null(strstr(f.text, "--gdb"));
    assert_int_equal(f.status, EXIT_NOT_UNDERSTOOD);
    source_close(&fake->src);
}

static void test_named(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct target_spec spec = {.profile = "el2", .has_root = true, .root = ROOT_PA(0)};
    struct failure f;
    struct machine m;
    char names[64];

    (void)state;
    assert_int_equal(machine_find(&fake->src, &spec, &m, &f), MACHINE_OK);
    assert_ptr_equal(m.profile, &profile_el2);
    spec.profile = "hv";
    assert_int_equal(machine_find(&fake->src, &spec, &m, &f), MACHINE_OK);
    assert_ptr_equal(m.profile, &profile_hv);
    assert_null(profile_find("kvm"));
    profile_names(names, sizeof(names));
    assert_string_equal(names, "hv, xen, el2");
    source_close(&fake->src);
}

/* A stage that is off, or whose registers nobody can read, is named. */
static void test_stages_that_are_not_there(void **state)
{
    struct fake_source *fake = foreign_machine(1);
    struct target_spec spec = {0};
    struct stage_cpu c;
    struct stage stage;
    struct failure f;
    struct machine m;

    (void)state;
    assert_int_equal(machine_find(&fake->src, &spec, &m, &f), MACHINE_OK);
    c = stage_cpu(&fake->src, &m, 0, NULL);
    assert_int_equal(stage_open(&c, REGIME_S2, false, &stage, &f), -1);
    assert_string_equal(f.text, "HCR_EL2.VM is 0: stage 2 is off on this CPU");
    assert_int_equal(stage_open(&c, REGIME_EL1, false, &stage, &f), -1);
    assert_non_null(strstr(f.text, "no register SCTLR_EL1"));
    assert_int_equal(stage_below(&c, REGIME_EL1, &stage, &f), 0);
    source_close(&fake->src);
}

static char *printed(command_printer print, struct fake_source *fake, const struct options *o,
                     int status)
{
    struct target_spec spec = o->target;
    struct context ctx = {.o = o, .src = &fake->src};
    struct snapshot *snap;
    struct failure f;
    struct machine m;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    assert_int_equal(machine_find(&fake->src, &spec, &m, &f), MACHINE_OK);
    snap = snapshot_new(m.beacon.ncpu);
    assert_int_equal(snapshot_read(&fake->src, &m, snap, &f), 0);
    ctx.snap = snap;
    assert_int_equal(print(&ctx, out, &f), status);
    fclose(out);
    free(snap);
    return text;
}

static void test_what_is_printed(void **state)
{
    struct fake_source *fake = foreign_machine(2);
    struct options o = {.json = true, .operand = {"0x140000123"}, .nr_operands = 1};
    char *text = printed(print_walk, fake, &o, 0);

    (void)state;
    assert_string_equal(
        text, "{\"schema\":\"hvscope.walk/1\",\"regime\":\"el2\",\"cpu\":0,"
              "\"root\":\"0x40301000\",\"va\":\"0x140000123\",\"steps\":[{\"level\":1,"
              "\"table\":\"0x40301000\",\"index\":5,\"pte\":\"0x80000701\",\"kind\":\"block\"}],"
              "\"result\":{\"pa\":\"0x80000123\",\"size\":\"0x40000000\",\"perm\":\"rwx\","
              "\"perm_el0\":null,\"type\":\"normal-wb\",\"share\":\"inner\",\"software\":\"0x0\"},"
              "\"fault\":null}\n");
    free(text);
    text = printed(print_cpus, fake, &o, 0);
    assert_non_null(strstr(text, "\"target\":{\"kind\":\"el2\",\"engine\":null,\"arch\":\"arm64\","
                                 "\"ncpu\":2},\"state\":null,\"cpus\":[{\"cpu\":0,\"state\":null,"
                                 "\"root\":null,"));
    free(text);
    o.json = false;
    text = printed(print_map, fake, &o, 0);
    assert_string_equal(text,
                        "el2 of CPU0, root 0x40301000, 4K pages, 39-bit addresses from 0x0\n"
                        "  va                     size  pa              L   rights   sh  sw    "
                        "type\n"
                        "  0x140000000              1G  0x80000000      L1  rwx      is        "
                        "wb\n"
                        "  1 ranges, 1 leaves, 1G mapped\n");
    free(text);
    source_close(&fake->src);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ours_is_found),
        cmocka_unit_test(test_registers_of_ours),
        cmocka_unit_test(test_foreign_by_registers),
        cmocka_unit_test(test_foreign_by_root),
        cmocka_unit_test(test_neither),
        cmocka_unit_test(test_named),
        cmocka_unit_test(test_stages_that_are_not_there),
        cmocka_unit_test(test_what_is_printed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
