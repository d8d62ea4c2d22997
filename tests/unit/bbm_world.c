/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bbm_world.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t pages[8];
static void *spare; /* of a world before: they are all of one size */

static bool read_table(void *context, uint64_t pa, uint64_t entry[PT_ENTRIES])
{
    struct world *w = context;

    for (unsigned int i = 0; i < 8; i++) {
        if (pages[i] == pa) {
            memcpy(entry, w->entry[i], sizeof(w->entry[i]));
            return true;
        }
    }
    return false;
}

static uint64_t *page(struct world *w, uint64_t pa)
{
    unsigned int i = 0;

    while (i < 8 && pages[i] != pa && pages[i])
        i++;
    if (i == 8)
        abort();
    pages[i] = pa;
    return w->entry[i];
}

static void tables_make(struct world *w)
{
    memset(pages, 0, sizeof(pages));
    memset(w->entry, 0, sizeof(w->entry));
    for (unsigned int cpu = 0; cpu < 2; cpu++) {
        page(w, WORLD_ROOT(cpu))[255] = WORLD_L1(cpu) | PTE_XEN_TABLE;
        page(w, WORLD_L1(cpu))[0] = WORLD_L2(cpu, 0) | PTE_XEN_TABLE;
        page(w, WORLD_L1(cpu))[2] = WORLD_SHARED | PTE_XEN_TABLE;
    }
    page(w, WORLD_L1(0))[1] = WORLD_L2(0, 1) | PTE_XEN_TABLE;
    page(w, WORLD_L2(0, 0));
    page(w, WORLD_L2(0, 1));
    page(w, WORLD_L2(1, 0));
    page(w, WORLD_SHARED);
}

void world_make(struct world *w, unsigned int bbm_level, bool known, bool shared)
{
    struct bbm_config config = {.ncpu = 2,
                                .level = bbm_level,
                                .known = known,
                                .ordered = true,
                                .pages = 16,
                                .ghosts = 512,
                                .read = read_table,
                                .context = w};

    memset(w, 0, sizeof(*w));
    tables_make(w);
    w->table = shared ? WORLD_SHARED : WORLD_L2(0, 0);
    w->va = (shared ? SHARED_VA : PRIVATE_VA) + WORLD_INDEX * (UINT64_C(1) << 21);
    *world_entry(w, 0) = BLOCK_A;
    w->memory = spare ? spare : malloc(bbm_size(&config));
    spare = NULL;
    w->bbm = bbm_init(w->memory, &config);
    bbm_root(w->bbm, 0, WORLD_ROOT(0));
    bbm_root(w->bbm, 1, WORLD_ROOT(1));
}

void world_free(struct world *w)
{
    free(spare);
    spare = w->memory;
}

uint64_t *world_entry(struct world *w, unsigned int n)
{
    return &page(w, w->table)[WORLD_INDEX + n];
}

void world_event(struct world *w, struct bbm_event e)
{
    e.time = w->time += 10;
    if (e.kind == BBM_STORE) {
        uint64_t *at = &page(w, e.pa & ~PAGE_MASK)[(e.pa & PAGE_MASK) / 8];

        e.old = *at;
        *at = e.new;
    }
    w->last = e;
    bbm_event(w->bbm, &e);
}

static void store(struct world *w, unsigned int cpu, uint64_t new)
{
    world_event(w, (struct bbm_event){.kind = BBM_STORE,
                                      .cpu = cpu,
                                      .where = 0x1000,
                                      .pa = w->table + WORLD_INDEX * 8,
                                      .new = new});
}

static void word_store(struct world *w, unsigned int cpu, const char *word)
{
    static const struct {
        const char *word;
        uint64_t value;
    } values[] = {
        {"S0", 0},
        {"Sa", BLOCK_A},
        {"Sb", BLOCK_B},
        {"Sc", BLOCK_C},
        {"Sro", BLOCK_A | PTE_RO},
        {"Sxn", BLOCK_A & ~PTE_XN},
        {"Saf", BLOCK_A & ~PTE_AF},
        {"Swt", (BLOCK_A & ~PTE_ATTR_MASK) | PTE_ATTR(MAIR_NORMAL_WT)},
        {"Ssh", (BLOCK_A & ~PTE_SH_MASK) | PTE_SH_OUTER},
        {"Scont", BLOCK_A | PTE_CONT},
        {"Stable", WORLD_L3 | PTE_XEN_TABLE},
    };

    for (unsigned int i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (strcmp(values[i].word, word) == 0) {
            store(w, cpu, values[i].value);
            return;
        }
    }
    fprintf(stderr, "no such word: %s\n", word);
    abort();
}

static void word_dsb(struct world *w, unsigned int cpu, const char *word)
{
    static const struct {
        const char *word;
        enum trace_barrier code;
    } codes[] = {
        {"D", TRACE_DSB_NSH},    {"Dst", TRACE_DSB_NSHST},    {"Dld", TRACE_DSB_NSHLD},
        {"Dish", TRACE_DSB_ISH}, {"Dishst", TRACE_DSB_ISHST}, {"Dishld", TRACE_DSB_ISHLD},
        {"Dosh", TRACE_DSB_OSH}, {"Dsy", TRACE_DSB_SY},       {"Dsyst", TRACE_DSB_ST},
        {"I", TRACE_ISB},
    };

    for (unsigned int i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        if (strcmp(codes[i].word, word) == 0) {
            world_event(w,
                        (struct bbm_event){.kind = BBM_BARRIER, .cpu = cpu, .code = codes[i].code});
            return;
        }
    }
    fprintf(stderr, "no such word: %s\n", word);
    abort();
}

/* RVALE2 from the slot on: SCALE 2, 2048 * (n + 1) pages, four slots each. */
static void word_range(struct world *w, unsigned int cpu, unsigned int n)
{
    world_event(w, (struct bbm_event){.kind = BBM_TLBI,
                                      .cpu = cpu,
                                      .op = TRACE_TLBI_RVALE2,
                                      .operand = (w->va >> 12 & ((UINT64_C(1) << 37) - 1)) |
                                                 (uint64_t)n << 39 | UINT64_C(2) << 44 |
                                                 UINT64_C(1) << 46});
}

static void word_tlbi(struct world *w, unsigned int cpu, const char *word)
{
    struct bbm_event e = {.kind = BBM_TLBI, .cpu = cpu, .where = 0x2000};
    uint64_t va = w->va;

    if (strchr(word, '+'))
        va += 0x123000;
    else if (strchr(word, 'n'))
        va += UINT64_C(1) << 21;
    else if (strchr(word, 'p'))
        va -= 0x1000;
    e.op = *word == 'T' ? TRACE_TLBI_VAE2 : *word == 'L' ? TRACE_TLBI_VALE2 : TRACE_TLBI_ALLE2;
    e.scope = strstr(word, "is") ? TRACE_SCOPE_INNER : TRACE_SCOPE_LOCAL;
    e.operand = va >> 12;
    world_event(w, e);
}

static void word_do(struct world *w, const char *word)
{
    unsigned int cpu = 0;

    if (word[1] == ':') {
        cpu = (unsigned int)(word[0] - '0');
        word += 2;
    }
    if (*word == 'S')
        word_store(w, cpu, word);
    else if (*word == 'R')
        store(w, cpu, *world_entry(w, 0) ^ (UINT64_C(1) << PTE_REFS_SHIFT));
    else if (*word == 'D' || *word == 'I')
        word_dsb(w, cpu, word);
    else if (*word == 'G')
        word_range(w, cpu, (unsigned int)atoi(word + 1));
    else
        word_tlbi(w, cpu, word);
}

void world_do(struct world *w, const char *words)
{
    char copy[512], *rest = copy, *word;

    snprintf(copy, sizeof(copy), "%s", words);
    while ((word = strsep(&rest, " ")) != NULL) {
        if (*word)
            word_do(w, word);
    }
}
