/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stage of translation of one CPU: its regime, and where its tables begin.
 */
#ifndef VIEWER_MODEL_STAGE_H
#define VIEWER_MODEL_STAGE_H

#include "model/ptwalk.h"

struct stage {
    struct regime r;
    uint64_t root;
};

/* A CPU of a machine, and what a person said of the root (NULL: nothing). */
struct stage_cpu {
    const struct source *src;
    const struct machine *m;
    unsigned int cpu;
    const uint64_t *root;
    int guest_error;           /* 0: guest is valid; else see machine_read_guest() */
    struct beacon_guest guest; /* what the machine says of its vCPU: of one moment for all stages */
};

/* All must outlive it. */
struct stage_cpu stage_cpu(const struct source *src, const struct machine *m, unsigned int cpu,
                           const uint64_t *root);

/* The regime that EL2 itself runs in: REGIME_EL2_E2H if HCR_EL2.E2H is 1. */
enum regime_name stage_own(const struct stage_cpu *c);

/*
 * By the CPU's registers, as far as they can be known. 0, or -1 with f if they
 * are not known, not understood, or the stage is off and no root was named.
 */
int stage_open(const struct stage_cpu *c, enum regime_name name, bool high, struct stage *s,
               struct failure *f);

/*
 * Stage 2 below EL1, whose tables lie at guest addresses: 1 and s; 0: it is
 * off, or not known; -1 with f.
 */
int stage_below(const struct stage_cpu *c, enum regime_name name, struct stage *s,
                struct failure *f);

/* An address of a guest through both stages. */
struct guest_walk {
    bool has_stage1, has_stage2; /* that stage is on */
    struct stage stage1, stage2;
    struct walk first; /* of stage 1; its fault is the whole walk's if stage 1 is off */
    bool has_ipa;
    uint64_t ipa;
    struct walk second; /* of stage 2, with an IPA */
    struct walk both;   /* result or fault of the whole */
};

/* 0, or -1 with f; a walk that faults is no failure. */
int stage_walk_guest(const struct registers *regs, struct table_memory *memory, uint64_t va,
                     struct guest_walk *g, struct failure *f);

/* Registers of a CPU as regime_decode() takes them; c must outlive them. */
struct registers stage_registers(const struct stage_cpu *c);

/*
 * 0, or -1 with f: the CPU can only be asked through what the machine says of its
 * guest, and is loading another one.
 */
int stage_require_guest(const struct stage_cpu *c, struct failure *f);

#endif /* VIEWER_MODEL_STAGE_H */
