/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The least that a terminal program with a timer costs: curses, a few digits
 * that change on each tick, nothing else. viewer_floor HZ CHANGES, until TERM.
 */
#include <curses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

static volatile sig_atomic_t over;

static void end(int sig)
{
    (void)sig;
    over = 1;
}

static void draw(unsigned int tick, int changes)
{
    for (int i = 0; i < changes; i++)
        mvprintw((int)(tick * 7 + (unsigned int)i * 11) % LINES,
                 (int)(tick * 13 + (unsigned int)i * 17) % (COLS - 1), "%u", tick % 10);
    refresh();
}

int main(int argc, char **argv)
{
    int hz = argc > 1 ? atoi(argv[1]) : 30, changes = argc > 2 ? atoi(argv[2]) : 20;
    int timer = timerfd_create(CLOCK_MONOTONIC, 0);
    struct itimerspec spec = {{0, 1000000000L / hz}, {0, 1000000000L / hz}};
    uint64_t expired;

    signal(SIGTERM, end);
    initscr();
    typeahead(-1);
    timerfd_settime(timer, 0, &spec, NULL);
    for (unsigned int tick = 0; !over; tick++) {
        if (read(timer, &expired, sizeof(expired)) == (ssize_t)sizeof(expired))
            draw(tick, changes);
    }
    endwin();
    return 0;
}
