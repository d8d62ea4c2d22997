/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A target that is being watched: sampling, the run state, what became of it.
 * It may go away, be reset, or come back; none of that ends a session.
 */
#ifndef VIEWER_VIEW_SESSION_H
#define VIEWER_VIEW_SESSION_H

#include "command/options.h"
#include "source/qmp.h"
#include "source/target.h"
#include "view/frame.h"
#include "view/moment.h"
#include "view/past.h"

#define RECORDED_BEFORE 16 /* frames that a jump goes through before the one it shows */

struct session {
    const struct target_spec *spec;
    struct target target;  /* src NULL: nothing to attach to at the moment */
    struct snapshot *snap; /* the newest; NULL: none */
    struct snapshot *spare;
    struct marks *marks;
    struct event_log *events;
    struct activity *activity;
    struct history history;
    struct past past;
    struct moment moment;
    struct series series;
    struct findings findings;
    struct event_list judged; /* the kept events, as the checker takes them */
    char order[96];
    bool order_known;
    struct table_page table;
    struct ranges ranges;
    uint64_t ranges_at; /* when they were read, ns */
    unsigned int ranges_cpu;
    enum shown_stage ranges_stage;
    unsigned int ranges_position; /* in the history */
    bool ranges_live;             /* they are not of the frozen moment */
    struct failure stage_why;     /* why there are no tables of the stage that was asked for */
    struct symbols *symbols;
    bool symbols_tried; /* for this build of the image */
    struct failure symbols_why;
    const struct options *options;
    struct machine machine; /* the newest beacon that was understood */
    bool published;         /* machine is valid, and of the machine that is there now */
    bool had_boot;          /* machine was valid once: another boot is a reboot */
    struct failure why;     /* why snap is NULL */
    struct runstate run;
    struct qmp qmp;
    struct qmp_limit limit;
    uint64_t next_query; /* ns */
    uint64_t next_attach;
    uint64_t next_health;
    uint64_t next_turn;    /* of a shared source that somebody else has */
    uint64_t kept_at;      /* the newest snapshot in the history, ns; 0: none */
    bool unkept;           /* snap is not in the history yet */
    uint64_t registers;    /* of the halted machine, hashed; 0: not known */
    struct places places;  /* likewise: where its CPUs stand */
    unsigned int refusals; /* of QMP, in a row */
    uint64_t played_at;    /* of a recording: when the frame that is shown was due */
    unsigned int recorded; /* frame of a recording that is shown */
    bool changed;          /* since session_frame(): the picture may differ */
    char name[NOTE_MAX];   /* of the target */
};

/* What the picture needs beside the slots. */
struct session_wants {
    unsigned int cpu;
    bool table, ranges, findings;
    enum shown_stage stage; /* of the first two */
    struct table_path path;
};

/*
 * Attach and read once. -1 with f if there is no target, or none of ours; an
 * image that has not published its beacon yet is waited for.
 */
int session_open(struct session *s, const struct options *o, uint64_t now, struct failure *f);
void session_close(struct session *s);

/* Look at the target; now: CLOCK_MONOTONIC, ns. A shared one stays taken until session_rest(). */
void session_sample(struct session *s, uint64_t now);
void session_rest(struct session *s);

/* For what else is to be read from it; false with f: it has gone, or it is somebody else's turn. */
bool session_take(struct session *s, struct failure *f);

/*
 * Begin or continue to ask QEMU. To be called when session_query_fd() is
 * readable, and at the time (ns) that it returns.
 */
uint64_t session_query(struct session *s, uint64_t now);
int session_query_fd(const struct session *s);

void session_freeze(struct session *s, bool frozen);

/*
 * Through the history, by events and snapshots (recordings: by frames); the
 * picture must be frozen. False if there is nothing to go through.
 */
bool session_step(struct session *s, int step, int leap);

/* What is on the screen; NULL: nothing. And memory at that moment; NULL with f: none now. */
const struct snapshot *session_shown(const struct session *s);
const struct source *session_memory(struct session *s, struct failure *f);

/* Compare with this moment from now on, or not any more. */
void session_mark(struct session *s, bool marked);

/* What to draw. It points into the session and is valid until its next call. */
void session_frame(struct session *s, unsigned int hz, uint64_t now,
                   const struct session_wants *wants, struct frame *f);

#endif /* VIEWER_VIEW_SESSION_H */
