/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of any regime: registers to a regime, entries to words. */
#include "fuzz.h"
#include "model/attributes.h"
#include "model/pte_text.h"

#include <errno.h>
#include <string.h>

#define REGISTERS 16

struct set {
    struct {
        char name[24];
        uint64_t value;
    } reg[REGISTERS];
    struct fuzz *in;
    unsigned int nr;
};

/* Whatever is asked for has a value, always the same. */
static int read_register(const void *of, const char *name, uint64_t *value)
{
    struct set *s = (struct set *)of;

    for (unsigned int i = 0; i < s->nr; i++) {
        if (strcmp(s->reg[i].name, name) == 0) {
            *value = s->reg[i].value;
            return 0;
        }
    }
    if (s->nr == REGISTERS || strlen(name) >= sizeof(s->reg[0].name))
        return -ENOENT;
    strcpy(s->reg[s->nr].name, name);
    *value = s->reg[s->nr++].value = fuzz_number(s->in, 8);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = {data, size};
    struct set set = {.in = &in};
    struct registers regs = {read_register, &set};
    enum regime_name name = fuzz_number(&in, 1) % REGIMES;
    bool high = fuzz_number(&in, 1) % 2 && regime_has_halves(name);
    struct pte_field field[PTE_FIELDS_MAX];
    struct attributes a, b;
    struct regime r;
    struct failure f;
    uint64_t root;
    char text[256];

    regime_is_on(name, &regs, &f);
    if (regime_decode(&r, name, high, &regs, &root, &f) != 0)
        return 0;
    regime_check_root(&r, root, &f);
    while (in.left) {
        lpae_t pte = fuzz_number(&in, 8), above = fuzz_number(&in, 1) << 59;
        uint64_t offset;

        for (int level = r.start_level; level <= 3; level++) {
            enum pte_kind kind = regime_kind(&r, pte, level);

            pte_kind_name(kind);
            regime_output(&r, pte, regime_shift(&r, level));
            leaf_attributes(&r, above, pte, &a);
            leaf_attributes(&r, pte, above, &b);
            entry_flags(&r, pte, kind != KIND_TABLE, text, sizeof(text));
            entry_flags(&r, pte, kind == KIND_TABLE, text, 5);
        }
        attributes_combine(&a, &b);
        pte_fields(pte, pte % 4, field);
        pte_line(pte, pte % 4, text, sizeof(text));
        regime_offset(&r, pte, &offset);
    }
    return 0;
}
