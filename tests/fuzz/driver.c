/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a target without libFuzzer: each file that is named (all of a folder's), then as many
 * changed ones as -runs says. What an input is depends on -seed and its number alone. Options
 * are those of libFuzzer. An input that ends the program is left as a file.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SIZE_MAX_KEPT (1u << 20)
#define SEEDS_MAX     512

struct bytes {
    uint8_t *data;
    size_t size;
};

static struct bytes seeds[SEEDS_MAX], now;
static unsigned int nr_seeds;
static const char *artifacts = "";
static uint64_t state;

void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

/* xorshift64*: the same sequence everywhere. */
static uint64_t next(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * UINT64_C(2685821657736338717) >> 16;
}

static void on_death(void)
{
    char path[512];
    FILE *out;

    snprintf(path, sizeof(path), "%scrash-%zu", artifacts, now.size);
    out = fopen(path, "wb");
    if (out && fwrite(now.data, 1, now.size, out) == now.size)
        fprintf(stderr, "the input is in %s\n", path);
    if (out)
        fclose(out);
}

static void take_file(const char *path)
{
    FILE *in = fopen(path, "rb");
    struct bytes *s = &seeds[nr_seeds];

    if (!in || nr_seeds == SEEDS_MAX) {
        fprintf(stderr, "%s cannot be taken\n", path);
        exit(1);
    }
    s->data = malloc(SIZE_MAX_KEPT);
    s->size = fread(s->data, 1, SIZE_MAX_KEPT, in);
    fclose(in);
    nr_seeds++;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static void take(const char *path)
{
    struct dirent **entry;
    struct stat st;
    int n;

    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) {
        take_file(path);
        return;
    }
    n = scandir(path, &entry, NULL, by_name);
    for (int i = 0; i < n; i++) {
        char name[512];

        snprintf(name, sizeof(name), "%s/%s", path, entry[i]->d_name);
        if (entry[i]->d_name[0] != '.')
            take_file(name);
        free(entry[i]);
    }
    if (n >= 0)
        free(entry);
}

/* An exact copy, so that a byte behind it is one too many. */
static void run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    if (size)
        memcpy(copy, data, size);
    now = (struct bytes){copy, size};
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static void change(struct bytes *b)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xff, 0xfe, 0x40, 0x20};
    size_t at = b->size ? next() % b->size : 0, n = 1 + next() % 16;

    switch (next() % 6) {
    case 0: /* a bit */
        if (b->size)
            b->data[at] ^= (uint8_t)(1u << next() % 8);
        break;
    case 1: /* a byte */
        if (b->size)
            b->data[at] = (uint8_t)next();
        break;
    case 2: /* bytes of an edge */
        for (size_t i = 0; i < n && at + i < b->size; i++)
            b->data[at + i] = edges[n % sizeof(edges)];
        break;
    case 3: /* cut */
        b->size = at;
        break;
    case 4: /* more */
        for (size_t i = 0; i < n && b->size < SIZE_MAX_KEPT; i++)
            b->data[b->size++] = (uint8_t)next();
        break;
    default: /* a piece of another one */
        if (nr_seeds) {
            const struct bytes *from = &seeds[next() % nr_seeds];
            size_t start = from->size ? next() % from->size : 0;

            for (size_t i = 0; i < 4 * n && start + i < from->size && at + i < b->size; i++)
                b->data[at + i] = from->data[start + i];
        }
    }
}

static void mutate(struct bytes *b, size_t max)
{
    unsigned int n = 1 + next() % 8;

    b->size = 0;
    if (nr_seeds && next() % 8) {
        const struct bytes *from = &seeds[next() % nr_seeds];

        b->size = from->size;
        memcpy(b->data, from->data, from->size);
    } else {
        for (size_t i = next() % 512; i; i--)
            b->data[b->size++] = (uint8_t)next();
    }
    while (n--)
        change(b);
    if (b->size > max)
        b->size = max;
}

int main(int argc, char **argv)
{
    unsigned long runs = 0, seed = 1, max = SIZE_MAX_KEPT;
    struct bytes b = {malloc(SIZE_MAX_KEPT), 0};

    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(on_death);
    for (int i = 1; i < argc; i++) {
        if (sscanf(argv[i], "-runs=%lu", &runs) == 1 || sscanf(argv[i], "-seed=%lu", &seed) == 1 ||
            sscanf(argv[i], "-max_len=%lu", &max) == 1)
            continue;
        if (strncmp(argv[i], "-artifact_prefix=", 17) == 0)
            artifacts = argv[i] + 17;
        else if (argv[i][0] != '-')
            take(argv[i]);
    }
    for (unsigned int i = 0; i < nr_seeds; i++)
        run(seeds[i].data, seeds[i].size);
    for (unsigned long i = 0; i < runs; i++) {
        state = (seed * UINT64_C(0x9e3779b97f4a7c15) + i) | 1;
        for (unsigned int n = 0; n < 8; n++)
            next();
        mutate(&b, max);
        run(b.data, b.size);
    }
    printf("Done %lu runs\n", runs + nr_seeds);
    free(b.data);
    for (unsigned int i = 0; i < nr_seeds; i++)
        free(seeds[i].data);
    return 0;
}
