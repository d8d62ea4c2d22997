/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Walks and lists of ranges over tables that are random, and loop: the input is the memory. */
#include "fuzz.h"
#include "model/ranges.h"

#include <errno.h>
#include <string.h>

#define PAGES 8u /* that there are: every address leads to one of them */

struct loops {
    struct table_memory memory;
    const uint8_t *data;
    size_t size;
    unsigned int reads;
};

static int read_memory(struct table_memory *memory, uint64_t pa, void *buf, size_t len,
                       char why[FAULT_TEXT_MAX])
{
    struct loops *m = (struct loops *)memory;
    uint8_t *to = buf;

    if (pa >> 40 == 0xff || m->reads++ > 2000) {
        strcpy(why, "outside RAM");
        return -EFAULT;
    }
    for (size_t i = 0; i < len; i++)
        to[i] = m->size ? m->data[(pa + i) % (PAGES * 4096) % m->size] : 0;
    return 0;
}

static int read_register(const void *of, const char *name, uint64_t *value)
{
    const uint64_t *reg = of;

    *value = reg[(unsigned char)name[0] % 2 + 2 * (strstr(name, "TTBR") != NULL)];
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = {data, size};
    uint64_t reg[4] = {fuzz_number(&in, 8), fuzz_number(&in, 8), fuzz_number(&in, 8),
                       fuzz_number(&in, 8)};
    struct registers regs = {read_register, reg};
    enum regime_name name = fuzz_number(&in, 1) % REGIMES;
    uint64_t va = fuzz_number(&in, 8);
    bool high = regime_has_halves(name) && regime_is_high(name, va);
    struct loops m = {{read_memory}, in.at, in.left, 0};
    struct ranges list = {0};
    struct guest_walk g;
    struct stage stage;
    struct failure f;
    struct walk w;

    if (regime_decode(&stage.r, name, high, &regs, &stage.root, &f) == 0) {
        walk_va(&stage.r, &m.memory, stage.root, va, &w, &f);
        m.reads = 0;
        ranges_read(&m.memory, &stage, NULL, &list, &f);
        ranges_free(&list);
    }
    m.reads = 0;
    stage_walk_guest(&regs, &m.memory, va, &g, &f);
    return 0;
}
