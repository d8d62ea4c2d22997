/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine, what the viewer knows of it, and its picture: for tests of screens and keys. */
#ifndef TESTS_VIEWER_SCENE_H
#define TESTS_VIEWER_SCENE_H

#include "view/draw.h"
#include "viewer_machine.h"

#define MS     UINT64_C(1000000)
#define NR_CPU 4

struct scene {
    struct fake_source *fake;
    struct snapshot *before, *snap;
    struct marks *marks;
    struct event_log *events;
    struct activity *activity;
    struct series series;
    struct findings findings;
    struct table_page table;
    struct ranges ranges;
    struct frame frame;
    struct ui ui;
};

/* Two snapshots with a map and an unmap between them. */
void scene_make(struct scene *s, unsigned int ncpu);

/* What views 2 to 6 need beside the snapshot. */
void scene_fill(struct scene *s);

void scene_free(struct scene *s);

/* Text, then how each cell looks, then the cursor; to be freed. */
char *picture(const struct scene *s, unsigned int rows, unsigned int cols, enum color_mode mode,
              bool ascii);

/*
 * Compare with the committed picture of that name. HVSCOPE_GOLDEN_UPDATE=1 writes the files anew:
 * look at the difference before you commit it.
 */
void check_golden(const struct scene *s, const char *name, unsigned int rows, unsigned int cols,
                  enum color_mode mode, bool ascii);

#endif /* TESTS_VIEWER_SCENE_H */
