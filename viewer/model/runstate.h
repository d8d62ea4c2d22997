/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The state word: does the machine run, and is what is shown alive?
 */
#ifndef VIEWER_MODEL_RUNSTATE_H
#define VIEWER_MODEL_RUNSTATE_H

#include "model/machine.h"
#include "source/qmp.h"

#define RUN_SETTLE_NS UINT64_C(100000000)  /* a stop younger than this is not shown */
#define RUN_REBOOT_NS UINT64_C(2000000000) /* how long REBOOTED is shown */

enum run_word {
    RUN_LIVE,
    RUN_STOPPED,
    RUN_NOT_STARTED,
    RUN_BOOTING,
    RUN_PAUSED,
    RUN_GONE,
    RUN_REBOOTED,
    RUN_PANICKED,
    RUN_OFF,
    RUN_BUSY, /* what it is read through is another program's at the moment */
    RUN_FILE, /* RAM files: whether anything runs behind them is not known */
};

/* What has been seen; the caller tells, by the functions below. */
struct runstate {
    enum qmp_status seen;  /* newest answer of QEMU */
    enum qmp_status shown; /* the one that has lasted */
    char word[24];         /* QEMU's word for the one that is shown */
    uint64_t seen_since;   /* first answer of that kind, ns */
    uint64_t moved_at;     /* newest sample that differed from the one before */
    uint64_t rebooted_at;  /* 0: never */
    bool other_image;      /* the reboot was into another build */
    bool has_machine;      /* a QEMU belongs to it: not just files */
    bool halted_here;      /* by the gdb connection that it is read through */
    bool gone;
    bool cut;    /* its RAM file has become shorter */
    bool busy;   /* somebody else has the socket that it is read through */
    bool frozen; /* by the person who watches */
};

/* An answer of QEMU. */
void runstate_answer(struct runstate *run, enum qmp_status status, const char *word, uint64_t now);

/* Should QEMU be asked again soon, because its last answer was new? */
bool runstate_is_unsure(const struct runstate *run);

/* Halted, and nothing has moved for RUN_SETTLE_NS: a stop to compare with. */
bool runstate_is_settled(const struct runstate *run, uint64_t now);

/* What to show. m: the newest beacon, NULL while none is published. */
enum run_word runstate_word(const struct runstate *run, const struct machine *m, uint64_t now);

/* The word, e.g. "LIVE"; and what else there is to say about it, "" if nothing. */
const char *run_word_text(enum run_word word);
void runstate_note(const struct runstate *run, const struct machine *m, enum run_word word,
                   char *buf, size_t size);

#endif /* VIEWER_MODEL_RUNSTATE_H */
