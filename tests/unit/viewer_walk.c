/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks: the shared vectors, and address spaces as ranges.
 */
#include "model/ranges.h"
#include "viewer_machine.h"

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

/* memory: an object, addresses to entries. */
static int read_vector(void *memory, uint64_t pa, uint64_t *pte)
{
    char key[24];
    const json_t *value;

    snprintf(key, sizeof(key), "0x%llx", (unsigned long long)pa);
    value = json_object_get(memory, key);
    if (!value)
        return -1;
    *pte = strtoull(json_string_value(value), NULL, 16);
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
    json_object_set_new(result, "perm", json_string(w->perm));
    json_object_set_new(result, "perm_el0", json_null());
    json_object_set_new(result, "type", json_string(w->type));
    json_object_set_new(result, "share", json_string(w->share));
    add_hex(result, "software", pte_refs(w->pte));
    return result;
}

static json_t *answer_of(const struct walk *w)
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
    json_object_set_new(answer, "result", w->fault ? json_null() : result_of(w));
    json_object_set_new(answer, "fault",
                        w->fault
                            ? json_pack("{s:i,s:s}", "level", w->fault_level, "reason", w->fault)
                            : json_null());
    return answer;
}

static void check_vector(const json_t *v)
{
    const char *name = json_string_value(json_object_get(v, "name"));
    struct regime_registers reg = {
        .tcr = hex(v, "tcr"),
        .mair = hex(v, "mair"),
        .hcr = hex(v, "hcr"),
        .sctlr = hex(v, "sctlr"),
        .tcr2 = hex(v, "tcr2"),
        .pa_bits = json_integer_value(json_object_get(v, "pa_bits")),
    };
    struct failure f = {.status = EXIT_DONE};
    struct regime r;
    struct walk w;
    json_t *answer;
    int ret = regime_init(&r, &reg, &f);

    if (ret == 0)
        ret = walk_va(&r, read_vector, json_object_get(v, "memory"), hex(v, "root"), hex(v, "va"),
                      &w, &f);
    if (json_is_true(json_object_get(v, "error"))) {
        if (ret == 0 || f.status != EXIT_NOT_UNDERSTOOD)
            fail_msg("%s: it was understood", name);
        return;
    }
    if (ret)
        fail_msg("%s: %s", name, f.text);
    answer = answer_of(&w);
    if (!json_equal(answer, json_object_get(v, "expect")))
        fail_msg("%s: %s", name, json_dumps(answer, JSON_COMPACT));
    json_decref(answer);
}

static void test_vectors(void **state)
{
    json_error_t error;
    json_t *vectors = json_load_file(WALK_VECTORS, 0, &error);

    (void)state;
    assert_non_null(vectors);
    assert_true(json_array_size(vectors) > 100);
    for (size_t i = 0; i < json_array_size(vectors); i++)
        check_vector(json_array_get(vectors, i));
    json_decref(vectors);
}

static struct ranges read_ranges(struct fake_source *fake)
{
    struct snapshot *snap = machine_snapshot(fake);
    struct ranges list;
    struct failure f;
    struct regime r;

    assert_int_equal(regime_of_machine(&r, &snap->machine, &f), 0);
    assert_int_equal(ranges_read(&fake->src, &snap->machine, &r, ROOT_PA(0), &list, &f), 0);
    free(snap);
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
    assert_string_equal(list.range[1].perm, "rw-");
    assert_int_equal(list.range[3].leaves, 3);
    assert_int_equal(list.range[3].size, 3 * 0x40000000ull);
    assert_null(list.range[3].region);
    assert_int_equal(list.range[4].software, 2);
    ranges_free(&list);
    source_close(&fake->src);
}

static void test_ranges_of_broken_tables(void **state)
{
    struct fake_source *fake = machine_make(1);
    struct snapshot *snap = machine_snapshot(fake);
    struct ranges list;
    struct failure f;
    struct regime r;

    (void)state;
    fake_put_u64(fake, ROOT_PA(0) + 8, UINT64_C(0x1000) | 0xf7f);
    list = read_ranges(fake);
    assert_int_equal(list.faults, 1);
    assert_int_equal(list.nr, 0);
    for (unsigned int i = 0; i < 32; i++)
        fake_put_u64(fake, ROOT_PA(0) + i * 8, ROOT_PA(0) | 0xf7f);
    assert_int_equal(regime_of_machine(&r, &snap->machine, &f), 0);
    assert_int_equal(ranges_read(&fake->src, &snap->machine, &r, ROOT_PA(0), &list, &f), -1);
    assert_non_null(strstr(f.text, "in circles"));
    free(snap);
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
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_ranges),
        cmocka_unit_test(test_ranges_of_broken_tables),
    };

    return cmocka_run_group_tests(tests, enter_source_root, NULL);
}
