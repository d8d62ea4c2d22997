/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events in the text format of casemate (rems-project/casemate), an independent
 * checker of EL2 page tables, so that anyone can hold our verdict against its.
 *
 * Its format knows one EL2 root, broadcast TLBIs and two DSBs, so what the CPUs
 * did is lowered, one file a CPU: vae2 and vale2 are written as vae2is, alle2 as
 * alle2is, a range as one vae2is a 2 MiB block, dsb nsh, osh and sy as ish, the
 * store-only ones as ishst. Load-only DSBs, stage 2 and interrupts are left out.
 */
#ifndef VIEWER_COMMAND_CASEMATE_H
#define VIEWER_COMMAND_CASEMATE_H

#include "command/options.h"

/* hvscope events --format casemate; returns the exit status. */
int command_casemate(const struct options *o);

#endif /* VIEWER_COMMAND_CASEMATE_H */
