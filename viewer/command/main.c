/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/casemate.h"
#include "command/check.h"
#include "command/context.h"
#include "command/events.h"
#include "command/options.h"
#include "command/output.h"
#include "command/record.h"
#include "command/snapshot.h"
#include "command/wait.h"
#include "view/config.h"
#include "view/view.h"

#include <signal.h>

static int print_about(const struct options *o)
{
    struct failure failure;
    struct output out;

    if (output_begin(&out, &failure))
        return failure_report(&failure);
    if (o->command == COMMAND_HELP)
        options_print_help(out.file);
    else
        fprintf(out.file, "hvscope %s (beacon version %d)\n", HVSCOPE_VERSION, BEACON_VERSION);
    return output_end(&out, &failure) ? failure_report(&failure) : EXIT_DONE;
}

/* Reading never stops a machine, but for this one way. */
static void announce(const struct options *o)
{
    if (o->target.gdb && o->command != COMMAND_HELP && o->command != COMMAND_VERSION)
        fprintf(stderr, "hvscope: --gdb halts the machine at %s as long as this runs\n",
                o->target.gdb);
}

static int run(const struct options *o)
{
    announce(o);
    switch (o->command) {
    case COMMAND_VIEW:
        return command_view(o);
    case COMMAND_CHECK:
        return command_check(o);
    case COMMAND_WAIT:
        return command_wait(o);
    case COMMAND_DIFF:
        return command_diff(o);
    case COMMAND_SNAPSHOT:
        return command_snapshot(o);
    case COMMAND_RECORD:
        return command_record(o);
    case COMMAND_CONFIG:
        return command_config();
    case COMMAND_HELP:
    case COMMAND_VERSION:
        return print_about(o);
    default:
        if (o->casemate)
            return command_casemate(o);
        return o->command == COMMAND_EVENTS ? command_events(o) : command_print(o);
    }
}

int main(int argc, char *argv[])
{
    struct options options;
    struct failure failure;
    int status;

    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error of write(), and told */
    if (options_parse(&options, argc, argv, &failure))
        status = failure_report(&failure);
    else
        status = run(&options);
    options_free(&options);
    return status;
}
