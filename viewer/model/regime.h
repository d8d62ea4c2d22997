/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A translation regime: EL2 stage 1 with E2H = 0, as its control registers set
 * it up. Arm ARM D8.2 "Address translation", D8.3 "Translation table
 * descriptor formats". What is not understood is a sentence, not a guess.
 *
 * GDB's pt-walk (gdb-scripts/hvscope/walk.py) is the same thing in Python;
 * tests/vectors holds both to the same answers.
 */
#ifndef VIEWER_MODEL_REGIME_H
#define VIEWER_MODEL_REGIME_H

#include "model/machine.h"

#include <hvscope/pte.h>

enum pte_kind { KIND_TABLE, KIND_BLOCK, KIND_PAGE, KIND_INVALID, KIND_RESERVED };

/* What decides it. */
struct regime_registers {
    uint64_t tcr, mair, hcr, sctlr, tcr2;
    unsigned int pa_bits; /* of the CPU: ID_AA64MMFR0_EL1.PARange */
};

struct regime {
    uint64_t tcr, mair;
    unsigned int page_shift;
    unsigned int stride; /* bits of an address that one level takes */
    unsigned int in_bits, out_bits;
    int start_level; /* -1 to 3 */
    bool wxn;
    bool lpa2; /* 52-bit addresses, 4K and 16K */
    bool lpa;  /* 52-bit addresses, 64K */
};

/* 0, or -1 with f (EXIT_NOT_UNDERSTOOD). */
int regime_init(struct regime *r, const struct regime_registers *registers, struct failure *f);

/* As our image sets it up; the beacon tells its TCR_EL2. */
int regime_of_machine(struct regime *r, const struct machine *m, struct failure *f);

/* 0, or -1 with f: a root must be aligned to the size of its table. */
int regime_check_root(const struct regime *r, uint64_t root, struct failure *f);

/* log2 of what one entry of this level maps; entries of a table of this level. */
unsigned int regime_shift(const struct regime *r, int level);
unsigned int regime_entries(const struct regime *r, int level);

enum pte_kind regime_kind(const struct regime *r, lpae_t pte, int level);
const char *pte_kind_name(enum pte_kind kind);

/* Output address of an entry, from bit low up. */
uint64_t regime_output(const struct regime *r, lpae_t pte, unsigned int low);

/*
 * "rwx" of a leaf; above: the table entries of its walk, or-ed. The hardware
 * never writes our image's entries (HA = HD = 0), but the geometry knows how.
 */
void regime_permissions(const struct regime *r, lpae_t above, lpae_t pte, char perm[4]);

/* "inner", "outer", "none", "reserved". */
const char *regime_share(const struct regime *r, lpae_t pte);

#define MEMORY_TYPE_MAX 48

/* The memory type of a leaf: "normal-wb", "device-nGnRE", … */
void regime_memory_type(const struct regime *r, lpae_t pte, char *buf, size_t size);

/* "4K", "16K", "64K". */
const char *regime_page_name(const struct regime *r);

#endif /* VIEWER_MODEL_REGIME_H */
