/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What decoding one CPU's slots costs, as a ratio to the least that reading
 * them can cost: 1024 atomic 64-bit loads. Prints nanoseconds; the ratio of the
 * best of many runs is what counts, as anything else measures the neighbours.
 */
#include "viewer_machine.h"

#include "source/ram.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 2000
#define INNER  20

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t load_all(const uint64_t *from)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < SLOTS_MAX; i++)
        sum += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
    return sum;
}

/* The fake machine's memory as a RAM file, which is how a real one is read. */
static int write_ram(const struct fake_source *fake, char *path)
{
    int fd = mkstemp(path);

    if (fd < 0 || ftruncate(fd, BANK_SIZE) != 0)
        return -1;
    for (uint64_t pa = RAM_START; pa < RAM_START + RAM_SIZE; pa += PAGE_SIZE) {
        uint64_t page[PAGE_SIZE / 8];

        if (source_read_phys(&fake->src, pa, page, sizeof(page)) == 0 &&
            pwrite(fd, page, sizeof(page), pa - RAM_START) != (ssize_t)sizeof(page))
            return -1;
    }
    return fd;
}

static void measure(const struct source *src, const struct machine *m, const uint64_t *slots)
{
    struct snapshot *snap = snapshot_new(1);
    uint64_t best_load = UINT64_MAX, best_read = UINT64_MAX;
    volatile uint64_t sink = 0;
    struct failure f;

    for (unsigned int round = 0; snap && round < ROUNDS; round++) {
        uint64_t start = now_ns(), between, end;

        for (unsigned int i = 0; i < INNER; i++)
            sink += load_all(slots);
        between = now_ns();
        for (unsigned int i = 0; i < INNER; i++)
            sink += (uint64_t)snapshot_read(src, m, snap, &f);
        end = now_ns();
        best_load = between - start < best_load ? between - start : best_load;
        best_read = end - between < best_read ? end - between : best_read;
    }
    printf("{\"loads_ns\":%.1f,\"decode_ns\":%.1f,\"ratio\":%.2f}\n", (double)best_load / INNER,
           (double)best_read / INNER, (double)best_read / (double)best_load);
    free(snap);
}

int main(void)
{
    struct fake_source *fake = machine_make(1);
    char path[] = "/tmp/hvscope-decode-XXXXXX";
    struct ram_spec spec = {path, RAM_START};
    struct source *src;
    struct machine m;
    struct failure f;
    int fd;

    for (unsigned int slot = 0; slot < SLOTS_MAX; slot++) {
        uint64_t pte = slot % 5 ? SLOT_PTE(RAM_START + (slot + 1) * SLOT_SIZE, slot % 16) : 0;

        fake_put(fake, SLOT_PA(0, slot), &pte, sizeof(pte));
    }
    fd = write_ram(fake, path);
    src = fd >= 0 ? ram_open(&spec, 1, &f) : NULL;
    if (!src || machine_read(src, NULL, &m, &f) != MACHINE_OK) {
        fprintf(stderr, "viewer_decode: the RAM file cannot be made or read\n");
        unlink(path);
        return 1;
    }
    measure(src, &m,
            (const uint64_t *)mmap(NULL, SLOTS_MAX * 8, PROT_READ, MAP_SHARED, fd,
                                   L2_PA(0) - RAM_START));
    source_close(src);
    unlink(path);
    return 0;
}
