/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hvscope walk and map: what they print. GDB's pt-walk and pt-dump print the
 * same bytes.
 */
#ifndef VIEWER_COMMAND_WALKING_H
#define VIEWER_COMMAND_WALKING_H

#include "command/context.h"
#include "model/ranges.h"

/* "2 MiB"; "2M": exact. */
void size_text(uint64_t size, char *buf, size_t len);
void size_short(uint64_t size, char *buf, size_t len);

void walk_json(FILE *out, const struct stage *s, unsigned int cpu, const struct walk *w);
void walk_text(FILE *out, const struct stage *s, unsigned int cpu, const struct walk *w);

/* Both stages of a guest, and which slots map what they lead to. */
void guest_json(FILE *out, const struct context *ctx, unsigned int cpu, uint64_t va,
                const struct guest_walk *g);
void guest_text(FILE *out, const struct context *ctx, uint64_t va, const struct guest_walk *g);

void ranges_json(FILE *out, const struct stage *s, unsigned int cpu, const struct ranges *list);
void ranges_text(FILE *out, const struct stage *s, unsigned int cpu, const struct ranges *list);

#endif /* VIEWER_COMMAND_WALKING_H */
