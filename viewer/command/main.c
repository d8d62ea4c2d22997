/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "command/dump.h"
#include "command/options.h"
#include "command/output.h"
#include "view/view.h"

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

int main(int argc, char *argv[])
{
    struct options options;
    struct failure failure;
    int status;

    if (options_parse(&options, argc, argv, &failure))
        status = failure_report(&failure);
    else if (options.command == COMMAND_DUMP)
        status = command_dump(&options);
    else if (options.command == COMMAND_VIEW)
        status = command_view(&options);
    else
        status = print_about(&options);
    options_free(&options);
    return status;
}
