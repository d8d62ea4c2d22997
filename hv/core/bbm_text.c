/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The checker's words. */
#include "core/bbm.h"

static const char *const rule_text[BBM_RULES] = {
    [BBM_OUTPUT_ADDRESS] = "a live entry got another output address",
    [BBM_MEMORY_TYPE] = "a live entry got another memory type",
    [BBM_SHAREABILITY] = "a live entry got another shareability",
    [BBM_CONTIGUOUS] = "the contiguous bit of a live entry was changed",
    [BBM_BLOCK_SIZE] = "a live block became a table, or a table a block",
    [BBM_UNBROKEN] = "a new entry was made before the break of the old one was complete",
    [BBM_OPERAND] = "a range TLBI has an UNPREDICTABLE operand",
    [BBM_CNP] = "TTBR0_EL2.CnP is 1 on a root that the other CPUs do not have",
    [BBM_OWED] = "permissions were made stricter, and no TLBI followed: TLBI owed",
    [BBM_EARLY] = "a new entry was used before any DSB",
};

const char *bbm_rule_text(enum bbm_rule rule)
{
    return rule_text[rule];
}

/* A size change has a rule of its own; for the rest it matters who walks the table. */
const char *bbm_rule_tag(const struct bbm_finding *f)
{
    static const char *const tag[BBM_RULES] = {
        [BBM_CONTIGUOUS] = "RPVTFW",  [BBM_BLOCK_SIZE] = "RPVTFW", [BBM_UNBROKEN] = "RDDMVT",
        [BBM_OPERAND] = "TLBI-range", [BBM_CNP] = "CnP",           [BBM_OWED] = "RGPPYH",
        [BBM_EARLY] = "IWZCBG",
    };

    if (tag[f->rule])
        return tag[f->rule];
    return f->tier == BBM_VIOLATION ? "RWHZWS" : "RFVQCK";
}

const char *bbm_tier_name(enum bbm_tier tier)
{
    return tier == BBM_VIOLATION ? "violation" : tier == BBM_HAZARD ? "hazard" : "note";
}

const char *bbm_missing_text(enum bbm_missing missing)
{
    static const char *const text[] = {
        [BBM_NOTHING] = "",
        [BBM_NO_DSB] = "no DSB before its TLBI",
        [BBM_NO_TLBI] = "no TLBI of it",
        [BBM_NOT_COMPLETED] = "no DSB after its TLBI",
        [BBM_NOT_COVERED] = "a CPU that its TLBI and DSBs do not reach",
    };

    return text[missing];
}
