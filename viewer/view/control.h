/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only place that acts on the machine: through QMP, once a person has said
 * yes to it, and only with --allow-control.
 */
#ifndef VIEWER_VIEW_CONTROL_H
#define VIEWER_VIEW_CONTROL_H

#include "view/session.h"
#include "view/ui.h"

/* Do it. notice: what came of it, in a sentence. Waits for QEMU's answer, a second at most. */
void control_machine(struct session *s, enum control control, char *notice, size_t size);

#endif /* VIEWER_VIEW_CONTROL_H */
