/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "view/guard.h"

#include "source/source.h"

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <termios.h>
#include <unistd.h>

#define STACK_SIZE 65536

/* A signal handler reads these, so they are plain and set before it is armed. */
static struct termios saved;
static bool have_saved;
static const char *sequence;
static size_t sequence_len;
static int real_stderr = -1;

static const int fatal_signals[] = {SIGSEGV, SIGABRT, SIGFPE, SIGILL};

#define NR_FATAL (sizeof(fatal_signals) / sizeof(fatal_signals[0]))

void guard_save(void)
{
    have_saved = tcgetattr(STDIN_FILENO, &saved) == 0;
}

/* Only calls that are allowed in a signal handler, from here … */
static void copy_held_stderr(void)
{
    char buf[4096];
    off_t at = 0;
    ssize_t n;

    while ((n = pread(STDERR_FILENO, buf, sizeof(buf), at)) > 0) {
        at += n;
        if (write(real_stderr, buf, n) != n)
            break;
    }
}

static void restore_terminal(int sig)
{
    (void)sig;
    if (sequence && write(STDOUT_FILENO, sequence, sequence_len) < 0)
        return;
    if (have_saved)
        tcsetattr(STDIN_FILENO, TCSANOW, &saved);
    if (real_stderr >= 0)
        copy_held_stderr();
}

static void fatal(int sig)
{
    restore_terminal(sig);
    signal(sig, SIG_DFL);
    raise(sig);
}
/* … to here. */

void guard_arm(const char *seq)
{
    static char stack[STACK_SIZE];
    stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
    struct sigaction action = {.sa_handler = fatal, .sa_flags = SA_ONSTACK | SA_NODEFER};

    sequence = seq;
    sequence_len = strlen(seq);
    sigemptyset(&action.sa_mask);
    sigaltstack(&alternate, NULL);
    for (size_t i = 0; i < NR_FATAL; i++)
        sigaction(fatal_signals[i], &action, NULL);
    source_set_fatal_hook(restore_terminal);
}

void guard_disarm(void)
{
    for (size_t i = 0; i < NR_FATAL; i++)
        signal(fatal_signals[i], SIG_DFL);
    source_set_fatal_hook(NULL);
    sequence = NULL;
}

void guard_hold_stderr(void)
{
    int held = memfd_create("hvscope-stderr", MFD_CLOEXEC);

    if (held < 0)
        return;
    real_stderr = dup(STDERR_FILENO);
    if (real_stderr >= 0)
        dup2(held, STDERR_FILENO);
    close(held);
}

void guard_release_stderr(void)
{
    int out = real_stderr;

    if (out < 0)
        return;
    copy_held_stderr();
    real_stderr = -1;
    dup2(out, STDERR_FILENO);
    close(out);
}
