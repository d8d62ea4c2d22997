/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/ending.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#define UNDOS_MAX 4

static void (*volatile undos[UNDOS_MAX])(void);

static void end(int sig)
{
    for (size_t i = 0; i < UNDOS_MAX; i++) {
        if (undos[i])
            undos[i]();
    }
    signal(sig, SIG_DFL);
    raise(sig);
}

/* From one handler to the other, where it is that. */
static void change(void (*from)(int), void (*to)(int))
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};

    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        struct sigaction now, new = {.sa_handler = to};

        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler == from)
            sigaction(signals[i], &new, NULL);
    }
}

void ending_add(void (*undo)(void))
{
    ending_remove(undo);
    for (size_t i = 0; i < UNDOS_MAX; i++) {
        if (!undos[i]) {
            undos[i] = undo;
            change(SIG_DFL, end);
            return;
        }
    }
}

void ending_remove(void (*undo)(void))
{
    bool any = false;

    for (size_t i = 0; i < UNDOS_MAX; i++) {
        if (undos[i] == undo)
            undos[i] = NULL;
        any |= undos[i] != NULL;
    }
    if (!any)
        change(end, SIG_DFL);
}
