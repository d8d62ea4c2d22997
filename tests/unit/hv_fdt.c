/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device tree reader, on the tree that QEMU makes for 3 CPUs and two banks
 * (its path is in the binary), and on every way to cut or change it by a byte.
 * Built with sanitizers: a read outside the blob ends the test.
 */
#include "core/fdt.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static uint8_t *dtb;
static uint32_t dtb_size;

/* The blocks end long before the file: QEMU leaves room. The tests use what is filled. */
static uint32_t be32_at(uint32_t offset)
{
    return (uint32_t)fdt_cells(dtb + offset, 1);
}

static void be32_put(uint8_t *p, uint32_t value)
{
    for (unsigned int i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (24 - 8 * i));
}

static int load(void **state)
{
    FILE *f = fopen(VIRT_DTB, "rb");
    uint32_t structure, strings;

    (void)state;
    dtb = malloc(1 << 21);
    if (!f || !dtb || fread(dtb, 1, 1 << 21, f) < 40)
        return -1;
    fclose(f);
    structure = be32_at(8) + be32_at(36);
    strings = be32_at(12) + be32_at(32);
    dtb_size = structure > strings ? structure : strings;
    be32_put(dtb + 4, dtb_size);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    free(dtb);
    return 0;
}

static void test_what_qemu_says(void **state)
{
    uint64_t base, size, mpidr;

    (void)state;
    assert_int_equal(fdt_check(dtb, dtb_size), dtb_size);
    assert_true(fdt_reg(dtb, "memory", 0, &base, &size)); /* the last bank is the first node */
    assert_int_equal(base, 0x80000000);
    assert_true(fdt_reg(dtb, "memory", 1, &base, &size));
    assert_int_equal(base, 0x40000000);
    assert_int_equal(size, 0x40000000);
    assert_false(fdt_reg(dtb, "memory", 2, &base, &size));
    assert_true(fdt_cpu(dtb, 2, &mpidr));
    assert_int_equal(mpidr, 2);
    assert_false(fdt_cpu(dtb, 3, &mpidr));
    assert_true(fdt_find_uart(dtb, &base));
    assert_int_equal(base, 0x9000000);
    assert_true(fdt_find_reg(dtb, "arm,gic-v3", 1, &base, &size));
    assert_int_equal(base, 0x80a0000);
    assert_string_equal(fdt_string(dtb, "/psci", "method"), "smc");
    assert_string_equal(fdt_string(dtb, "/chosen", "bootargs"), "pace=20");
    assert_null(fdt_string(dtb, "/chosen", "nothing"));
    assert_null(fdt_string(dtb, "/nothing", "method"));
}

/* Everything that the image asks, on a blob that may be anything. Ends, and reads inside it. */
static void ask_all(const uint8_t *blob, uint64_t size)
{
    uint64_t base, bytes, mpidr;
    struct fdt_node node;
    unsigned int n = 0;

    if (!fdt_check(blob, size))
        return;
    while (n < 1000 && fdt_reg(blob, "memory", n, &base, &bytes))
        n++;
    assert_in_range(n, 0, 999);
    for (n = 0; n < 1000 && fdt_cpu(blob, n, &mpidr);)
        n++;
    assert_in_range(n, 0, 999);
    for (n = 0; fdt_reserved(blob, n, &base, &bytes);)
        n++;
    fdt_find_uart(blob, &base);
    fdt_find_reg(blob, "arm,gic-v3", 1, &base, &bytes);
    fdt_string(blob, "/psci", "method");
    fdt_string(blob, "/chosen", "bootargs");
    if (fdt_find(blob, "/chosen", &node))
        fdt_name(blob, node);
}

/* In memory of exactly its size, so that the sanitizer sees a byte too far. */
static void test_cut_at_every_length(void **state)
{
    (void)state;
    for (uint32_t size = 0; size < dtb_size; size++) {
        uint8_t *cut = malloc(size ? size : 1);

        memcpy(cut, dtb, size);
        assert_int_equal(fdt_check(cut, size), 0);
        if (size >= 40 && size % 4 == 0) {
            be32_put(cut + 4, size);
            ask_all(cut, size);
            be32_put(cut + 36, size - be32_at(8) < be32_at(36) ? size - be32_at(8) : be32_at(36));
            be32_put(cut + 32, 0);
            be32_put(cut + 12, 0);
            ask_all(cut, size);
        }
        free(cut);
    }
}

static void test_every_byte_flipped(void **state)
{
    static const uint8_t flip[] = {0xff, 0x01};
    uint8_t *copy = malloc(dtb_size);

    (void)state;
    for (uint32_t i = 0; i < dtb_size; i++) {
        for (unsigned int k = 0; k < sizeof(flip); k++) {
            memcpy(copy, dtb, dtb_size);
            copy[i] ^= flip[k];
            ask_all(copy, dtb_size);
        }
    }
    free(copy);
}

static void test_headers_that_lie(void **state)
{
    static const uint32_t values[] = {0, 1, 4, 39, 0x7fffffff, 0x80000000, 0xfffffffc, 0xffffffff};
    uint8_t *copy = malloc(dtb_size);

    (void)state;
    for (unsigned int word = 0; word < 10; word++) {
        for (unsigned int i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            memcpy(copy, dtb, dtb_size);
            be32_put(copy + 4 * word, values[i]);
            ask_all(copy, dtb_size);
        }
    }
    free(copy);
}

/* "/" and "/chosen" with one property of this length and 8 bytes of value, then the end. */
static const uint32_t structure_words[] = {1, 0, 1, 0x63686f73, 0x656e0000, 3, 8, 0};

#define STRUCTURE_SIZE (sizeof(structure_words) + 8)

static void put_structure(uint8_t *at, uint32_t length)
{
    for (unsigned int i = 0; i < sizeof(structure_words) / 4; i++)
        be32_put(at + 4 * i, structure_words[i]);
    be32_put(at + 24, length);
    memcpy(at + sizeof(structure_words), "pace=123", 8);
}

/* In memory of its size: the strings first or last. What the image reads of bootargs. */
static bool small_tree(uint32_t length, const char *strings, uint32_t strings_size, bool last)
{
    uint32_t structure = last ? 40 : 40 + ((strings_size + 3) & ~3u);
    uint32_t names = last ? 40 + STRUCTURE_SIZE : 40;
    uint32_t size = last ? names + strings_size : structure + STRUCTURE_SIZE;
    const uint32_t words[] = {0xd00dfeed, size, structure, names,        size,
                              17,         16,   0,         strings_size, STRUCTURE_SIZE};
    uint8_t *blob = calloc(1, size);
    bool found;

    for (unsigned int i = 0; i < 10; i++)
        be32_put(blob + 4 * i, words[i]);
    memcpy(blob + names, strings, strings_size);
    put_structure(blob + structure, length);
    assert_int_equal(fdt_check(blob, size), size);
    found = fdt_string(blob, "/chosen", "bootargs") != NULL;
    free(blob);
    return found;
}

/* The block ends with the value, which claims to be longer; it has no NUL of its own. */
static void test_value_that_claims_more(void **state)
{
    (void)state;
    for (uint32_t length = 0; length < 40; length++)
        assert_false(small_tree(length, "bootargs", 9, false));
    assert_false(small_tree(0xffffffff, "bootargs", 9, false));
}

/* The blob ends inside the name that is looked for. */
static void test_name_that_is_cut(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 9; n++)
        assert_false(small_tree(8, "bootargs", n, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_qemu_says),         cmocka_unit_test(test_cut_at_every_length),
        cmocka_unit_test(test_every_byte_flipped),     cmocka_unit_test(test_headers_that_lie),
        cmocka_unit_test(test_value_that_claims_more), cmocka_unit_test(test_name_that_is_cut),
    };

    return cmocka_run_group_tests(tests, load, unload);
}
