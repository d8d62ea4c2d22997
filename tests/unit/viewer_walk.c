/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks: the shared vectors, and address spaces as ranges.
 */
#include "model/ranges.h"
#include "viewer_machine.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t hex(const json_t *object, const char *key)
{
    return strtoull(json_string_value(json_object_get(object, key)), NULL, 16);
}

/* Entries by address; every other one lies outside RAM. */
struct vector_memory {
    struct table_memory memory;
    const json_t *entries;
};

static int read_vector(struct table_memory *memory, uint64_t pa, void *buf, size_t len,
                       char why[FAULT_TEXT_MAX])
{
    const json_t *value;
    uint64_t pte;
    char key[24];

    assert_int_equal(len, sizeof(pte));
    snprintf(key, sizeof(key), "0x%llx", (unsigned long long)pa);
    value = json_object_get(((const struct vector_memory *)memory)->entries, key);
    if (!value) {
        snprintf(why, FAULT_TEXT_MAX, "table outside RAM");
        return -1;
    }
    pte = strtoull(json_string_value(value), NULL, 16);
    memcpy(buf, &pte, len);
    return 0;
}

/* of: an object, names to values. */
static int read_register(const void *of, const char *name, uint64_t *value)
{
    const json_t *text = json_object_get(of, name);

    if (!text)
        return -ENOENT;
    *value = strtoull(json_string_value(text), NULL, 16);
    return 0;
}

static void add_hex(json_t *object, const char *key, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "0x%llx", (unsigned long long)value);
    json_object_set_new(object, key, json_string(text));
}

static json_t *result_of(const struct walk *w)
{
    json_t *result = json_object();

    add_hex(result, "pa", w->pa);
    add_hex(result, "size", w->size);
    json_object_set_new(result, "perm", json_string(w->a.perm));
    json_object_set_new(result, "perm_el0",
                        w->a.perm_el0[0] ? json_string(w->a.perm_el0) : json_null());
    json_object_set_new(result, "type", json_string(w->a.type));
    json_object_set_new(result, "share", json_string(w->a.share));
    add_hex(result, "software", w->a.software);
    return result;
}

/* Steps of one walk, and the result or fault of another (or the same). */
static json_t *answer_of(const struct walk *w, const struct walk *end)
{
    json_t *answer = json_object(), *steps = json_array();

    for (unsigned int i = 0; i < w->nr; i++) {
        json_t *step = json_object();

        json_object_set_new(step, "level", json_integer(w->step[i].level));
        add_hex(step, "table", w->step[i].table);
        json_object_set_new(step, "index", json_integer(w->step[i].index));
        add_hex(step, "pte", w->step[i].pte);
        json_object_set_new(step, "kind", json_string(pte_kind_name(w->step[i].kind)));
        json_array_append_new(steps, step);
    }
    json_object_set_new(answer, "steps", steps);
    json_object_set_new(answer, "result", end->faults ? json_null() : result_of(end));
    json_object_set_new(
        answer, "fault",
        end->faults ? json_pack("{s:i,s:s}", "level", end->fault_level, "reason", end->fault)
                    : json_null());
    return answer;
}

static json_t *guest_answer(const struct registers *regs, struct table_memory *memory, uint64_t va,
                            struct failure *f)
{
    static const struct walk nothing;
    struct guest_walk g;
    json_t *answer, *second = json_null();

    if (stage_walk_guest(regs, memory, va, &g, f))
        return NULL;
    answer = answer_of(g.has_stage1 ? &g.first : &nothing, &g.both);
    json_object_set_new(answer, "ipa", json_null());
    if (g.has_ipa)
        add_hex(answer, "ipa", g.ipa);
    if (g.has_ipa && g.has_stage2) {
        second = answer_of(&g.second, &g.second);
        add_hex(second, "root", g.stage2.root);
    }
    json_object_set_new(answer, "s2", second);
    return answer;
}

/* NULL with f if it is refused. root: NULL for the register's own, which is then told. */
static json_t *vector_answer(const char *regime, const struct registers *regs,
                             struct table_memory *memory, const uint64_t *root, uint64_t va,
                             struct failure *f)
{
    enum regime_name name = regime_find(regime);
    struct stage s = {.root = root ? *root : 0};
    json_t *answer;
    struct walk w;

    if (name == REGIMES)
        return guest_answer(regs, memory, va, f);
    if (regime_decode(&s.r, name, regime_is_high(name, va), regs, root ? NULL : &s.root, f) ||
        walk_va(&s.r, memory, s.root, va, &w, f))
        return NULL;
    answer = answer_of(&w, &w);
    if (!root)
        add_hex(answer, "root", s.root);
    return answer;
}

static void check_vector(const json_t *v, const char *regime, const json_t *registers,
                         const uint64_t *root)
{
    const char *name = json_string_value(json_object_get(v, "name"));
    struct vector_memory memory = {{read_vector}, json_object_get(v, "memory")};
    struct registers regs = {read_register, registers};
    struct failure f = {.status = EXIT_DONE};
    json_t *answer = vector_answer(regime, &regs, &memory.memory, root, hex(v, "va"), &f);

    if (json_is_true(json_object_get(v, "error"))) {
        if (answer || f.status != EXIT_NOT_UNDERSTOOD)
            fail_msg("%s: it was understood", name);
        return;
    }
    if (!answer)
        fail_msg("%s: %s", name, f.text);
    if (!json_equal(answer, json_object_get(v, "expect")))
        fail_msg("%s: %s", name, json_dumps(answer, JSON_COMPACT));
    json_decref(answer);
}

/* walks.json has its registers under short names. */
static void check_walk(const json_t *v)
{
    static const char *const names[][2] = {{"tcr", "TCR_EL2"},
                                           {"mair", "MAIR_EL2"},
                                           {"hcr", "HCR_EL2"},
                                           {"sctlr", "SCTLR_EL2"},
                                           {"tcr2", "TCR2_EL2"}};
    static const int sizes[] = {32, 36, 40, 42, 44, 48, 52};
    int pa_bits = (int)json_integer_value(json_object_get(v, "pa_bits")), parange = 0;
    json_t *registers = json_object();
    uint64_t root = hex(v, "root");

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        add_hex(registers, names[i][1], hex(v, names[i][0]));
    while (sizes[parange] != pa_bits)
        parange++;
    add_hex(registers, "ID_AA64MMFR0_EL1", (uint64_t)parange);
    check_vector(v, "el2", registers, &root);
    json_decref(registers);
}

static void check_regime(const json_t *v)
{
    check_vector(v, json_string_value(json_object_get(v, "regime")),
                 json_object_get(v, "registers"), NULL);
}

static void check_file(const char *path, void (*check)(const json_t *), size_t least)
{
    json_error_t error;
    json_t *vectors = json_load_file(path, 0, &error);

    assert_non_null(vectors);
    assert_true(json_array_size(vectors) > least);
    for (size_t i = 0; i < json_array_size(vectors); i++)
        check(json_array_get(vectors, i));
    json_decref(vectors);
}

static void test_walks(void **state)
{
    (void)state;
    check_file(WALK_VECTORS, check_walk, 100);
}

static void test_regimes(void **state)
{
    (void)state;
    check_file(REGIME_VECTORS, check_regime, 500);
}

static int scan(struct fake_source *fake, struct ranges *list, struct failure *f)
{
    struct snapshot *snap = machine_snapshot(fake);
    struct machine_memory memory = machine_memory(&fake->src, &snap->machine);
    const struct stage_cpu cpu = stage_cpu(&fake->src, &snap->machine, 0, NULL);
    struct stage stage;
    int ret;

    *list = (struct ranges){0};
    assert_int_equal(stage_open(&cpu, REGIME_EL2, false, &stage, f), 0);
    assert_int_equal(stage.root, ROOT_PA(0));
    ret = ranges_read(&memory.memory, &stage, &snap->machine, list, f);
    free(snap);
    return ret;
}

static struct ranges read_ranges(struct fake_source *fake)
{
    struct ranges list;
    struct failure f;

    assert_int_equal(scan(fake, &list, &f), 0);
    return list;
}

/* Slots stay apart although frames and slots follow each other; other blocks are merged. */
static void test_ranges(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct ranges list;

    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        fake_put_u64(fake, SLOT_PA(0, 10 + i), SLOT_PTE(0x80000000u + i * 0x200000u, 1));
        fake_put_u64(fake, L1_PA(0) + (4 + i) * 8, SLOT_PTE(UINT64_C(0x40000000) * (i + 1), 0));
    }
    fake_put_u64(fake, L1_PA(0) + 7 * 8, SLOT_PTE(UINT64_C(0x100000000), 2));
    list = read_ranges(fake);
    assert_int_equal(list.nr, 5);
    assert_int_equal(list.range[1].va, 0x7f8000000000 + 11 * 0x200000);
    assert_string_equal(list.range[1].region, "domheap");
    assert_string_equal(list.range[1].a.perm, "rw-");
    assert_int_equal(list.range[3].leaves, 3);
    assert_int_equal(list.range[3].size, 3 * 0x40000000ull);
    assert_null(list.range[3].region);
    assert_int_equal(list.range[4].a.software, 2);
    ranges_free(&list);
    source_close(&fake->src);
}

static void test_ranges_of_broken_tables(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct ranges list;
    struct failure f;

    (void)state;
    fake_put_u64(fake, ROOT_PA(0) + 8, UINT64_C(0x1000) | 0xf7f);
    list = read_ranges(fake);
    assert_int_equal(list.faults, 1);
    assert_string_equal(list.fault[0].why, "table outside RAM");
    assert_int_equal(list.nr, 0);
    for (unsigned int i = 0; i < 32; i++)
        fake_put_u64(fake, ROOT_PA(0) + i * 8, ROOT_PA(0) | 0xf7f);
    assert_int_equal(scan(fake, &list, &f), -1);
    assert_non_null(strstr(f.text, "in circles"));
    source_close(&fake->src);
}

static int enter_source_root(void **state)
{
    (void)state;
    return chdir(SOURCE_ROOT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walks),
        cmocka_unit_test(test_regimes),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_ranges_of_broken_tables),
    };

    return cmocka_run_group_tests(tests, enter_source_root, NULL);
}
