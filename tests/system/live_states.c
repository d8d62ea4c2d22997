/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds live snapshots against a guest whose every state is known: it plays a
 * trace round and round without interrupts, so a CPU's generation says how many
 * maps and unmaps there were, and that says what each slot must hold.
 *
 *   live_states TRACE SECONDS FILE    RAM file of the machine, or a recording of it
 *
 * Prints a line of JSON a CPU: readings said to be consistent, the different
 * states that they showed, others, and how many of those were torn. Exit status 1
 * and a sentence if one that was said to be consistent shows what cannot have been.
 */
#include "model/mapcache.h"
#include "source/ram.h"
#include "source/recording.h"
#include "work/trace_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LIVE_MAX    64
#define CPUS_MAX    4
#define SLOW_ONE_IN 2 /* so that of four tries one is likely to be quick */

/* What the CPU holds after each record, for one round that follows another. */
struct states {
    uint64_t *hash; /* hash[n]: after n records of a round */
    uint64_t records;
    uint64_t attr;
    lpae_t pte[SLOTS_MAX];
    bool used[SLOTS_MAX]; /* slots that the trace ever takes: others are not looked at */
    uint16_t live[LIVE_MAX];
    unsigned int nr_live;
};

/* Reads a RAM file, and now and then lets the guest get on in the middle of it. */
struct slow {
    struct source src;
    const struct source *below;
};

struct tally {
    bool placed;     /* is it known which generation a round begins with? */
    uint64_t origin; /* that generation, modulo a round's */
    uint64_t consistent, states, other, torn;
    uint8_t *seen;
};

/* A sum of these is the same whatever the order: a slot's part can be replaced. */
static uint64_t mixed(unsigned int slot, lpae_t pte)
{
    uint64_t x = pte ^ (slot + 1) * UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint64_t hash_of(const struct states *s, const lpae_t *pte)
{
    uint64_t sum = 0;

    for (unsigned int i = 0; i < SLOTS_MAX; i++)
        sum += s->used[i] ? mixed(i, pte[i]) : 0;
    return sum;
}

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "live_states: %s\n", what);
    exit(1);
}

/* The engine's own rule: the first slot from home on that is free to take or has this frame. */
static void state_map(struct states *s, uint64_t mfn)
{
    uint64_t pa = mfn << PAGE_SHIFT & ~(SLOT_SIZE - 1);
    unsigned int slot = mapcache_home((mfn_t){mfn}, SLOTS_MAX);
    lpae_t *pte = &s->pte[slot];

    must(s->nr_live < LIVE_MAX, "the trace holds too many maps");
    while (pte_refs(*pte) && ((*pte & PTE_ADDR_MASK) != pa || pte_refs(*pte) == PTE_REFS_MAX)) {
        slot = (slot + 1) % SLOTS_MAX;
        pte = &s->pte[slot];
    }
    *pte = pte_with_refs(s->attr | pa, pte_refs(*pte) + 1);
    s->used[slot] = true;
    s->live[s->nr_live++] = (uint16_t)slot;
}

static void state_unmap(struct states *s, uint64_t depth)
{
    must(depth < s->nr_live, "the trace releases what it does not hold");
    unsigned int at = s->nr_live - 1 - (unsigned int)depth;
    lpae_t *pte = &s->pte[s->live[at]];

    *pte = pte_with_refs(*pte, pte_refs(*pte) - 1);
    s->nr_live--;
    memmove(&s->live[at], &s->live[at + 1], (s->nr_live - at) * sizeof(s->live[0]));
}

/* One round; keep: the hash after each record. Returns how many there are. */
static uint64_t play(struct states *s, struct xmct_stream *stream, bool keep)
{
    struct xmct_record record;
    uint64_t n = 0;

    xmct_rewind(stream);
    while (xmct_next(stream, &record) == XMCT_RECORD) {
        if (keep)
            s->hash[n] = hash_of(s, s->pte);
        n++;
        if (record.map)
            state_map(s, record.mfn);
        else
            state_unmap(s, record.depth);
    }
    must(n && s->nr_live == 0, "the trace is empty, or something is held at its end");
    return n;
}

static void states_make(struct states *s, const char *path)
{
    static uint8_t data[1 << 20];
    struct xmct_stream stream;
    struct xmct trace;
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(data, 1, sizeof(data), file) : 0;

    must(xmct_open(&trace, data, size) && xmct_stream(&trace, 0, &stream), "no such trace");
    fclose(file);
    s->records = play(s, &stream, false);
    s->hash = calloc(s->records, sizeof(*s->hash));
    must(s->hash, "out of memory");
    play(s, &stream, true);
}

/* The first state from number n on that looks so; as many as there are: none. */
static uint64_t state_find(const struct states *s, uint64_t hash, uint64_t n)
{
    while (n < s->records && s->hash[n] != hash)
        n++;
    return n;
}

/* Once it is known where a round begins, the generation says which state it must be. */
static void judge_consistent(const struct states *s, struct tally *t, const struct cpu_snapshot *c)
{
    uint64_t round = 2 * s->records, hash = hash_of(s, c->pte), n;

    if (!t->placed) {
        n = state_find(s, hash, 0);
        must(n < s->records, "said to be consistent, and was never in this state");
        if (state_find(s, hash, n + 1) < s->records)
            return; /* a map of a cached frame and its unmap lead back */
        t->origin = (c->info.generation + round - 2 * n) % round;
        t->placed = true;
    }
    n = (c->info.generation + round - t->origin) % round / 2;
    if (hash != s->hash[n]) {
        fprintf(stderr, "live_states: CPU%u, generation %llu: said to be consistent, and %s\n",
                c->cpu, (unsigned long long)c->info.generation,
                state_find(s, hash, 0) < s->records ? "shows the state of another moment"
                                                    : "was never in this state");
        exit(1);
    }
    t->consistent++;
    t->states += !t->seen[n];
    t->seen[n] = 1;
}

static void judge(const struct states *s, struct tally *t, const struct cpu_snapshot *c)
{
    if (!c->on || c->info.maps + c->info.unmaps < 2 * s->records)
        return; /* before the second round slots hold what was there before */
    if (c->consistent) {
        judge_consistent(s, t, c);
        return;
    }
    t->other++;
    t->torn += state_find(s, hash_of(s, c->pte), 0) == s->records;
}

static int slow_read(const struct source *src, uint64_t pa, void *buf, size_t len)
{
    const struct slow *slow = (const struct slow *)src;

    if (len == PAGE_SIZE && random() % SLOW_ONE_IN == 0) /* a half of a CPU's slots */
        usleep(1);
    return slow->below->ops->read(slow->below, pa, buf, len);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void read_once(const struct source *src, const struct states *s, struct tally *tally,
                      struct snapshot *snap)
{
    struct machine m = snap->machine;
    struct failure f;

    must(snapshot_read(src, &m, snap, &f) == 0, "the machine cannot be read");
    for (unsigned int cpu = 0; cpu < snap->ncpu; cpu++)
        judge(s, &tally[cpu], &snap->cpu[cpu]);
}

/* A recording's frames, each once; a machine as long as there is time. */
static void read_all(struct source *src, const struct states *s, struct tally *tally,
                     struct snapshot *snap, double seconds)
{
    static const struct source_ops ops = {.name = "slow", .read = slow_read};
    struct slow slow = {{&ops}, src};
    double end = now() + seconds;

    if (source_is_recording(src)) {
        for (unsigned int n = 0; n < recording_frames(src); n++) {
            must(recording_seek(src, n) == 0, "a frame cannot be read");
            read_once(src, s, tally, snap);
        }
        return;
    }
    while (now() < end)
        read_once(&slow.src, s, tally, snap);
}

static struct source *open_either(const char *path, struct failure *f)
{
    struct ram_spec ram = {path, RAM_BASE};
    struct source *src = recording_open(path, f);

    return src ? src : ram_open(&ram, 1, f);
}

int main(int argc, char **argv)
{
    struct failure f;
    static struct states s;
    static struct tally tally[CPUS_MAX];
    struct source *src = argc == 4 ? open_either(argv[3], &f) : NULL;
    struct machine m;

    must(src && machine_read(src, NULL, &m, &f) == MACHINE_OK && m.beacon.ncpu <= CPUS_MAX,
         "usage: live_states TRACE SECONDS FILE, of a machine with up to 4 CPUs");
    s.attr = m.beacon.slot_attr;
    states_make(&s, argv[1]);

    struct snapshot *snap = snapshot_new(m.beacon.ncpu);

    must(snap, "out of memory");
    snap->machine = m;
    for (unsigned int cpu = 0; cpu < m.beacon.ncpu; cpu++)
        must((tally[cpu].seen = calloc(s.records, 1)) != NULL, "out of memory");
    read_all(src, &s, tally, snap, atof(argv[2]));
    for (unsigned int cpu = 0; cpu < m.beacon.ncpu; cpu++)
        printf("{\"cpu\":%u,\"consistent\":%llu,\"states\":%llu,\"other\":%llu,\"torn\":%llu}\n",
               cpu, (unsigned long long)tally[cpu].consistent,
               (unsigned long long)tally[cpu].states, (unsigned long long)tally[cpu].other,
               (unsigned long long)tally[cpu].torn);
    source_close(src);
    return 0;
}
