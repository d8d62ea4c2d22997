/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long a jump in a recording takes, from the key to the picture's data: as the viewer does it,
 * with all that shows what changed before.
 *
 *   viewer_seek FILE
 *
 * Prints a line of JSON: frames, jumps, the median and the longest (each the best of three), and
 * how many frames the longest way applied.
 */
#include "source/recording.h"
#include "view/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define JUMPS 200
#define EACH  3

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* From frame from to frame to, in ms. */
static double jump(struct session *s, unsigned int from, unsigned int to, unsigned int *applied)
{
    double best = 1e9;

    for (unsigned int i = 0; i < EACH; i++) {
        unsigned int before;
        uint64_t start;
        double ms;

        session_step(s, 0, (int)from - (int)s->recorded);
        before = recording_applied(s->target.src);
        start = now_ns();
        session_step(s, 0, (int)to - (int)from);
        ms = (double)(now_ns() - start) / 1e6;
        best = ms < best ? ms : best;
        if (recording_applied(s->target.src) - before > *applied)
            *applied = recording_applied(s->target.src) - before;
    }
    return best;
}

int main(int argc, char **argv)
{
    struct options o = {.hz = HZ_DEFAULT, .target.recording = argc > 1 ? argv[1] : ""};
    unsigned int frames, applied = 0;
    static double ms[JUMPS];
    static struct session s;
    struct failure f;

    if (session_open(&s, &o, now_ns(), &f)) {
        fprintf(stderr, "viewer_seek: %s\n", f.text);
        return 1;
    }
    session_freeze(&s, true);
    frames = recording_frames(s.target.src);
    for (unsigned int i = 0; i < JUMPS; i++) {
        unsigned int from = (unsigned int)random() % frames, to = (unsigned int)random() % frames;

        ms[i] = jump(&s, from, to, &applied);
    }
    qsort(ms, JUMPS, sizeof(ms[0]), compare);
    printf("{\"frames\":%u,\"jumps\":%u,\"median_ms\":%.2f,\"longest_ms\":%.2f,\"applied\":%u}\n",
           frames, JUMPS, ms[JUMPS / 2], ms[JUMPS - 1], applied);
    session_close(&s);
    return 0;
}
