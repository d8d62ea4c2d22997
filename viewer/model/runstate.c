/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/runstate.h"

#include <stdio.h>

static bool is_halted(enum qmp_status status)
{
    return status == QMP_STATUS_DEBUG || status == QMP_STATUS_PAUSED || status == QMP_STATUS_OTHER;
}

static void show(struct runstate *run, enum qmp_status status, const char *word)
{
    run->shown = status;
    snprintf(run->word, sizeof(run->word), "%s", word);
}

/*
 * A step in a debugger is many stops and resumes: one answer says little. The
 * first one is believed, as there is nothing else; a change is believed when a
 * second answer, RUN_SETTLE_NS later, says the same.
 */
void runstate_answer(struct runstate *run, enum qmp_status status, const char *word, uint64_t now)
{
    if (status != run->seen) {
        run->seen = status;
        run->seen_since = now;
    }
    if (run->shown == QMP_STATUS_UNKNOWN || now - run->seen_since >= RUN_SETTLE_NS)
        show(run, status, word);
}

bool runstate_is_unsure(const struct runstate *run)
{
    return run->seen != run->shown;
}

bool runstate_is_settled(const struct runstate *run, uint64_t now)
{
    return is_halted(run->shown) && is_halted(run->seen) &&
           now - run->seen_since >= RUN_SETTLE_NS && now - run->moved_at >= RUN_SETTLE_NS;
}

static enum run_word machine_word(const struct runstate *run, const struct machine *m)
{
    if (m && m->beacon.state == BEACON_PANICKED)
        return RUN_PANICKED;
    if (m && m->beacon.state == BEACON_OFF)
        return RUN_OFF;
    if (run->halted_here)
        return RUN_STOPPED;
    if (!run->has_machine)
        return RUN_FILE;
    if (run->shown == QMP_STATUS_PRELAUNCH)
        return RUN_NOT_STARTED;
    if (run->shown == QMP_STATUS_SHUTDOWN)
        return RUN_OFF;
    if (is_halted(run->shown))
        return RUN_STOPPED;
    return m && m->beacon.state != BEACON_MMU_ON ? RUN_LIVE : RUN_BOOTING;
}

enum run_word runstate_word(const struct runstate *run, const struct machine *m, uint64_t now)
{
    if (run->frozen)
        return RUN_PAUSED;
    if (run->gone || run->cut)
        return RUN_GONE;
    if (run->rebooted_at && now - run->rebooted_at < RUN_REBOOT_NS)
        return RUN_REBOOTED;
    return run->busy ? RUN_BUSY : machine_word(run, m);
}

const char *run_word_text(enum run_word word)
{
    static const char *const text[] = {
        [RUN_LIVE] = "LIVE",         [RUN_STOPPED] = "STOPPED",   [RUN_NOT_STARTED] = "NOT STARTED",
        [RUN_BOOTING] = "BOOTING",   [RUN_PAUSED] = "PAUSED",     [RUN_GONE] = "GONE",
        [RUN_REBOOTED] = "REBOOTED", [RUN_PANICKED] = "PANICKED", [RUN_OFF] = "OFF",
        [RUN_BUSY] = "BUSY",         [RUN_FILE] = "FILE",
    };

    return text[word];
}

static void stop_note(const struct runstate *run, char *buf, size_t size)
{
    if (run->halted_here)
        snprintf(buf, size, "by this viewer");
    else if (run->shown == QMP_STATUS_DEBUG)
        snprintf(buf, size, "by the debugger");
    else if (run->shown == QMP_STATUS_PAUSED)
        snprintf(buf, size, "paused, no debugger attached");
    else
        snprintf(buf, size, "%s", run->word);
}

void runstate_note(const struct runstate *run, const struct machine *m, enum run_word word,
                   char *buf, size_t size)
{
    buf[0] = '\0';
    if (word == RUN_STOPPED)
        stop_note(run, buf, size);
    else if (word == RUN_GONE && run->cut)
        snprintf(buf, size, "its RAM file was cut short");
    else if (word == RUN_PAUSED && (run->gone || run->cut))
        snprintf(buf, size, "and the target is gone");
    else if (word == RUN_BUSY)
        snprintf(buf, size, "another program has the QMP socket");
    else if (word == RUN_GONE && m && m->beacon.state == BEACON_PANICKED)
        snprintf(buf, size, "after a panic: %s", m->message);
    else if (word == RUN_GONE && m && m->beacon.state == BEACON_OFF)
        snprintf(buf, size, "powered off, status %u", m->beacon.exit_status);
    else if (word == RUN_REBOOTED && run->other_image)
        snprintf(buf, size, "into another image");
    else if (word == RUN_PANICKED)
        snprintf(buf, size, "%s", m->message);
    else if (word == RUN_OFF && m && m->beacon.state == BEACON_OFF)
        snprintf(buf, size, "status %u", m->beacon.exit_status);
}
