/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tracer/ring.h"
#include "tracer/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <hvscope/pte.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S   1000000000u
#define CPU_OFFSET 1024 /* of the blocks, from the beacon */

struct ring {
    struct beacon_cpu *block;
    struct trace_record *records;
    uint64_t head, sides, barriers;
    uint64_t word; /* the barrier word */
};

static struct ring rings[GUEST_CPUS_MAX];
static struct trace_file *file;
static uint64_t entries_mask;
static uint64_t start_ns;
static uint64_t tickets;

static uint64_t host_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static uint64_t header_bytes(unsigned int ncpu)
{
    uint64_t bytes = CPU_OFFSET + ncpu * sizeof(struct beacon_cpu);

    return (bytes + PAGE_SIZE - 1) & ~(uint64_t)(PAGE_SIZE - 1);
}

static uint64_t file_bytes(unsigned int ncpu, uint64_t entries)
{
    return header_bytes(ncpu) + ncpu * entries * sizeof(struct trace_record);
}

/* Space for as many entries as there is room for; 0: not even for the least. */
static uint64_t take_space(int fd, unsigned int ncpu, uint64_t entries)
{
    while (entries >= TRACE_FILE_ENTRIES_LEAST) {
        if (posix_fallocate(fd, 0, (off_t)file_bytes(ncpu, entries)) == 0)
            return entries;
        if (ftruncate(fd, 0) != 0)
            return 0;
        entries /= 2;
    }
    return 0;
}

static void fill_beacon(struct beacon *b, unsigned int ncpu, uint64_t bytes)
{
    *b = (struct beacon){
        .version = BEACON_VERSION,
        .size = sizeof(*b),
        .boot_id = (uint64_t)time(NULL) << 32 | (uint32_t)getpid(),
        .state = BEACON_MMU_ON,
        .exit_status = BEACON_EXIT_NONE,
        .ncpu = ncpu,
        .image_pa = TRACE_FILE_PA,
        .image_size = bytes,
        .cntfrq = NS_PER_S,
        .trace_mode = TRACE_ALL,
        .cpu_offset = CPU_OFFSET,
        .cpu_stride = sizeof(struct beacon_cpu),
        .nr_banks = 1,
        .bank[0] = {TRACE_FILE_PA, bytes},
    };
}

static void ring_init(struct ring *r, unsigned int cpu, unsigned int ncpu, uint64_t entries)
{
    uint64_t offset = header_bytes(ncpu) + cpu * entries * sizeof(struct trace_record);

    r->block = (struct beacon_cpu *)((char *)file + CPU_OFFSET) + cpu;
    r->records = (struct trace_record *)((char *)file + offset);
    r->word = TRACE_BARRIERS_NONE;
    *r->block =
        (struct beacon_cpu){.mpidr = cpu, .ring = TRACE_FILE_PA + offset, .ring_entries = entries};
}

struct trace_file *ring_create(const char *path, unsigned int ncpu, uint64_t entries)
{
    int fd;
    uint64_t room;

    unlink(path); /* one that somebody still reads stays what it is */
    fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    room = fd < 0 ? 0 : take_space(fd, ncpu, entries);
    if (room)
        file = mmap(NULL, file_bytes(ncpu, room), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (!room || file == MAP_FAILED) {
        fprintf(stderr, "tracer: no room for %s (%llu KiB): %s\n", path,
                (unsigned long long)file_bytes(ncpu, TRACE_FILE_ENTRIES_LEAST) >> 10,
                fd < 0 ? strerror(errno) : "the disk is full");
        return NULL;
    }
    start_ns = host_ns();
    entries_mask = room - 1;
    fill_beacon(&file->beacon, ncpu, file_bytes(ncpu, room));
    for (unsigned int cpu = 0; cpu < ncpu; cpu++)
        ring_init(&rings[cpu], cpu, ncpu, room);
    file->totals.entries = entries;
    return file;
}

void ring_publish(void)
{
    __atomic_store_n(&file->beacon.magic, BEACON_MAGIC, __ATOMIC_RELEASE);
}

struct beacon_cpu *ring_cpu(unsigned int cpu)
{
    return rings[cpu].block;
}

static uint64_t stamp(unsigned int kind, unsigned int more)
{
    return ((host_ns() - start_ns) & TRACE_TIME_MASK) | (uint64_t)kind << TRACE_KIND_SHIFT |
           (uint64_t)more << TRACE_MORE_SHIFT;
}

/* The n-th record that is not published yet. */
static void fill(const struct ring *r, unsigned int n, struct trace_record record)
{
    r->records[(r->head + n) & entries_mask] = record;
}

/* n records are whole, the last `sides` of which are sides: let readers have them. */
static void publish(struct ring *r, unsigned int n, unsigned int sides)
{
    r->head += n;
    __atomic_store_n(&r->block->ring_head, r->head, __ATOMIC_RELEASE);
    if (!sides)
        return;
    r->sides += sides;
    __atomic_store_n(&r->block->ring_sides, r->sides, __ATOMIC_RELEASE);
}

void ring_event(unsigned int cpu, enum trace_kind kind, unsigned int more, uint64_t what,
                uint64_t caller)
{
    struct ring *r = &rings[cpu];

    fill(r, 0, (struct trace_record){stamp(kind, more), what, caller, r->word});
    publish(r, 1, 0);
}

void ring_store(unsigned int cpu, const struct table_store *s, uint64_t pc)
{
    struct ring *r = &rings[cpu];
    unsigned int place = s->level | TRACE_LEVEL_KNOWN | s->regime << TRACE_REGIME_SHIFT;
    uint64_t ticket = __atomic_add_fetch(&tickets, 1, __ATOMIC_RELAXED) & TRACE_TIME_MASK;

    if (s->regime == TRACE_REGIME_EL2 && s->old != s->new &&
        ((s->old ^ s->new) & ~PTE_REFS_MASK) == 0) {
        ring_event(cpu, TRACE_REFS, place | pte_refs(s->old) << TRACE_OLD_REFS_SHIFT, s->pa,
                   s->new);
        return;
    }
    fill(r, 0, (struct trace_record){stamp(TRACE_PTE, place), s->pa, s->old, s->new});
    fill(r, 1,
         (struct trace_record){ticket | (uint64_t)TRACE_DETAIL << TRACE_KIND_SHIFT, pc, r->sides,
                               r->word});
    publish(r, 2, 1);
}

/* The word goes into a record of its own, and begins anew. */
static void spill(struct ring *r)
{
    fill(r, 0, (struct trace_record){stamp(TRACE_BARRIERS, 0), r->sides, r->barriers, r->word});
    r->barriers += trace_barrier_count(r->word);
    r->word = TRACE_BARRIERS_NONE;
    publish(r, 1, 0);
    __atomic_store_n(&r->block->ring_barriers, r->barriers, __ATOMIC_RELEASE);
    r->sides++;
    __atomic_store_n(&r->block->ring_sides, r->sides, __ATOMIC_RELEASE);
}

void ring_barrier(unsigned int cpu, enum trace_barrier code)
{
    struct ring *r = &rings[cpu];

    r->word = r->word << TRACE_BARRIER_BITS | code;
    if (trace_barrier_count(r->word) == TRACE_BARRIERS_MAX)
        spill(r);
}

void ring_finish(void)
{
    for (unsigned int cpu = 0; cpu < file->beacon.ncpu; cpu++) {
        if (trace_barrier_count(rings[cpu].word))
            spill(&rings[cpu]);
    }
}
