/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Translation regimes: their geometry and options, decoded from control
 * registers only. EL2 with one range of addresses, EL2 with E2H = 1, EL1, and
 * stage 2; every granule and size, LPA2, concatenated tables. Arm ARM D8.2
 * "Address translation", D8.3 "Translation table descriptor formats". What is
 * not understood is a sentence, not a guess.
 *
 * GDB's commands (gdb-scripts/hvscope/regime.py) are the same thing in Python;
 * tests/vectors holds both to the same answers.
 */
#ifndef VIEWER_MODEL_REGIME_H
#define VIEWER_MODEL_REGIME_H

#include "source/failure.h"

#include <hvscope/pte.h>

enum pte_kind { KIND_TABLE, KIND_BLOCK, KIND_PAGE, KIND_INVALID, KIND_RESERVED };

enum regime_name { REGIME_EL2, REGIME_EL2_E2H, REGIME_EL1, REGIME_S2, REGIMES };

/* Control registers of a CPU. read(): by the Arm ARM's name; 0, or -ENOENT. */
struct registers {
    int (*read)(const void *of, const char *name, uint64_t *value);
    const void *of;
};

struct granule;

/* One range of addresses: a regime, or one half of a regime that has two. */
struct regime {
    enum regime_name name;
    bool high; /* the half of TTBR1 */
    const struct granule *granule;
    unsigned int page_shift;
    unsigned int stride; /* bits of an address that one level takes */
    unsigned int in_bits, out_bits;
    int start_level; /* -1 to 3 */
    uint64_t mair;
    bool mair_known;
    bool lpa2;       /* 52-bit addresses, 4K and 16K */
    bool lpa;        /* 52-bit addresses, 64K */
    bool epd;        /* nothing is walked */
    bool tbi;        /* the top byte of an address is ignored */
    bool ha, hd;     /* hardware writes the access flag; the dirty state */
    bool hpd;        /* rights of table entries are ignored */
    bool e0pd;       /* EL0 gets nothing */
    bool wxn;        /* what is writable is not executed */
    bool fwb;        /* stage 2: MemAttr has the meaning of FEAT_S2FWB */
    bool xnx;        /* stage 2: FEAT_XNX, bit 53 has a meaning */
    unsigned int sh; /* with lpa2: shareability of all its leaves */
};

/* "el2", "el2-e2h", "el1", "s2"; by its word: REGIMES if there is none such. */
const char *regime_word(enum regime_name name);
enum regime_name regime_find(const char *word);

/* "at EL2", "at EL2 (E2H)", "at EL1", "at stage 2". */
const char *regime_where(enum regime_name name);

/*
 * Decode it, and (unless NULL) the root that its TTBR or VTTBR names. high: the
 * half of TTBR1, of EL1 and of EL2 with E2H. 0, or -1 with f (EXIT_NOT_UNDERSTOOD).
 */
int regime_decode(struct regime *r, enum regime_name name, bool high, const struct registers *regs,
                  uint64_t *root, struct failure *f);

/* Does a CPU translate in it now? If not, f says why. */
bool regime_is_on(enum regime_name name, const struct registers *regs, struct failure *f);

/* Does this regime have two halves; and does TTBR1 translate va? */
bool regime_has_halves(enum regime_name name);
bool regime_is_high(enum regime_name name, uint64_t va);

/* 0, or -1 with f: a root must be aligned to the size of its table. */
int regime_check_root(const struct regime *r, uint64_t root, struct failure *f);

/* The lowest address of the range. */
uint64_t regime_base(const struct regime *r);

/* The bits of va that are translated; false if it is out of range. */
bool regime_offset(const struct regime *r, uint64_t va, uint64_t *offset);

/*
 * log2 of what one entry of this level maps; entries of a table of this level.
 * The first may be short; at stage 2 it may be up to 16 tables side by side.
 */
unsigned int regime_shift(const struct regime *r, int level);
unsigned int regime_entries(const struct regime *r, int level);

enum pte_kind regime_kind(const struct regime *r, lpae_t pte, int level);
const char *pte_kind_name(enum pte_kind kind);

/* Output address of an entry, from bit low up. */
uint64_t regime_output(const struct regime *r, lpae_t pte, unsigned int low);

/* "4K", "16K", "64K". */
const char *regime_page_name(const struct regime *r);

#endif /* VIEWER_MODEL_REGIME_H */
