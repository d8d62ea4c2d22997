/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The image's command line, and the console's plans of work. */
#include "core/cmdline.h"
#include "fake.h"
#include "fuzz.h"
#include "guest/guest.h"
#include "work/plan.h"

#include <stdlib.h>
#include <string.h>

const char *const fault_names[] = {[FAULT_NONE] = "none", [FAULT_SKIP_TLBI] = "skip-tlbi", NULL};
unsigned int nr_guests = 2;

static bool percent(struct word argument, uint64_t *value)
{
    return word_number(argument, 99, value);
}

static const struct workload copy = {.name = "copy"};
static const struct workload fill = {
    .name = "fill", .argument = "a percentage", .argument_needed = true, .accepts = percent};
const struct workload *const workloads[] = {&copy, &fill};
const unsigned int nr_workloads = 2;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz in = {data, size < 2000 ? size : 2000};
    char *line = fuzz_string(&in), why[80];
    struct plan_entry mine[PLAN_CPU_MAX];
    struct plan plan;

    fake_reset();
    options = (struct options){.trace = TRACE_API, .workload = word_from("copy")};
    cmdline_parse(line);
    if (options.nr_mem > BEACON_BANKS_MAX || options.pace > PACE_MAX)
        abort();
    for (const char *c = fake_console; *c; c++)
        if ((*c < ' ' && *c != '\n' && *c != '\r') || *c == 0x7f)
            abort();
    if (plan_parse(word_from(line), 4, &plan, why, sizeof(why)))
        plan_for(&plan, 1, mine);
    if (plan_parse(options.workload, 64, &plan, why, 20))
        plan_for(&plan, 63, mine);
    free(line);
    return 0;
}
