/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "model/profile.h"

#include "model/stream.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

/* In the order in which they are tried; the last takes what it is given. */
static const struct profile *const profiles[] = {&profile_hv, &profile_xen, &profile_el2};

#define NR_PROFILES (sizeof(profiles) / sizeof(profiles[0]))

const struct profile *profile_find(const char *name)
{
    for (size_t i = 0; i < NR_PROFILES; i++) {
        if (strcmp(profiles[i]->name, name) == 0)
            return profiles[i];
    }
    return NULL;
}

void profile_names(char *buf, size_t size)
{
    size_t len = 0;

    buf[0] = '\0';
    for (size_t i = 0; i < NR_PROFILES && len < size; i++)
        len += snprintf(buf + len, size - len, "%s%s", i ? ", " : "", profiles[i]->name);
}

static enum machine_status try(const struct profile *profile, const struct source *src,
                               const struct target_spec *spec, struct machine *m, struct failure *f)
{
    enum machine_status status;

    *m = (struct machine){.profile = profile, .arch = "arm64"};
    status = profile->find(src, spec, m, f);
    if (status == MACHINE_OK)
        stream_adopt(src, spec, m);
    return status;
}

/* A target of no kind: what the first kind says of it is told, or a Xen whose symbols are given. */
enum machine_status machine_find(const struct source *src, const struct target_spec *spec,
                                 struct machine *m, struct failure *f)
{
    struct failure other = {0};
    char path[PATH_MAX];

    if (spec->profile && profile_find(spec->profile))
        return try(profile_find(spec->profile), src, spec, m, f);
    for (size_t i = 0; i < NR_PROFILES; i++) {
        enum machine_status status = try(profiles[i], src, spec, m, i ? &other : f);

        if (status != MACHINE_FOREIGN) {
            if (i && status != MACHINE_OK)
                *f = other;
            return status;
        }
        if (profiles[i] == &profile_xen && source_elf_path(spec, path, sizeof(path)))
            *f = other;
    }
    return MACHINE_FOREIGN;
}
