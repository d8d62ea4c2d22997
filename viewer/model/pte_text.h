/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An entry in words, every bit of it.
 */
#ifndef VIEWER_MODEL_PTE_TEXT_H
#define VIEWER_MODEL_PTE_TEXT_H

#include "model/regime.h"

#include <hvscope/pte.h>
#include <stddef.h>

#define PTE_FIELDS_MAX 24

struct pte_field {
    unsigned int hi, lo; /* bits */
    uint64_t value;
    char brief[24]; /* a word or two for a line of them; "" if not worth it there */
    char text[48];  /* what the value means */
};

/*
 * Take pte apart, from bit 0 up; every set bit is in one of the fields. level
 * (0 to 3) decides what the bits mean. Returns the number of fields.
 */
unsigned int pte_fields(lpae_t pte, unsigned int level, struct pte_field field[PTE_FIELDS_MAX]);

/* The same of another regime's entry, with 4K pages. */
unsigned int pte_fields_in(enum regime_name regime, lpae_t pte, unsigned int level,
                           struct pte_field field[PTE_FIELDS_MAX]);

/* The brief words of all fields, blanks between them. */
void pte_line(lpae_t pte, unsigned int level, char *buf, size_t size);

#endif /* VIEWER_MODEL_PTE_TEXT_H */
