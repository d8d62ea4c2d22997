/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checker, told of any events: it stays inside its memory, and its findings have words. */
#include "core/bbm.h"
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#define ROOT UINT64_C(0x100000)

static bool read_table(void *context, uint64_t pa, uint64_t entry[PT_ENTRIES])
{
    (void)context;
    memset(entry, 0, PT_ENTRIES * sizeof(entry[0]));
    entry[pa >> 12 & 0xff] = (pa & ~UINT64_C(0xfff)) + 0x1f7f;
    return pa >> 13 & 1;
}

static void tell(struct bbm *b, struct fuzz *in)
{
    struct bbm_event e = {
        .kind = fuzz_number(in, 1) % (BBM_USE + 1),
        .cpu = fuzz_number(in, 1) % 3,
        .pa = ROOT + fuzz_number(in, 2) * 8,
        .old = fuzz_number(in, 8),
        .new = fuzz_number(in, 8),
        .operand = fuzz_number(in, 8),
        .ticket = fuzz_number(in, 1),
        .op = fuzz_number(in, 1) % 16,
        .scope = fuzz_number(in, 1) % 4,
        .code = fuzz_number(in, 1) % 16,
        .foreign = fuzz_number(in, 1) == 7,
    };

    switch (fuzz_number(in, 1) % 32) {
    case 0:
        bbm_lost(b, e.cpu, e.old);
        break;
    case 1:
        bbm_root(b, e.cpu, e.pa & ~UINT64_C(0xfff));
        break;
    default:
        bbm_event(b, &e);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = {data, size};
    unsigned int bits = fuzz_number(&in, 1);
    struct bbm_config config = {
        .ncpu = 1 + bits % 3,
        .level = bits >> 2 & 3,
        .ha = bits >> 4 & 1,
        .known = bits >> 5 & 1,
        .ordered = bits >> 6 & 1,
        .pages = 1 + fuzz_number(&in, 1) % 16,
        .ghosts = 1 + fuzz_number(&in, 1) % 16,
        .read = bits >> 7 ? read_table : NULL,
    };
    void *memory = malloc(bbm_size(&config));
    struct bbm *b = bbm_init(memory, &config);
    static const uint64_t empty[PT_ENTRIES];

    for (unsigned int cpu = 0; cpu < config.ncpu; cpu++) {
        bbm_root(b, cpu, ROOT + cpu * 0x1000);
        bbm_table(b, ROOT + cpu * 0x1000, 0, 0, empty);
    }
    while (in.left)
        tell(b, &in);
    for (unsigned int i = 0; i < bbm_nr_findings(b); i++) {
        const struct bbm_finding *f = bbm_finding(b, i);

        bbm_rule_tag(f);
        bbm_rule_text(f->rule);
        bbm_tier_name(f->tier);
        bbm_missing_text(f->missing);
    }
    bbm_totals(b);
    free(memory);
    return 0;
}
