/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tail of the CPUs' event rings, merged by time.
 */
#ifndef VIEWER_MODEL_EVENTS_H
#define VIEWER_MODEL_EVENTS_H

#include "model/ring.h"

#define EVENTS_KEPT  32768 /* newest ones, all CPUs together */
#define EVENTS_BATCH 32768 /* of one CPU, that one update takes */

#define EVENT_TEXT_MAX 80 /* bytes of a text; what is longer is cut */

/* Kinds that are no records of their own. */
#define EVENT_DSB   TRACE_KINDS
#define EVENT_ISB   (TRACE_KINDS + 1)
#define EVENT_KINDS (TRACE_KINDS + 2)

struct event {
    uint8_t cpu;
    uint8_t kind; /* enum trace_kind, EVENT_DSB, EVENT_ISB */
    bool hit;
    uint8_t refs;    /* afterwards */
    uint16_t slot;   /* map, unmap */
    uint16_t probe;  /* map */
    uint64_t seq;    /* of its CPU, gapless */
    uint64_t record; /* that it is in, or that carries it */
    uint64_t ticks;  /* of the physical counter */
    uint64_t lost;   /* not 0: no event, so many were lost here */
    uint64_t lost_records;
    uint64_t mfn;    /* map, unmap, bypass */
    uint64_t caller; /* return address of the call; where a store or TLBI is */
    uint8_t level;   /* of the table: store; EVENT_NO_LEVEL: not known */
    uint8_t regime;  /* enum trace_regime: store */
    uint8_t op;      /* enum trace_tlbi; enum trace_text */
    uint8_t scope;   /* enum trace_scope: TLBI */
    uint8_t code;    /* enum trace_barrier */
    union {
        struct {
            uint64_t pa, old, new, ticket; /* store */
        };
        uint64_t operand; /* TLBI, TTBR0_EL2, number of the interrupt */
        char text[EVENT_TEXT_MAX + 1];
    };
};

#define EVENT_NO_LEVEL 255

/* Events that were read, as many as there is memory for. */
struct event_list {
    struct event *event;
    size_t nr, room;
};

/* Room for one more, a copy of e. False if memory is short. */
bool event_list_add(struct event_list *list, const struct event *e);

void event_list_free(struct event_list *list);

/*
 * The records of a batch that ring_read() gave, behind what the list has: their
 * barriers, each before the event that carries it, and what was lost, if any.
 * False if memory is short.
 */
bool ring_events(struct ring_cursor *cursor, const struct ring_batch *b,
                 const struct snapshot *snap, unsigned int cpu, struct event_list *list);

/* ns of the physical counter. */
uint64_t event_ns(const struct machine *m, uint64_t ticks);

struct event_log {
    struct ring_cursor cursor[BEACON_CPUS_MAX];
    uint64_t produced; /* records written since the log was begun */
    uint64_t lost;     /* of them, overwritten before they could be looked at */
    unsigned int nr;
    unsigned int first;              /* index of the oldest */
    struct trace_record *records;    /* room to work in, kept; events_free() */
    struct event_list batch;         /* of the last update: all of it, by time */
    struct event event[EVENTS_KEPT]; /* ascending by time from first on, round the end */
};

/*
 * Take over what came since the last call; the first time, all that the rings
 * hold. A ring that cannot be right is left out. A loss is an element of the
 * log (event.lost). False if memory is short.
 */
bool events_update(struct event_log *log, const struct source *src, const struct snapshot *snap);

/* Free what the log keeps, not the log. */
void events_free(struct event_log *log);

/* The i-th oldest event, i below nr. */
const struct event *event_at(const struct event_log *log, unsigned int i);

/* Words of JSON and text: "map", "pte", "dsb" ... */
const char *event_name(const struct event *e);

/* The kind of events that has this name; 0: none has. */
unsigned int event_kind_of(const char *name);

/* Is it about a slot: a map or an unmap? */
static inline bool event_has_slot(const struct event *e)
{
    return !e->lost && (e->kind == TRACE_MAP || e->kind == TRACE_UNMAP);
}

/* Is it a call of map_domain_page() or unmap_domain_page(), or a bypass? */
static inline bool event_is_call(const struct event *e)
{
    return !e->lost && e->kind >= TRACE_MAP && e->kind <= TRACE_BYPASS;
}

/* What an event that is no call says, in words: "dsb ish", "tlbi vae2 0x7f80…". */
void event_describe(const struct event *e, char *buf, size_t size);

/* "vae2", "ishst" …; VA and bytes that a TLBI covers, false if it is not by VA. */
const char *tlbi_op_name(const struct event *e);
const char *tlbi_scope_name(const struct event *e);
bool tlbi_range(const struct event *e, uint64_t *va, uint64_t *bytes);

/* Whose entry was stored: "el2", "s2", "el1". */
const char *store_regime_name(const struct event *e);

/* False if a TLBI does not name an address space. */
bool tlbi_asid(const struct event *e, uint64_t *asid);
const char *dsb_domain_name(const struct event *e);
const char *dsb_type_name(const struct event *e);

/* For qsort(): by time, then CPU, then number. */
int event_compare(const void *a, const void *b);

#endif /* VIEWER_MODEL_EVENTS_H */
