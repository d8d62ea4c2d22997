/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An engine on the machine of machine.h: every sequence of maps and unmaps up
 * to a depth, each also with an interrupt, which maps and unmaps a frame of its
 * own choice, at every place where one can come; then random sequences.
 *
 *   explore all DEPTH [lazy|zap|strict] [range] [quiet]   a table of a few slots
 *   explore random STEPS [lazy|zap|strict] [range] [checker]   of any size
 *
 * quiet: without interrupts. Exit status 1, with the sequence, when something must not be. Random
 * sequences are told to the break-before-make checker too; checker: its word alone counts.
 */
#include "../unit/clock_index.h"
#include "checker.h"
#include "core/beacon.h"
#include "core/cmdline.h"
#include "machine.h"
#include "mm/domain_page.h"
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS      DOMHEAP_ENTRIES
#define FRAMES     6
#define OPEN_MAX   (SLOTS < 64 ? 7 : 3 * SLOTS)
#define DEPTH_MAX  16
#define STATES_MAX (1u << 22)
#define RESERVE    (is_clock() ? CLOCK_RESERVE : 0)
#define NO_IRQ     0xffff
#define UNMAP      0x8000

struct open {
    const void *p;
    mfn_t mfn;
};

/* One step: map frame n, or unmap open map n | UNMAP; the interrupt's place and frame. */
struct step {
    uint16_t what, irq_at, irq_frame;
};

struct state {
    struct machine machine;
    struct clock_index index;
    uint32_t nr_open;
    struct open open[OPEN_MAX];
    struct step path[DEPTH_MAX];
    uint32_t depth;
};

static struct state now;
static jmp_buf panicked;
static const char *panic_text;
static const char *irq_fault;
static mfn_t irq_frame;
static unsigned long transitions;

static bool is_clock(void)
{
    return mapcache_engine == BEACON_ENGINE_CLOCK;
}

/* Never a live entry over another. */
static bool is_clean_engine(void)
{
    return mapcache_engine != BEACON_ENGINE_XEN;
}

static struct clock_index *index_now(void)
{
    return (struct clock_index *)(uintptr_t)this_cpu(beacon_cpu)->clock_index;
}

void machine_panic(const char *text)
{
    panic_text = text;
    longjmp(panicked, 1);
}

/* Frames whose home slots collide, and pages within them that differ. */
static mfn_t frame(unsigned int n)
{
    return _mfn((uint64_t)(n + 1) * PT_ENTRIES + n);
}

static unsigned int busy_slots(void)
{
    unsigned int n = 0;

    for (unsigned int s = 0; s < SLOTS; s++)
        n += pte_refs(machine.slot[s]) != 0;
    return n;
}

/* Has a slot of this frame room for one more map? live: one that nothing can take away. */
static bool has_match(mfn_t mfn, bool live)
{
    for (unsigned int s = 0; s < SLOTS; s++) {
        lpae_t pte = machine.slot[s];

        if (pte_valid(pte) && mfn_x(pte_mfn(pte)) == (mfn_x(mfn) & ~SLOT_MFN_MASK) &&
            pte_refs(pte) < PTE_REFS_MAX && (!live || pte_refs(pte)))
            return true;
    }
    return false;
}

static void handler(void)
{
    void *p = map_domain_page(irq_frame);

    if (!p && (has_match(irq_frame, true) || busy_slots() < SLOTS))
        irq_fault = "an interrupt's map was refused";
    if (p)
        machine_access(p, irq_frame);
    unmap_domain_page(p);
}

/* The counts are the open maps. */
static const char *counts_fault(const struct state *s)
{
    unsigned int refs[SLOTS] = {0};

    for (unsigned int i = 0; i < s->nr_open; i++)
        refs[((uintptr_t)s->open[i].p - DOMHEAP_VIRT_START) / SLOT_SIZE]++;
    for (unsigned int i = 0; i < SLOTS; i++) {
        if (refs[i] != pte_refs(machine.slot[i]))
            return "a slot's count is not its outstanding maps";
    }
    return NULL;
}

/* What the policy promises once an unmap has returned. */
static const char *policy_fault(void)
{
    unsigned int lingering = machine_lingering();

    if (!is_clock() || options.mapcache == CLOCK_LAZY)
        return NULL;
    for (unsigned int s = 0; s < SLOTS; s++) {
        if (pte_valid(machine.slot[s]) && !pte_refs(machine.slot[s]))
            return "an idle frame is in the tables";
    }
    if (lingering > (options.mapcache == CLOCK_ZAP ? options.zap_limit : 0u))
        return "more translations linger than the policy allows";
    return NULL;
}

static const char *fault_of(const struct state *s, bool all)
{
    const char *fault;

    for (unsigned int i = 0; i < s->nr_open; i++) {
        if (all || i + 1 == s->nr_open)
            machine_access(s->open[i].p, s->open[i].mfn);
    }
    if (machine_violation)
        return machine_violation;
    if (irq_fault)
        return irq_fault;
    if (!all)
        return NULL;
    fault = counts_fault(s);
    if (!fault)
        fault = policy_fault();
    if (!fault && is_clock())
        fault = clock_index_fault(index_now(), machine.slot);
    if (!fault && is_clock() && index_now()->nr_free < CLOCK_RESERVE &&
        busy_slots() <= SLOTS - CLOCK_RESERVE && options.mapcache == CLOCK_LAZY)
        fault = "the interrupts' reserve is gone";
    return fault;
}

static void open_add(struct state *s, const void *p, mfn_t mfn)
{
    unsigned int at = 0;

    while (SLOTS < 64 && at < s->nr_open && s->open[at].p < p)
        at++;
    at = SLOTS < 64 ? at : s->nr_open;
    memmove(&s->open[at + 1], &s->open[at], (s->nr_open - at) * sizeof(s->open[0]));
    s->open[at] = (struct open){p, mfn};
    s->nr_open++;
}

static void open_remove(struct state *s, unsigned int at)
{
    s->nr_open--;
    memmove(&s->open[at], &s->open[at + 1], (s->nr_open - at) * sizeof(s->open[0]));
    memset(&s->open[s->nr_open], 0, sizeof(s->open[0]));
}

static const char *map_one(struct state *s, mfn_t mfn, bool irq)
{
    bool must =
        has_match(mfn, true) || SLOTS - busy_slots() > RESERVE || (!irq && has_match(mfn, false));
    void *p = map_domain_page(mfn);

    if (!p)
        return must ? "a map was refused although there is a slot" : NULL;
    open_add(s, p, mfn);
    machine_access(p, mfn);
    return NULL;
}

/* From state `now`: true if the step could be made. *fault: what must not be, else NULL. */
static bool step_make(struct step step, bool all, const char **fault)
{
    bool irq = step.irq_at != NO_IRQ;

    *fault = irq_fault = NULL;
    machine_irq_at = irq ? step.irq_at : -1;
    machine_places = 0;
    irq_frame = frame(step.irq_frame);
    if (setjmp(panicked)) {
        /* To xen and bbm a full table is the end, as it is to an interrupt's map in it. */
        if (is_clock() || busy_slots() < SLOTS)
            *fault = panic_text;
        return false;
    }
    if (step.what & UNMAP) {
        struct open open = now.open[step.what & ~UNMAP];

        machine_access(open.p, open.mfn);
        open_remove(&now, step.what & ~UNMAP);
        unmap_domain_page(open.p);
    } else {
        *fault = map_one(&now, frame(step.what), irq);
    }
    if (!*fault)
        *fault = fault_of(&now, all);
    return true;
}

static void load(const struct state *s)
{
    now = *s;
    machine = s->machine;
    if (is_clock())
        *index_now() = s->index;
    this_cpu(beacon_cpu)->generation = 0;
}

/* What is left over in the index and decides nothing: two states that differ in it are one. */
static void index_tidy(struct clock_index *c)
{
    c->reclaims = c->reclaimed = c->refused = 0;
    for (unsigned int i = c->nr_free; i + c->nr_owed < SLOTS; i++)
        c->free[i] = 0;
    for (unsigned int i = 0; i < c->nr_free; i++)
        c->next[c->free[i]] = 0, c->block[c->free[i]] = 0;
}

static void save(struct state *s)
{
    *s = now;
    s->machine = machine;
    if (is_clock()) {
        s->index = *index_now();
        index_tidy(&s->index);
    }
}

static _Noreturn void tell(const struct state *s, struct step last, const char *fault)
{
    printf("FAULT: %s\n", fault);
    for (unsigned int i = 0; i <= s->depth; i++) {
        struct step step = i < s->depth ? s->path[i] : last;

        printf("  %u: %s %u", i, step.what & UNMAP ? "unmap open map" : "map frame",
               step.what & ~UNMAP);
        if (step.irq_at != NO_IRQ)
            printf(", interrupt at place %u maps frame %u", step.irq_at, step.irq_frame);
        printf("\n");
    }
    exit(1);
}

/* States seen, by a hash of what decides the future; 64 bits keep a million apart. */
static uint64_t *seen;

static uint64_t hash_bytes(uint64_t h, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        h = (h ^ ((const uint8_t *)p)[i]) * UINT64_C(0x100000001b3);
    return h ^ h >> 29;
}

static bool is_new(const struct state *s)
{
    uint64_t h = hash_bytes(UINT64_C(0xcbf29ce484222325), &s->machine, sizeof(s->machine));

    h = hash_bytes(h, &s->index, sizeof(s->index));
    h = hash_bytes(h, s->open, sizeof(s->open)) | 1;
    for (uint64_t at = h % STATES_MAX;; at = (at + 1) % STATES_MAX) {
        if (seen[at] == h)
            return false;
        if (!seen[at]) {
            seen[at] = h;
            return true;
        }
    }
}

struct frontier {
    struct state *state;
    unsigned long nr, room;
};

static void frontier_add(struct frontier *f, const struct state *from, struct step step)
{
    struct state *s;

    if (f->nr == f->room) {
        f->room = f->room ? 2 * f->room : 1024;
        f->state = realloc(f->state, f->room * sizeof(f->state[0]));
    }
    s = &f->state[f->nr];
    save(s);
    if (!is_new(s))
        return;
    memcpy(s->path, from->path, sizeof(s->path));
    s->path[from->depth] = step;
    s->depth = from->depth + 1;
    f->nr++;
}

/* The step without an interrupt, then with one at each place that it had. */
static void step_all(struct frontier *to, const struct state *from, uint16_t what)
{
    unsigned int places = 0;

    for (int at = -1; at < (int)places && (at < 0 || machine_irq_handler); at++) {
        for (unsigned int n = 0; n < (at < 0 ? 1 : FRAMES); n++) {
            struct step step = {what, at < 0 ? NO_IRQ : (uint16_t)at, (uint16_t)n};
            const char *fault;
            bool made;

            load(from);
            made = step_make(step, true, &fault);
            transitions++;
            if (at < 0)
                places = machine_places;
            if (fault)
                tell(from, step, fault);
            if (made)
                frontier_add(to, from, step);
        }
    }
}

static void explore(unsigned int depth)
{
    struct frontier from = {0}, to = {0};
    unsigned long states = 0;

    seen = calloc(STATES_MAX, sizeof(seen[0]));
    frontier_add(&from, &now, (struct step){0});
    from.state[0].depth = 0;
    for (unsigned int d = 0; d < depth && from.nr; d++) {
        to = (struct frontier){0};
        for (unsigned long i = 0; i < from.nr; i++) {
            struct state s = from.state[i];

            for (uint16_t f = 0; f < FRAMES && s.nr_open < OPEN_MAX - 1; f++)
                step_all(&to, &s, f);
            for (uint16_t o = 0; o < s.nr_open; o++) {
                if (!o || memcmp(&s.open[o], &s.open[o - 1], sizeof(s.open[0])))
                    step_all(&to, &s, (uint16_t)(o | UNMAP));
            }
        }
        states += from.nr;
        if (states + to.nr > STATES_MAX / 2) {
            printf("more states than are told apart\n");
            exit(1);
        }
        free(from.state);
        from = to;
    }
    printf("%s: %lu states, %lu steps, all sequences of %u%s: clean, hazards %s\n",
           mapcache_engine_name, states + from.nr, transitions, depth,
           machine_irq_handler ? " with an interrupt anywhere" : "",
           machine_hazards ? "made" : "none");
}

/* Maps and unmaps about one for one, once so many maps are open. */
static struct step random_step(unsigned int frames, unsigned int want)
{
    bool map = now.nr_open < want ? random() % 8 != 0 : random() % 8 == 0;
    struct step step = {.irq_at = NO_IRQ, .irq_frame = (uint16_t)(random() % frames)};

    if (random() % 4 == 0)
        step.irq_at = (uint16_t)(random() % 4);
    if ((map || !now.nr_open) && now.nr_open < OPEN_MAX - 1)
        step.what = (uint16_t)(random() % frames);
    else
        step.what = (uint16_t)((unsigned int)random() % now.nr_open | UNMAP);
    return step;
}

/* Few frames at times, many at others, so that counts saturate and slots run out. */
static void random_run(unsigned long steps, bool checker_alone)
{
    unsigned int frames = 20, want = 10;
    char said[160];

    for (unsigned long i = 0; i < steps; i++) {
        const char *fault;
        bool made;

        if (i % 1000 == 0) {
            frames = random() % 2 ? 3 * SLOTS : 1 + (unsigned int)random() % (SLOTS / 2);
            want = 1 + (unsigned int)random() % (SLOTS - 100);
            if (is_clock() && random() % 3 == 0)
                frames = 3 * SLOTS, want = SLOTS + (unsigned int)random() % SLOTS / 4;
        }
        made = step_make(random_step(frames, want), i % 512 == 0, &fault);
        if (checker_alone && fault && !made)
            break; /* a CHECK of the engine: that was all */
        if (fault && !checker_alone) {
            printf("FAULT: %s, in step %lu\n", fault, i);
            exit(1);
        }
    }
    if (checker_said(said, sizeof(said)) && (checker_alone || is_clean_engine())) {
        printf("FAULT: checker: %s\n", said);
        exit(1);
    }
    printf("%s: %lu random steps on %u slots: clean, hazards %s; checker: %s\n",
           mapcache_engine_name, steps, SLOTS, machine_hazards ? "made" : "none", said);
}

int main(int argc, char **argv)
{
    static const char *const policies[] = {"lazy", "zap", "strict"};
    unsigned int n = argc > 2 ? (unsigned int)atoi(argv[2]) : 0;
    bool quiet = false, checker_alone = false;

    for (int i = 3; i < argc; i++) {
        for (unsigned int p = 0; p < 3; p++) {
            if (!strcmp(argv[i], policies[p]))
                options.mapcache = (enum clock_policy)p;
        }
        machine_has_range |= !strcmp(argv[i], "range");
        quiet |= !strcmp(argv[i], "quiet");
        checker_alone |= !strcmp(argv[i], "checker");
    }
    options.zap_limit = SLOTS < 64 ? 2 : 64;
    machine_irq_handler = quiet ? NULL : handler;
    machine_reset();
    mapcache_engine_init(0);
    if (!strcmp(argc > 1 ? argv[1] : "", "random"))
        checker_begin();
    srandom(1);
    if (n && !strcmp(argv[1], "all") && n <= DEPTH_MAX)
        explore(n);
    else if (n && !strcmp(argv[1], "random"))
        random_run(n, checker_alone);
    else
        return 2;
    return 0;
}
