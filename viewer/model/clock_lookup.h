/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Engine clock's part of explain_lookup(). */
#ifndef VIEWER_MODEL_CLOCK_LOOKUP_H
#define VIEWER_MODEL_CLOCK_LOOKUP_H

#include "model/lookup.h"

/* The lookup of hv/mm/domain_page_clock.c, for e->mfn. False: the index leads astray. */
bool clock_explain(const struct machine *m, const struct cpu_snapshot *c, struct explanation *e);

#endif /* VIEWER_MODEL_CLOCK_LOOKUP_H */
