/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tracer's decoders, against what assemblers make: tests/vectors/instructions.txt. */
#include "tracer/decode.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CASES_LEAST 200 /* a file that was cut short is no success */

static const char *const tlbi_names[TRACE_TLBI_OPS] = {
    "ALLE2", "VAE2",  "VALE2", "RVAE2", "RVALE2", "IPAS2E1", "VMALLE1", "VMALLS12E1",
    "ALLE1", "OTHER", "VAE1",  "VALE1", "VAAE1",  "VAALE1",  "ASIDE1",
};
static const char *const scope_names[] = {"local", "inner", "outer"};

static struct decoded decode(const char *set, const char *hex)
{
    unsigned int b[4] = {0};
    size_t size = strlen(hex) / 2;
    uint32_t insn;

    sscanf(hex, "%2x%2x%2x%2x", &b[0], &b[1], &b[2], &b[3]);
    insn = b[0] | b[1] << 8 | b[2] << 16 | b[3] << 24;
    if (strcmp(set, "a64") == 0)
        return decode_a64(insn);
    return strcmp(set, "a32") == 0 ? decode_a32(insn) : decode_t32(insn, size);
}

static int kind_text(const struct decoded *d, char *buf, size_t size)
{
    switch (d->kind) {
    case DECODED_BARRIER:
        return snprintf(buf, size, "barrier %u", d->code);
    case DECODED_TLBI:
        return snprintf(buf, size, "tlbi %s %s x%u%s", tlbi_names[d->op], scope_names[d->scope],
                        d->rt, d->shifted ? " shifted" : "");
    case DECODED_TTBR:
        return snprintf(buf, size, "ttbr x%u x%u", d->rt, d->rt2);
    case DECODED_TCR:
        return snprintf(buf, size, "tcr x%u", d->rt);
    case DECODED_VTTBR:
        return snprintf(buf, size, "vttbr x%u x%u", d->rt, d->rt2);
    case DECODED_VTCR:
        return snprintf(buf, size, "vtcr x%u", d->rt);
    case DECODED_HCR:
        return snprintf(buf, size, "hcr x%u", d->rt);
    case DECODED_TTBR0_EL1:
    case DECODED_TTBR1_EL1:
        return snprintf(buf, size, "ttbr%d_el1%s x%u x%u", d->kind == DECODED_TTBR1_EL1,
                        d->el12 ? "2" : "", d->rt, d->rt2);
    case DECODED_TCR_EL1:
        return snprintf(buf, size, "tcr_el1%s x%u", d->el12 ? "2" : "", d->rt);
    case DECODED_RETURN:
        if (d->popped == DECODED_UNKNOWN)
            return snprintf(buf, size, "return from a frame");
        return snprintf(buf, size, "return +%d", d->popped);
    case DECODED_BRANCH:
        return snprintf(buf, size, "branch %+d", d->offset);
    default:
        return snprintf(buf, size, "other");
    }
}

static void as_text(const struct decoded *d, char *buf, size_t size)
{
    int n = kind_text(d, buf, size);

    if (d->on_stack)
        n += snprintf(buf + n, size - n, " stack");
    if (d->condition != DECODED_ALWAYS)
        snprintf(buf + n, size - n, " cond %u", d->condition);
}

static void test_instructions(void **state)
{
    FILE *f = fopen(VECTORS, "r");
    char line[256], set[8], assembly[64], hex[16], expected[64], got[64];
    unsigned int cases = 0;

    (void)state;
    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        struct decoded d;

        if (line[0] == '#')
            continue;
        assert_int_equal(
            sscanf(line, "%7s | %63[^|]| %15s | %63[^\n]", set, assembly, hex, expected), 4);
        d = decode(set, hex);
        as_text(&d, got, sizeof(got));
        if (strcmp(got, expected) != 0)
            print_error("%s %s(%s): %s, not %s\n", set, assembly, hex, got, expected);
        assert_string_equal(got, expected);
        cases++;
    }
    fclose(f);
    assert_true(cases >= CASES_LEAST);
}

/* No word is read beyond what the tables have, and what is told is in range. */
static void test_any_word(void **state)
{
    uint32_t word = 1;

    (void)state;
    for (unsigned int i = 0; i < 3000000; i++) {
        struct decoded d[] = {decode_a64(word), decode_a32(word), decode_t32(word, 4),
                              decode_t32(word, 2)};

        for (unsigned int n = 0; n < 4; n++) {
            assert_true(d[n].op < TRACE_TLBI_OPS && d[n].scope <= TRACE_SCOPE_OUTER);
            assert_true(d[n].code < 16 && d[n].rt < 32 && d[n].rt2 < 32 && d[n].condition < 15);
            assert_true(d[n].popped >= DECODED_UNKNOWN && d[n].popped <= 64);
        }
        word = word * 1664525 + 1013904223;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_instructions),
        cmocka_unit_test(test_any_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
