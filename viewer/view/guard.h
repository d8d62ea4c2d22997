/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The terminal as it was, whatever happens to us; and stderr off the screen.
 */
#ifndef VIEWER_VIEW_GUARD_H
#define VIEWER_VIEW_GUARD_H

/* Remember the terminal's settings; before curses changes them. */
void guard_save(void);

/*
 * From now on a fatal signal restores the terminal first. sequence: what to
 * send to it; stays referenced.
 */
void guard_arm(const char *sequence);
void guard_disarm(void);

/* Keep what is written to stderr; guard_release_stderr() lets it out. */
void guard_hold_stderr(void);
void guard_release_stderr(void);

#endif /* VIEWER_VIEW_GUARD_H */
